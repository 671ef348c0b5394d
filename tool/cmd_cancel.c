// SPDX-License-Identifier: GPL-2.0
#include "cleanup.h"
#include "cmd.h"

enum kcs_exit kcs_cmd_cancel(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret = kcs_nl_open(&nl);

	return ret ? ret : kcs_module_cancel(&nl, args->id);
}
