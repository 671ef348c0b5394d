// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "json.h"
#include "say.h"

/* U+FFFD */
static const char replacement[3] = { (char)0xef, (char)0xbf, (char)0xbd };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool on;
static int out_fd;
static struct json_object *kept;

static void keep_sentence(const char *sentence)
{
	pthread_mutex_lock(&lock);
	if (!kept)
		kept = json_object_new_array();
	json_object_array_add(kept, kcs_json_text(sentence));
	pthread_mutex_unlock(&lock);
}

static struct json_object *take_kept(void)
{
	struct json_object *sentences;

	pthread_mutex_lock(&lock);
	sentences = kept;
	kept = NULL;
	pthread_mutex_unlock(&lock);
	return sentences;
}

void kcs_json_start(int fd)
{
	on = true;
	out_fd = fd;
	kcs_say_divert(keep_sentence, kcs_json_print_rest);
}

bool kcs_json_on(void)
{
	return on;
}

/* Return: 0 or -errno. */
static int put_line(struct json_object *value)
{
	const char *text = json_object_to_json_string_ext(value,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *line KCS_CLEANUP(kcs_free) = NULL;
	size_t len, done = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	line = malloc(len + 2);
	if (!line)
		return -ENOMEM;
	memcpy(line, text, len);
	line[len++] = '\n';
	while (done < len) {
		n = write(out_fd, line + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += n;
	}
	return 0;
}

static struct json_object *get_kept(struct json_object *sentences, size_t i)
{
	return json_object_get(json_object_array_get_idx(sentences, i));
}

/* Of a failure the first sentence tells, or what a later one adds. */
static void add_kept(struct json_object *object, int exit_code)
{
	struct json_object *sentences = take_kept(), *notes = NULL;
	size_t i = 0, count;

	if (!sentences)
		return;
	count = json_object_array_length(sentences);
	if (exit_code)
		kcs_json_add(object, "error", get_kept(sentences, i++));
	if (i < count) {
		notes = json_object_new_array();
		kcs_json_add(object, "notes", notes);
	}
	for (; i < count; i++)
		json_object_array_add(notes, get_kept(sentences, i));
	json_object_put(sentences);
}

enum kcs_exit kcs_json_line(struct json_object *value)
{
	int err = put_line(value);

	json_object_put(value);
	if (!err)
		return KCS_EXIT_OK;
	/* Nobody would read it where the rest went. */
	kcs_say_divert(NULL, NULL);
	kcs_say("the result can't be written (%s): redirect it elsewhere",
		strerror(-err));
	return KCS_EXIT_OUTPUT;
}

enum kcs_exit kcs_json_print(struct json_object *value, enum kcs_exit ret)
{
	enum kcs_exit written;

	if (!value)
		value = json_object_new_object();
	if (json_object_is_type(value, json_type_object)) {
		add_kept(value, ret);
		kcs_json_add(value, "exit_code", json_object_new_int(ret));
	}
	written = kcs_json_line(value);
	return ret ? ret : written;
}

void kcs_json_print_rest(int exit_code)
{
	bool any;

	pthread_mutex_lock(&lock);
	any = kept;
	pthread_mutex_unlock(&lock);
	if (!any)
		return;
	if (exit_code == KCS_EXIT_USAGE)
		out_fd = STDERR_FILENO;
	kcs_json_print(NULL, exit_code);
}

void kcs_json_add(struct json_object *object, const char *name,
		  struct json_object *value)
{
	json_object_object_add(object, name, value);
}

void kcs_json_add_u64(struct json_object *object, const char *name,
		      uint64_t value)
{
	kcs_json_add(object, name, json_object_new_uint64(value));
}

void kcs_json_add_text(struct json_object *object, const char *name,
		       const char *text)
{
	kcs_json_add(object, name, kcs_json_text(text));
}

/*
 * Bytes of the UTF-8 sequence that text begins with, 0 if it begins with none:
 * overlong forms and surrogates are none.
 */
static size_t sequence(const unsigned char *text)
{
	unsigned int first = text[0], low = 0x80, high = 0xbf;
	size_t i, len;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (i = 1; i < len; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

struct json_object *kcs_json_text(const char *text)
{
	size_t len = strlen(text), used = 0, n;
	char *clean KCS_CLEANUP(kcs_free) = malloc(len * sizeof(replacement) + 1);
	const char *from;

	if (!clean)
		return NULL;
	while (*text) {
		n = sequence((const unsigned char *)text);
		from = n ? text : replacement;
		text += n ? n : 1;
		n = n ? n : sizeof(replacement);
		memcpy(clean + used, from, n);
		used += n;
	}
	return json_object_new_string_len(clean, (int)used);
}
