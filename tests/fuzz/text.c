// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include <linux/kcoresnap.h>

#include "container.h"
#include "filter.h"
#include "format.h"
#include "fuzz.h"
#include "parse.h"
#include "stat.h"
#include "template.h"

#define UNTOUCHED 0x5a5a5a5aU

/* What was not parsed is not written; what was reads the same again. */
#define DEFINE_CHECK(what, type, format)					\
static void check_##what(const char *text)					\
{										\
	type value = (type)UNTOUCHED, again = (type)UNTOUCHED;			\
	int ret = kcs_parse_##what(text, &value);				\
	char printed[64];							\
										\
	CHECK(ret == 0 || ret == -EINVAL || ret == -ERANGE);			\
	CHECK(ret == 0 || value == (type)UNTOUCHED);				\
	if (ret)								\
		return;								\
	snprintf(printed, sizeof(printed), format, value);			\
	CHECK(!kcs_parse_##what(printed, &again) && again == value);		\
}

DEFINE_CHECK(pid, pid_t, "%" PRId32)
DEFINE_CHECK(id, uint32_t, "%" PRIu32)
DEFINE_CHECK(mask, uint32_t, "%" PRIx32)
DEFINE_CHECK(time_us, uint64_t, "%" PRIu64 "us")
DEFINE_CHECK(size, uint64_t, "%" PRIu64)
DEFINE_CHECK(rate, uint64_t, "%" PRIu64 "/s")

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* By the library's own conversion. */
static void compare_pid(const char *text)
{
	unsigned long long value;
	pid_t pid;
	int ret = kcs_parse_pid(text, &pid);

	errno = 0;
	value = strtoull(text, NULL, 10);
	if (!all_digits(text))
		CHECK(ret == -EINVAL || ret == -ERANGE);
	else if (errno || !value || value > INT32_MAX)
		CHECK(ret == -ERANGE);
	else
		CHECK(!ret && pid == (pid_t)value);
}

static void check_names(const char *text)
{
	uint32_t value = UNTOUCHED;

	if (!kcs_parse_mode(text, &value))
		CHECK(value <= KCORESNAP_MODE_MAX && !strcmp(kcs_mode_name(value), text));
	else
		CHECK(value == UNTOUCHED);
	value = UNTOUCHED;
	if (!kcs_parse_allow(text, &value))
		CHECK(value && !(value & ~KCORESNAP_ALLOW_ALL));
	else
		CHECK(value == UNTOUCHED);
}

static size_t count_slashes(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '/';
	return count;
}

/* Whatever a process is called, the name leads where the template does. */
static void check_template(const char *text)
{
	const struct kcs_facts facts = { .host = text, .comm = text, .exe = text };
	char bad = 'x';
	char *name;

	if (kcs_template_check(text, &bad)) {
		CHECK(!bad || strchr(text, bad));
		return;
	}
	name = kcs_template_expand(text, &facts);
	CHECK(name && count_slashes(name) == count_slashes(text));
	CHECK(kcs_template_uses(text, "pPiIugsthefEcCd%") == !!strchr(text, '%'));
	free(name);
}

static void check_stat(const char *text)
{
	struct kcs_stat *stat = fuzz_alloc(sizeof(*stat));
	pid_t tgid = kcs_status_tgid(text);

	if (!kcs_stat_parse(text, stat)) {
		CHECK(strlen(stat->comm) < sizeof(stat->comm));
		CHECK(strstr(text, stat->comm));
	}
	CHECK(tgid == -EINVAL || (tgid > 0 && strstr(text, "\nTgid:")));
	free(stat);
}

static void check_nspids(const char *text)
{
	pid_t *pids = fuzz_alloc(KCS_PID_LEVELS * sizeof(*pids));
	int count = kcs_status_nspids(text, pids);

	CHECK(count == -EINVAL || (count > 0 && count <= KCS_PID_LEVELS));
	CHECK(count < 0 || strstr(text, "\nNSpid:"));
	free(pids);
}

static void check_container(const char *text)
{
	struct kcs_container *found = fuzz_alloc(KCS_CONTAINER_LEVELS * sizeof(*found));
	size_t count = kcs_container_parse(text, found), i, len;

	CHECK(count <= KCS_CONTAINER_LEVELS);
	for (i = 0; i < count; i++) {
		len = strlen(found[i].id);
		CHECK(len && len < KCS_CONTAINER_ID_SIZE && found[i].runtime);
		CHECK((size_t)kcs_container_short(found[i].id) <= len);
	}
	free(found);
}

static void check_filter(const char *text)
{
	struct kcs_filter *filter = fuzz_alloc(sizeof(*filter));

	filter->add = UNTOUCHED;
	if (kcs_filter_parse(text, filter))
		CHECK(filter->add == UNTOUCHED);
	else
		CHECK(filter->given && !(filter->add & filter->remove) &&
		      (filter->relative || !filter->remove));
	free(filter);
}

static void check_format(uint64_t a, uint64_t b)
{
	char *buf = fuzz_alloc(KCS_FORMAT_SIZE);

	CHECK(strlen(kcs_format_bytes(buf, a)) < KCS_FORMAT_SIZE - 1 && isdigit(buf[0]));
	CHECK(strlen(kcs_format_ns(buf, a)) < KCS_FORMAT_SIZE - 1 && isdigit(buf[0]));
	CHECK(strlen(kcs_format_rate(buf, a, b)) < KCS_FORMAT_SIZE - 1 && isdigit(buf[0]));
	free(buf);
}

void fuzz_text(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint64_t a, b;
	char *text;

	text = fuzz_string(&in, size);
	check_pid(text);
	compare_pid(text);
	check_id(text);
	check_mask(text);
	check_time_us(text);
	check_size(text);
	check_rate(text);
	check_template(text);
	check_names(text);
	check_stat(text);
	check_nspids(text);
	check_container(text);
	check_filter(text);
	free(text);

	in = (struct fuzz_input) { data, size };
	a = fuzz_u64(&in);
	b = fuzz_u64(&in);
	check_format(a, b);
}
