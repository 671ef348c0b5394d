// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "exit.h"
#include "test.h"

static void errors_have_their_codes(void **state)
{
	assert_int_equal(kcs_exit_of_errno(ESRCH), 3);
	assert_int_equal(kcs_exit_of_errno(ENOENT), 3);
	assert_int_equal(kcs_exit_of_errno(EPERM), 4);
	assert_int_equal(kcs_exit_of_errno(EACCES), 4);
	assert_int_equal(kcs_exit_of_errno(EOPNOTSUPP), 5);
	assert_int_equal(kcs_exit_of_errno(ETIME), 5);
	assert_int_equal(kcs_exit_of_errno(ENOMEM), 5);
	assert_int_equal(kcs_exit_of_errno(EAGAIN), 5);
	assert_int_equal(kcs_exit_of_errno(EBUSY), 6);
	assert_int_equal(kcs_exit_of_errno(ENODEV), 7);
}

static void unknown_errors_are_unexpected(void **state)
{
	assert_int_equal(kcs_exit_of_errno(EINVAL), 1);
	assert_int_equal(kcs_exit_of_errno(EIO), 1);
	assert_int_equal(kcs_exit_of_errno(0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_their_codes),
		cmocka_unit_test(unknown_errors_are_unexpected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
