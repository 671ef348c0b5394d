// SPDX-License-Identifier: GPL-2.0
#include "cleanup.h"
#include "cmd.h"
#include "json.h"

static enum kcs_exit cancel(uint32_t id)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret = kcs_nl_open(&nl);

	return ret ? ret : kcs_module_cancel(&nl, id);
}

enum kcs_exit kcs_cmd_cancel(const struct kcs_args *args)
{
	enum kcs_exit ret = cancel(args->id);
	struct json_object *result;

	if (!args->json)
		return ret;
	result = json_object_new_object();
	kcs_json_add_u64(result, "id", args->id);
	return kcs_json_print(result, ret);
}
