// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <linux/kcoresnap.h>

#include "parse.h"
#include "test.h"

static void pids_are_positive(void **state)
{
	pid_t pid = -7;

	assert_int_equal(kcs_parse_pid("1", &pid), 0);
	assert_int_equal(pid, 1);
	assert_int_equal(kcs_parse_pid("2147483647", &pid), 0);
	assert_int_equal(pid, INT32_MAX);
	assert_int_equal(kcs_parse_pid("0", &pid), -ERANGE);
	assert_int_equal(kcs_parse_pid("2147483648", &pid), -ERANGE);
	assert_int_equal(kcs_parse_pid("99999999999999999999999", &pid),
			 -ERANGE);
	assert_int_equal(kcs_parse_pid("", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid("-1", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid("+1", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid(" 1", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid("1 ", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid("0x1", &pid), -EINVAL);
	assert_int_equal(kcs_parse_pid("12a", &pid), -EINVAL);
	assert_int_equal(pid, INT32_MAX);
}

static void ids_have_32_bits(void **state)
{
	uint32_t id = 0;

	assert_int_equal(kcs_parse_id("4294967295", &id), 0);
	assert_true(id == UINT32_MAX);
	assert_int_equal(kcs_parse_id("4294967296", &id), -ERANGE);
	assert_int_equal(kcs_parse_id("a", &id), -EINVAL);
}

static void masks_are_hexadecimal(void **state)
{
	uint32_t mask = 0;

	assert_int_equal(kcs_parse_mask("00000033", &mask), 0);
	assert_int_equal(mask, 0x33);
	assert_int_equal(kcs_parse_mask("0x1fF", &mask), 0);
	assert_int_equal(mask, 0x1ff);
	assert_int_equal(kcs_parse_mask("0", &mask), 0);
	assert_int_equal(mask, 0);
	assert_int_equal(kcs_parse_mask("100000000", &mask), -ERANGE);
	assert_int_equal(kcs_parse_mask("0x", &mask), -EINVAL);
	assert_int_equal(kcs_parse_mask("", &mask), -EINVAL);
	assert_int_equal(kcs_parse_mask("0x0x1", &mask), -EINVAL);
	assert_int_equal(kcs_parse_mask("anon", &mask), -EINVAL);
}

static void times_need_a_unit(void **state)
{
	uint64_t us = 5;

	assert_int_equal(kcs_parse_time_us("200us", &us), 0);
	assert_int_equal(us, 200);
	assert_int_equal(kcs_parse_time_us("50ms", &us), 0);
	assert_int_equal(us, 50000);
	assert_int_equal(kcs_parse_time_us("1s", &us), 0);
	assert_int_equal(us, 1000000);
	assert_int_equal(kcs_parse_time_us("50", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("50 ms", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("ms", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("-1ms", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("1m", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("1sec", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("1ns", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("", &us), -EINVAL);
}

static void times_may_have_a_fraction(void **state)
{
	uint64_t us = 5;

	assert_int_equal(kcs_parse_time_us("1.5ms", &us), 0);
	assert_int_equal(us, 1500);
	assert_int_equal(kcs_parse_time_us("0.000001s", &us), 0);
	assert_int_equal(us, 1);
	assert_int_equal(kcs_parse_time_us("0.0000019s", &us), 0);
	assert_int_equal(us, 1);
	assert_int_equal(kcs_parse_time_us("2.9us", &us), 0);
	assert_int_equal(us, 2);
	assert_int_equal(kcs_parse_time_us("1.ms", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us(".5ms", &us), -EINVAL);
	assert_int_equal(kcs_parse_time_us("1.5.5ms", &us), -EINVAL);
}

static void times_do_not_wrap(void **state)
{
	uint64_t us = 5;

	assert_int_equal(kcs_parse_time_us("18446744073709551615us", &us), 0);
	assert_true(us == UINT64_MAX);
	assert_int_equal(kcs_parse_time_us("18446744073709551616us", &us),
			 -ERANGE);
	assert_int_equal(kcs_parse_time_us("18446744073709551615ms", &us),
			 -ERANGE);
	assert_int_equal(kcs_parse_time_us("18446744073709.9s", &us), -ERANGE);
}

static void modes_have_names(void **state)
{
	uint32_t mode = 99;

	assert_int_equal(kcs_parse_mode("auto", &mode), 0);
	assert_int_equal(mode, KCORESNAP_MODE_AUTO);
	assert_int_equal(kcs_parse_mode("cow", &mode), 0);
	assert_int_equal(mode, KCORESNAP_MODE_COW);
	assert_int_equal(kcs_parse_mode("1", &mode), -EINVAL);
	assert_int_equal(kcs_parse_mode("", &mode), -EINVAL);
	assert_int_equal(kcs_parse_mode("COW", &mode), -EINVAL);
}

static void every_mode_has_a_name(void **state)
{
	uint32_t mode, again = 0;

	for (mode = 0; mode <= KCORESNAP_MODE_MAX; mode++) {
		assert_int_equal(kcs_parse_mode(kcs_mode_name(mode), &again), 0);
		assert_int_equal(again, mode);
	}
	assert_string_equal(kcs_mode_name(mode), "?");
}

static void allowances_are_a_list(void **state)
{
	uint32_t allow = 99;

	assert_int_equal(kcs_parse_allow("mlocked", &allow), 0);
	assert_int_equal(allow, KCORESNAP_ALLOW_MLOCKED);
	assert_int_equal(kcs_parse_allow("realtime,mlocked", &allow), 0);
	assert_int_equal(allow, KCORESNAP_ALLOW_ALL);
	assert_int_equal(kcs_parse_allow("realtime,realtime", &allow), 0);
	assert_int_equal(allow, KCORESNAP_ALLOW_REALTIME);
	assert_int_equal(kcs_parse_allow("", &allow), -EINVAL);
	assert_int_equal(kcs_parse_allow("mlocked,", &allow), -EINVAL);
	assert_int_equal(kcs_parse_allow(",mlocked", &allow), -EINVAL);
	assert_int_equal(kcs_parse_allow("mlock", &allow), -EINVAL);
	assert_int_equal(kcs_parse_allow("mlocked realtime", &allow), -EINVAL);
}

static void size_is(const char *text, uint64_t want)
{
	uint64_t size = 0;

	assert_int_equal(kcs_parse_size(text, &size), 0);
	assert_int_equal(size, want);
}

static void sizes_have_units(void **state)
{
	uint64_t size;

	size_is("0", 0);
	size_is("1000", 1000);
	size_is("1K", 1024);
	size_is("64MiB", 64 << 20);
	size_is("1.5G", 3ULL << 29);
	size_is("0.1K", 102);
	size_is("2T", 2ULL << 40);
	size_is("1P", 1ULL << 50);
	size_is("15E", 15ULL << 60);
	size_is("1.9999999999999K", 2047);
	assert_int_equal(kcs_parse_size("16E", &size), -ERANGE);
	assert_int_equal(kcs_parse_size("15.999999E", &size), 0);
	assert_int_equal(kcs_parse_size("99999999999999999999", &size), -ERANGE);
	assert_int_equal(kcs_parse_size("", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("M", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("1.5", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("1.M", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("1 M", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("1MB", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("1m", &size), -EINVAL);
	assert_int_equal(kcs_parse_size("-1M", &size), -EINVAL);
}

static void rates_are_per_second(void **state)
{
	uint64_t rate;

	assert_int_equal(kcs_parse_rate("100M/s", &rate), 0);
	assert_int_equal(rate, 100 << 20);
	assert_int_equal(kcs_parse_rate("1/s", &rate), 0);
	assert_int_equal(rate, 1);
	assert_int_equal(kcs_parse_rate("0/s", &rate), -ERANGE);
	assert_int_equal(kcs_parse_rate("100M", &rate), -EINVAL);
	assert_int_equal(kcs_parse_rate("100M/", &rate), -EINVAL);
	assert_int_equal(kcs_parse_rate("100M/min", &rate), -EINVAL);
	assert_int_equal(kcs_parse_rate("/s", &rate), -EINVAL);
}

static void long_times_have_units(void **state)
{
	uint64_t us;

	assert_int_equal(kcs_parse_time_us("5min", &us), 0);
	assert_int_equal(us, 300000000);
	assert_int_equal(kcs_parse_time_us("1.5h", &us), 0);
	assert_int_equal(us, 5400000000);
	assert_int_equal(kcs_parse_time_us("1d", &us), -EINVAL);
}

static void moments_have_names(void **state)
{
	enum kcs_when when;

	assert_int_equal(kcs_parse_when("auto", &when), 0);
	assert_int_equal(when, KCS_WHEN_AUTO);
	assert_int_equal(kcs_parse_when("always", &when), 0);
	assert_int_equal(when, KCS_WHEN_ALWAYS);
	assert_int_equal(kcs_parse_when("never", &when), 0);
	assert_int_equal(when, KCS_WHEN_NEVER);
	assert_int_equal(kcs_parse_when("", &when), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(rates_are_per_second),
		cmocka_unit_test(long_times_have_units),
		cmocka_unit_test(moments_have_names),
		cmocka_unit_test(pids_are_positive),
		cmocka_unit_test(ids_have_32_bits),
		cmocka_unit_test(masks_are_hexadecimal),
		cmocka_unit_test(times_need_a_unit),
		cmocka_unit_test(times_may_have_a_fraction),
		cmocka_unit_test(times_do_not_wrap),
		cmocka_unit_test(modes_have_names),
		cmocka_unit_test(every_mode_has_a_name),
		cmocka_unit_test(allowances_are_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
