// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/kcoresnap.h>

#include "module.h"
#include "say.h"

static void take_info(struct nlattr **attrs, void *arg)
{
	struct kcs_info *info = arg;

	snprintf(info->version, sizeof(info->version), "%s",
		 kcs_nl_string(attrs, KCORESNAP_A_VERSION));
	kcs_printable(info->version);
	info->modes = kcs_nl_u32(attrs, KCORESNAP_A_MODES);
	info->max_snapshots = kcs_nl_u32(attrs, KCORESNAP_A_MAX_SNAPSHOTS);
	info->active = kcs_nl_u32(attrs, KCORESNAP_A_ACTIVE);
	info->max_pause_us = kcs_nl_u64(attrs, KCORESNAP_A_MAX_PAUSE_US);
	info->policy = kcs_nl_u32(attrs, KCORESNAP_A_POLICY);
	info->lifetime_s = kcs_nl_u32(attrs, KCORESNAP_A_LIFETIME_S);
}

enum kcs_exit kcs_module_info(struct kcs_nl *nl, struct kcs_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	ret = kcs_nl_call(nl, kcs_nl_request(nl, KCORESNAP_CMD_INFO, false),
			  take_info, info);
	return ret ? kcs_nl_fail(nl, ret) : KCS_EXIT_OK;
}

enum kcs_exit kcs_module_check(struct kcs_nl *nl)
{
	struct kcs_info info;
	enum kcs_exit ret = kcs_module_info(nl, &info);

	if (ret)
		return ret;
	if (!strcmp(info.version, KCORESNAP_VERSION))
		return KCS_EXIT_OK;
	kcs_say("the loaded module is of version %s, this tool of version %s: run 'rmmod kcoresnap; modprobe kcoresnap' as root, or install the tool that came with the module",
		info.version, KCORESNAP_VERSION);
	return KCS_EXIT_MODULE;
}

static void take_taken(struct nlattr **attrs, void *arg)
{
	struct kcs_taken *taken = arg;

	if (attrs[KCORESNAP_A_FD])
		taken->fd = (int)kcs_nl_u32(attrs, KCORESNAP_A_FD);
	taken->id = kcs_nl_u32(attrs, KCORESNAP_A_ID);
	taken->mode = kcs_nl_u32(attrs, KCORESNAP_A_MODE);
	taken->size = kcs_nl_u64(attrs, KCORESNAP_A_SIZE);
	taken->data_bytes = kcs_nl_u64(attrs, KCORESNAP_A_DATA_BYTES);
	taken->inexact_bound = kcs_nl_u64(attrs, KCORESNAP_A_INEXACT_BOUND);
	taken->segments = kcs_nl_u32(attrs, KCORESNAP_A_SEGMENTS);
	taken->park_ns = kcs_nl_u64(attrs, KCORESNAP_A_PARK_NS);
	taken->regs_ns = kcs_nl_u64(attrs, KCORESNAP_A_REGS_NS);
	taken->clone_ns = kcs_nl_u64(attrs, KCORESNAP_A_CLONE_NS);
	taken->threads = kcs_nl_u32(attrs, KCORESNAP_A_THREADS);
	taken->inexact_threads = kcs_nl_u32(attrs, KCORESNAP_A_INEXACT_THREADS);
	taken->pause_ns = kcs_nl_u64(attrs, KCORESNAP_A_PAUSE_NS);
	taken->predicted_ns = kcs_nl_u64(attrs, KCORESNAP_A_PREDICTED_NS);
	taken->growth_bound = kcs_nl_u64(attrs, KCORESNAP_A_GROWTH_BOUND);
	snprintf(taken->refusal, sizeof(taken->refusal), "%s",
		 kcs_nl_string(attrs, KCORESNAP_A_REFUSAL));
	kcs_printable(taken->refusal);
	taken->err = (int)kcs_nl_u32(attrs, KCORESNAP_A_ERRNO);
}

static int put_wish(struct nl_msg *msg, const struct kcs_target *target,
		    const struct kcs_wish *wish, bool dry_run)
{
	int ret;

	ret = nla_put_u32(msg, KCORESNAP_A_PID, target->pid);
	ret |= nla_put_u64(msg, KCORESNAP_A_START_TIME,
			   target->leader.start_time);
	ret |= nla_put_u32(msg, KCORESNAP_A_MODE, wish->mode);
	if (wish->has_filter)
		ret |= nla_put_u32(msg, KCORESNAP_A_FILTER, wish->filter);
	if (wish->max_pause_us)
		ret |= nla_put_u64(msg, KCORESNAP_A_MAX_PAUSE_US,
				   wish->max_pause_us);
	if (wish->allow)
		ret |= nla_put_u32(msg, KCORESNAP_A_ALLOW, wish->allow);
	if (wish->pids != KCORESNAP_PIDS_TARGET)
		ret |= nla_put_u32(msg, KCORESNAP_A_PIDS, wish->pids);
	if (dry_run)
		ret |= nla_put_flag(msg, KCORESNAP_A_DRY_RUN);
	/* The core is copied from front to back. */
	ret |= nla_put_flag(msg, KCORESNAP_A_STREAM);
	return ret;
}

