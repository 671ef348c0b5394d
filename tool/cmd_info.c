// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include <linux/kcoresnap.h>

#include "cleanup.h"
#include "clock.h"
#include "cmd.h"
#include "format.h"
#include "json.h"
#include "parse.h"

static const char *const policies[] = {
	[KCORESNAP_POLICY_INIT_NS] =
		"CAP_SYS_PTRACE in the initial user namespace",
	[KCORESNAP_POLICY_TARGET_NS] =
		"CAP_SYS_PTRACE over the target's user namespace",
	[KCORESNAP_POLICY_PTRACE] = "whoever may ptrace the target",
};

static void print_modes(uint32_t modes)
{
	uint32_t mode;

	printf("modes           ");
	for (mode = 0; mode <= KCORESNAP_MODE_MAX; mode++)
		if (modes & (1U << mode))
			printf(" %s", kcs_mode_name(mode));
	printf("\n");
}

static void print_info(const struct kcs_info *info)
{
	char pause[KCS_FORMAT_SIZE];

	printf("tool version     %s\n", KCORESNAP_VERSION);
	printf("module version   %s\n", info->version);
	print_modes(info->modes);
	printf("longest pause    %s\n",
	       kcs_format_ns(pause, info->max_pause_us * NSEC_PER_USEC));
	printf("open snapshots   %" PRIu32 " of %" PRIu32 "\n", info->active,
	       info->max_snapshots);
	if (info->lifetime_s)
		printf("lifetime         %" PRIu32 " s\n", info->lifetime_s);
	else
		printf("lifetime         no limit\n");
	printf("policy           %" PRIu32 " (%s)\n", info->policy,
	       info->policy <= KCORESNAP_POLICY_MAX ? policies[info->policy] :
						      "unknown to this tool");
}

static enum kcs_exit print_json(const struct kcs_info *info)
{
	struct json_object *result = json_object_new_object();
	struct json_object *modes = json_object_new_array();
	uint32_t mode;

	for (mode = 0; mode <= KCORESNAP_MODE_MAX; mode++)
		if (info->modes & (1U << mode))
			json_object_array_add(modes,
					      kcs_json_text(kcs_mode_name(mode)));
	kcs_json_add_text(result, "tool_version", KCORESNAP_VERSION);
	kcs_json_add_text(result, "version", info->version);
	kcs_json_add(result, "modes", modes);
	kcs_json_add_u64(result, "max_snapshots", info->max_snapshots);
	kcs_json_add_u64(result, "active", info->active);
	kcs_json_add_u64(result, "max_pause_us", info->max_pause_us);
	kcs_json_add_u64(result, "policy", info->policy);
	kcs_json_add_u64(result, "lifetime_s", info->lifetime_s);
	return kcs_json_print(result, KCS_EXIT_OK);
}

enum kcs_exit kcs_cmd_info(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	struct kcs_info info;
	enum kcs_exit ret;

	ret = kcs_nl_open(&nl);
	if (!ret)
		ret = kcs_module_info(&nl, &info);
	if (ret)
		return ret;
	if (args->json)
		return print_json(&info);
	print_info(&info);
	return KCS_EXIT_OK;
}
