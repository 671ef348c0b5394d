// SPDX-License-Identifier: GPL-2.0
#include "format.h"
#include "test.h"

static void bytes_have_binary_units(void **state)
{
	char buf[KCS_FORMAT_SIZE];

	assert_string_equal(kcs_format_bytes(buf, 0), "0 B");
	assert_string_equal(kcs_format_bytes(buf, 1023), "1023 B");
	assert_string_equal(kcs_format_bytes(buf, 1024), "1.0 KiB");
	assert_string_equal(kcs_format_bytes(buf, 1536), "1.5 KiB");
	assert_string_equal(kcs_format_bytes(buf, 5ULL << 30), "5.0 GiB");
	assert_string_equal(kcs_format_bytes(buf, UINT64_MAX), "16.0 EiB");
}

static void rounding_never_shows_the_next_unit(void **state)
{
	char buf[KCS_FORMAT_SIZE];

	assert_string_equal(kcs_format_bytes(buf, (1ULL << 20) - 1), "1.0 MiB");
	assert_string_equal(kcs_format_ns(buf, 999999), "1.0 ms");
}

static void times_have_decimal_units(void **state)
{
	char buf[KCS_FORMAT_SIZE];

	assert_string_equal(kcs_format_ns(buf, 0), "0 ns");
	assert_string_equal(kcs_format_ns(buf, 999), "999 ns");
	assert_string_equal(kcs_format_ns(buf, 3200000), "3.2 ms");
	assert_string_equal(kcs_format_ns(buf, 61ULL * 1000000000), "61.0 s");
}

static void rates_stand_no_time(void **state)
{
	char buf[KCS_FORMAT_SIZE];

	assert_string_equal(kcs_format_rate(buf, 1 << 20, 500000000),
			    "2.0 MiB/s");
	assert_string_equal(kcs_format_rate(buf, 0, 0), "0 B/s");
}

static void longest_texts_fit(void **state)
{
	char buf[KCS_FORMAT_SIZE];

	kcs_format_ns(buf, UINT64_MAX);
	assert_string_equal(buf, "18446744073.7 s");
	kcs_format_rate(buf, UINT64_MAX, 1);
	assert_string_equal(buf, "16000000000.0 EiB/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_binary_units),
		cmocka_unit_test(rounding_never_shows_the_next_unit),
		cmocka_unit_test(times_have_decimal_units),
		cmocka_unit_test(rates_stand_no_time),
		cmocka_unit_test(longest_texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
