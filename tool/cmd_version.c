// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include <linux/kcoresnap.h>

#include "cleanup.h"
#include "cmd.h"

/* Asked when something does not fit, so a module that is absent is an answer. */
enum kcs_exit kcs_cmd_version(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	struct kcs_info info;
	enum kcs_exit ret;
	int err;

	(void)args;
	printf("kcoresnap %s\n", KCORESNAP_VERSION);
	err = kcs_nl_connect(&nl);
	if (err == -ENOENT) {
		printf("module not loaded\n");
		return KCS_EXIT_OK;
	}
	if (err)
		return kcs_nl_fail(&nl, err);
	ret = kcs_module_info(&nl, &info);
	if (!ret)
		printf("module %s\n", info.version);
	return ret;
}