static int ask(struct kcs_nl *nl, const struct kcs_target *target,
	       const struct kcs_wish *wish, bool dry_run, struct kcs_taken *taken)
{
	struct nl_msg *msg = kcs_nl_request(nl, KCORESNAP_CMD_SNAPSHOT, false);

	memset(taken, 0, sizeof(*taken));
	taken->fd = -1;
	if (msg && put_wish(msg, target, wish, dry_run)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return kcs_nl_call(nl, msg, take_taken, taken);
}

enum kcs_exit kcs_module_take(struct kcs_nl *nl, const struct kcs_target *target,
			      const struct kcs_wish *wish,
			      struct kcs_taken *taken)
{
	int ret = ask(nl, target, wish, wish->dry_run, taken);

	if (ret)
		return kcs_nl_fail(nl, ret);
	if (taken->fd < 0 && !wish->dry_run) {
		kcs_say("the module answered without a core: install tool and module of the same version");
		return KCS_EXIT_MODULE;
	}
	return KCS_EXIT_OK;
}

int kcs_module_predict(struct kcs_nl *nl, const struct kcs_target *target,
		       const struct kcs_wish *wish, struct kcs_taken *taken)
{
	return ask(nl, target, wish, true, taken);
}

struct each {
	kcs_entry_fn *fn;
	void *arg;
};

void kcs_module_entry(struct nlattr **attrs, struct kcs_entry *entry)
{
	*entry = (struct kcs_entry){
		.id = kcs_nl_u32(attrs, KCORESNAP_A_ID),
		.pid = kcs_nl_u32(attrs, KCORESNAP_A_PID),
		.uid = kcs_nl_u32(attrs, KCORESNAP_A_UID),
		.mode = kcs_nl_u32(attrs, KCORESNAP_A_MODE),
		.threads = kcs_nl_u32(attrs, KCORESNAP_A_THREADS),
		.size = kcs_nl_u64(attrs, KCORESNAP_A_SIZE),
		.data_bytes = kcs_nl_u64(attrs, KCORESNAP_A_DATA_BYTES),
		.pause_ns = kcs_nl_u64(attrs, KCORESNAP_A_PAUSE_NS),
		.age_ns = kcs_nl_u64(attrs, KCORESNAP_A_AGE_NS),
		.read_bytes = kcs_nl_u64(attrs, KCORESNAP_A_READ_BYTES),
		.inexact_bytes = kcs_nl_u64(attrs, KCORESNAP_A_INEXACT_BYTES),
		.missed_bytes = kcs_nl_u64(attrs, KCORESNAP_A_MISSED_BYTES),
		.lost_bytes = kcs_nl_u64(attrs, KCORESNAP_A_LOST_BYTES),
		.dropped = kcs_nl_u32(attrs, KCORESNAP_A_DROPPED),
	};

	snprintf(entry->comm, sizeof(entry->comm), "%s",
		 kcs_nl_string(attrs, KCORESNAP_A_COMM));
	kcs_printable(entry->comm);
}

static void take_entry(struct nlattr **attrs, void *arg)
{
	const struct each *each = arg;
	struct kcs_entry entry;

	kcs_module_entry(attrs, &entry);
	each->fn(&entry, each->arg);
}

int kcs_module_list(struct kcs_nl *nl, kcs_entry_fn *fn, void *arg)
{
	struct each each = { .fn = fn, .arg = arg };

	return kcs_nl_call(nl, kcs_nl_request(nl, KCORESNAP_CMD_LIST, true),
			   take_entry, &each);
}

enum kcs_exit kcs_module_cancel(struct kcs_nl *nl, uint32_t id)
{
	struct nl_msg *msg = kcs_nl_request(nl, KCORESNAP_CMD_CANCEL, false);
	int ret;

	if (msg && nla_put_u32(msg, KCORESNAP_A_ID, id)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = kcs_nl_call(nl, msg, NULL, NULL);
	return ret ? kcs_nl_fail(nl, ret) : KCS_EXIT_OK;
}
