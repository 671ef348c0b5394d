// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "array.h"
#include "filter.h"
#include "test.h"

/* What a target with the kernel's default filter gets. */
#define OWN 0x33

static const struct {
	const char *text;
	uint32_t bits;
} cases[] = {
	{ "0", 0 },
	{ "1f3", 0x1f3 },
	{ "0xff", 0xff },
	{ "ffffffff", 0xffffffff },
	{ "anon", 0x1 },
	{ "anon-shared", 0x2 },
	{ "file", 0x4 },
	{ "file-shared", 0x8 },
	{ "elf-headers", 0x10 },
	{ "huge", 0x20 },
	{ "huge-shared", 0x40 },
	{ "dax", 0x80 },
	{ "dax-shared", 0x100 },
	{ "all", 0x1ff },
	{ "anon,file,elf-headers", 0x15 },
	{ "anon,anon", 0x1 },
	{ "+file", 0x37 },
	{ "-anon-shared", 0x31 },
	{ "+file,-elf-headers", 0x27 },
	{ "+all,-huge", 0x1df },
	{ "-all,+anon", 0x1 },
	{ "-anon,+anon", 0x33 },
	{ "+anon,-anon", 0x32 },
};

static const char *const wrong[] = {
	"", "+", "-", ",", "anon,", ",anon", "anon,+file", "+anon,file", "ano",
	"anonx", "anon file", "Anon", "1f3,anon", "+1", "-1", "all,", "++anon",
	"file-private",
};

static void names_and_masks(void **state)
{
	struct kcs_filter filter;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(kcs_filter_parse(cases[i].text, &filter), 0);
		assert_true(filter.given);
		assert_int_equal(kcs_filter_apply(&filter, OWN), cases[i].bits);
	}
}

static void other_texts_are_refused(void **state)
{
	struct kcs_filter filter = { .add = 7 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(kcs_filter_parse(wrong[i], &filter), -EINVAL);
	assert_int_equal(kcs_filter_parse("100000000", &filter), -ERANGE);
	assert_false(filter.given);
	assert_int_equal(filter.add, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_masks),
		cmocka_unit_test(other_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
