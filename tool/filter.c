// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "array.h"
#include "filter.h"
#include "parse.h"

/* By the number of their bit. */
static const char *const names[] = {
	"anon", "anon-shared", "file", "file-shared", "elf-headers",
	"huge", "huge-shared", "dax", "dax-shared",
};

static int parse_name(const char *text, size_t len, uint32_t *bits)
{
	size_t i;

	if (len == strlen("all") && !strncmp(text, "all", len)) {
		*bits = (1U << ARRAY_SIZE(names)) - 1;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (len == strlen(names[i]) && !strncmp(text, names[i], len)) {
			*bits = 1U << i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_sign(char c)
{
	return c == '+' || c == '-';
}

/* The later name counts. */
static int parse_names(const char *text, struct kcs_filter *filter)
{
	uint32_t bits = 0;
	size_t len;

	for (;; text += len + 1) {
		bool minus = *text == '-';

		if (is_sign(*text) != filter->relative)
			return -EINVAL;
		if (filter->relative)
			text++;
		len = strcspn(text, ",");
		if (parse_name(text, len, &bits))
			return -EINVAL;
		filter->add = minus ? filter->add & ~bits : filter->add | bits;
		filter->remove = minus ? filter->remove | bits :
					 filter->remove & ~bits;
		if (!text[len])
			return 0;
	}
}

int kcs_filter_parse(const char *text, struct kcs_filter *filter)
{
	struct kcs_filter parsed = {
		.given = true,
		.relative = is_sign(*text),
	};
	int ret = kcs_parse_mask(text, &parsed.add);

	if (ret == -EINVAL) {
		parsed.add = 0;
		ret = parse_names(text, &parsed);
	}
	if (!ret)
		*filter = parsed;
	return ret;
}

uint32_t kcs_filter_apply(const struct kcs_filter *filter, uint32_t own)
{
	if (!filter->relative)
		return filter->add;
	return (own | filter->add) & ~filter->remove;
}
