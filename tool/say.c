// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"
#include "say.h"

/* Of a sentence without memory, and of progress. */
#define LINE_SIZE 1024
#define PROGRESS_SIZE 160
#define TERMINAL_WIDTH 79

static atomic_int progress_width;
static bool muted;
static void (*divert_keep)(const char *sentence);
static void (*divert_end)(int exit_code);

static void put(const char *text, size_t len)
{
	ssize_t ignored = write(STDERR_FILENO, text, len);

	(void)ignored;
}

/* By one call, so that lines of several processes do not mix. */
static void put_line(char *sentence)
{
	char prefix[] = "kcoresnap: ", end[] = "\n";
	struct iovec parts[] = {
		{ .iov_base = prefix, .iov_len = strlen(prefix) },
		{ .iov_base = sentence, .iov_len = strlen(sentence) },
		{ .iov_base = end, .iov_len = strlen(end) },
	};
	ssize_t ignored = writev(STDERR_FILENO, parts, 3);

	(void)ignored;
}

/* The snapshot is open: it is not to wait for a terminal that was stopped. */
static bool may_tell_progress(void)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & POLLOUT;
}

static void erase_progress(void)
{
	char line[LINE_SIZE];
	int width = atomic_exchange(&progress_width, 0);

	if (width)
		put(line, snprintf(line, sizeof(line), "\r%*s\r", width, ""));
}

void kcs_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void kcs_say(const char *fmt, ...)
{
	char *whole KCS_CLEANUP(kcs_free) = NULL;
	char part[LINE_SIZE], *sentence;
	va_list ap;

	if (muted)
		return;
	va_start(ap, fmt);
	if (vasprintf(&whole, fmt, ap) < 0)
		whole = NULL;
	va_end(ap);
	va_start(ap, fmt);
	if (!whole)
		vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	sentence = whole ? whole : part;
	kcs_printable(sentence);

	erase_progress();
	if (divert_keep)
		divert_keep(sentence);
	else
		put_line(sentence);
}

void kcs_say_divert(void (*keep)(const char *sentence),
		    void (*end)(int exit_code))
{
	divert_keep = keep;
	divert_end = end;
}

void kcs_say_mute(bool mute)
{
	muted = mute;
}

void kcs_say_end(int exit_code)
{
	if (divert_end)
		divert_end(exit_code);
}

void kcs_say_progress(bool replace, const char *fmt, ...)
{
	char text[PROGRESS_SIZE], line[LINE_SIZE];
	int pad, width;
	va_list ap;

	if (!may_tell_progress())
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!replace) {
		put_line(text);
		return;
	}

	if (strlen(text) > TERMINAL_WIDTH)
		text[TERMINAL_WIDTH] = '\0';
	width = (int)strlen(text);
	pad = atomic_exchange(&progress_width, width) - width;
	put(line, snprintf(line, sizeof(line), "\r%s%*s", text,
			   pad > 0 ? pad : 0, ""));
}

void kcs_say_progress_end(void)
{
	if (may_tell_progress())
		erase_progress();
}
