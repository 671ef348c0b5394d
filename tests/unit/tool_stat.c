// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stat.h"
#include "test.h"

/* Fields 3 to 24. */
#define TAIL " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21\n"

static void start_time_is_field_22(void **state)
{
	struct kcs_stat stat;

	assert_int_equal(kcs_stat_parse("42 (sleep)" TAIL, &stat), 0);
	assert_string_equal(stat.comm, "sleep");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.start_time, 987654);
}

static void names_may_hold_anything(void **state)
{
	struct kcs_stat stat;

	assert_int_equal(kcs_stat_parse("42 (a) R 1 (b))" TAIL, &stat), 0);
	assert_string_equal(stat.comm, "a) R 1 (b)");
	assert_int_equal(stat.start_time, 987654);
	assert_int_equal(kcs_stat_parse("42 (x\n) S 5)" TAIL, &stat), 0);
	assert_string_equal(stat.comm, "x\n) S 5");
	assert_int_equal(stat.start_time, 987654);
	assert_int_equal(kcs_stat_parse("42 ()" TAIL, &stat), 0);
	assert_string_equal(stat.comm, "");
}

static void long_names_are_cut(void **state)
{
	char text[512], name[200];
	struct kcs_stat stat;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "42 (%s)%s", name, TAIL);
	assert_int_equal(kcs_stat_parse(text, &stat), 0);
	assert_int_equal(strlen(stat.comm), KCS_COMM_SIZE - 1);
	assert_int_equal(stat.start_time, 987654);
}

static void largest_start_time_fits(void **state)
{
	struct kcs_stat stat;

	assert_int_equal(kcs_stat_parse("1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 18446744073709551615 0 1",
					&stat), 0);
	assert_true(stat.start_time == UINT64_MAX);
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "42", "42 (a", "42 a)", ") 42 (", "42 (a)", "42 (a) ",
		"42 (a) S 1 2 3",
		"42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ",
		"42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -1 2",
	};
	struct kcs_stat stat;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(kcs_stat_parse(texts[i], &stat), -EINVAL);
}

static void the_rest_is_where_proc_5_says(void **state)
{
	struct kcs_stat stat;

	assert_int_equal(kcs_stat_parse("1 (a) Z 3 4 5 6 7 2097152 9 10 11 12 13 14 15 16 17 18 2 20 21 22 345 25",
					&stat), 0);
	assert_true(stat.kernel);
	assert_int_equal(stat.threads, 2);
	assert_int_equal(stat.start_time, 21);
	assert_int_equal(stat.rss_pages, 345);
	assert_false(kcs_stat_is_dead(&stat));
	assert_int_equal(kcs_stat_parse("1 (a) Z 3 4 5 6 7 0 9 10 11 12 13 14 15 16 17 18 1 20 21 22 345 25",
					&stat), 0);
	assert_false(stat.kernel);
	assert_true(kcs_stat_is_dead(&stat));
}

static void pids_of_every_level(void **state)
{
	pid_t pids[KCS_PID_LEVELS];

	assert_int_equal(kcs_status_nspids("Name:\ta\nNStgid:\t7\nNSpid:\t4242\t17\t1\nNSpgid:\t5\n",
					   pids), 3);
	assert_int_equal(pids[0], 4242);
	assert_int_equal(pids[1], 17);
	assert_int_equal(pids[2], 1);
	assert_int_equal(kcs_status_nspids("Name:\ta\nNSpid:\t9\nNSpgid:\t5\n", pids), 1);
	assert_int_equal(pids[0], 9);
	assert_int_equal(kcs_status_nspids("Name:\tNSpid:\n", pids), -EINVAL);
	assert_int_equal(kcs_status_nspids("", pids), -EINVAL);
}

static void own_stat_parses(void **state)
{
	struct kcs_stat stat;
	char text[4096];
	FILE *file = fopen("/proc/self/stat", "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	assert_int_equal(kcs_stat_parse(text, &stat), 0);
	assert_string_equal(stat.comm, "tool_stat");
	assert_int_equal(stat.state, 'R');
	assert_true(stat.start_time > 0);
}

static void leader_is_the_tgid_line(void **state)
{
	assert_int_equal(kcs_status_tgid("Name:\tx\nUmask:\t0\nTgid:\t77\nPid:\t78\n"),
			 77);
	assert_int_equal(kcs_status_tgid("Name:\tTgid:\t5\nTgid:\t77\n"), 77);
	assert_int_equal(kcs_status_tgid("Name:\tx\n"), -EINVAL);
	assert_int_equal(kcs_status_tgid("Name:\tx\nTgid:\t0\n"), -EINVAL);
	assert_int_equal(kcs_status_tgid("Name:\tx\nTgid:\tnone\n"), -EINVAL);
	assert_int_equal(kcs_status_tgid(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_time_is_field_22),
		cmocka_unit_test(names_may_hold_anything),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(largest_start_time_fits),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(the_rest_is_where_proc_5_says),
		cmocka_unit_test(pids_of_every_level),
		cmocka_unit_test(own_stat_parses),
		cmocka_unit_test(leader_is_the_tgid_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
