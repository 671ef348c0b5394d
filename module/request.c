// SPDX-License-Identifier: GPL-2.0
#include <linux/kcoresnap.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "refusal.h"
#include "request.h"

unsigned long kcs_max_pause_us = 250000;

u64 kcs_default_pause_us(void)
{
	return clamp_t(u64, READ_ONCE(kcs_max_pause_us), 1, KCORESNAP_MAX_PAUSE_US_LIMIT);
}

/*
 * Not by way of genl_ops: anybody may have CTRL_CMD_GETPOLICY dump those policies,
 * and not receive the end. That keeps the module loaded; older kernels hold none,
 * and read the policies of one that has gone (ctrl_dumppolicy_start(),
 * net/netlink/genetlink.c). Of a family without policies nothing is dumped.
 */
int kcs_parse(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack,
	      struct nlattr **attrs, int max, const struct nla_policy *policy)
{
	return genlmsg_parse(nlh, &kcs_family, attrs, max, policy, extack);
}

static u32 get_u32_or(struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static const struct nla_policy snapshot_policy[KCORESNAP_A_PIDS + 1] = {
	[KCORESNAP_A_PID] = { .type = NLA_U32 },
	[KCORESNAP_A_START_TIME] = { .type = NLA_U64 },
	[KCORESNAP_A_MODE] = { .type = NLA_U32 },
	[KCORESNAP_A_FILTER] = { .type = NLA_U32 },
	[KCORESNAP_A_MAX_PAUSE_US] = { .type = NLA_U64 },
	[KCORESNAP_A_ALLOW] = { .type = NLA_U32 },
	[KCORESNAP_A_DRY_RUN] = { .type = NLA_FLAG },
	[KCORESNAP_A_STREAM] = { .type = NLA_FLAG },
	[KCORESNAP_A_PIDS] = { .type = NLA_U32 },
};

static int parse_attrs(struct kcs_request *req, const struct genl_info *info,
		       struct kcs_refusal *why)
{
	struct nlattr *attrs[ARRAY_SIZE(snapshot_policy)];
	u64 pause_us = kcs_default_pause_us();
	int err;

	err = kcs_parse(info->nlhdr, info->extack, attrs, ARRAY_SIZE(attrs) - 1, snapshot_policy);
	if (err)
		return err;
	if (!attrs[KCORESNAP_A_PID])
		return kcs_refuse(why, EINVAL,
				  "the request names no process: give attribute KCORESNAP_A_PID");
	req->pid = nla_get_u32(attrs[KCORESNAP_A_PID]);
	if (attrs[KCORESNAP_A_START_TIME]) {
		req->has_start_time = true;
		req->start_time = nla_get_u64(attrs[KCORESNAP_A_START_TIME]);
	}
	req->mode = get_u32_or(attrs[KCORESNAP_A_MODE], KCORESNAP_MODE_AUTO);
	if (req->mode > KCORESNAP_MODE_MAX)
		return kcs_refuse(why, EOPNOTSUPP,
				  "this version of the module has no mode %u: ask INFO which it has",
				  req->mode);
	/* Never a long stop, nor inexact memory, that nobody asked for. */
	if (req->mode == KCORESNAP_MODE_AUTO)
		req->mode = KCORESNAP_MODE_COW;
	if (attrs[KCORESNAP_A_FILTER]) {
		req->has_filter = true;
		req->filter = nla_get_u32(attrs[KCORESNAP_A_FILTER]);
	}
	req->allow = get_u32_or(attrs[KCORESNAP_A_ALLOW], 0);
	if (req->allow & ~KCORESNAP_ALLOW_ALL)
		return kcs_refuse(why, EINVAL,
				  "this version of the module knows no risks %#x to allow: leave them out",
				  req->allow & ~KCORESNAP_ALLOW_ALL);
	if (attrs[KCORESNAP_A_MAX_PAUSE_US])
		pause_us = nla_get_u64(attrs[KCORESNAP_A_MAX_PAUSE_US]);
	if (pause_us < 1 || pause_us > KCORESNAP_MAX_PAUSE_US_LIMIT)
		return kcs_refuse(why, ERANGE,
				  "a pause bound of %llu us is out of range: give 1 us to 60 s",
				  pause_us);
	req->max_pause_ns = pause_us * NSEC_PER_USEC;
	req->dry_run = nla_get_flag(attrs[KCORESNAP_A_DRY_RUN]);
	req->stream = nla_get_flag(attrs[KCORESNAP_A_STREAM]);
	req->pids = get_u32_or(attrs[KCORESNAP_A_PIDS], KCORESNAP_PIDS_TARGET);
	if (req->pids > KCORESNAP_PIDS_MAX)
		return kcs_refuse(why, EINVAL,
				  "KCORESNAP_A_PIDS is %u, and this version of the module knows no such pids for the notes: ask for the target's (0) or the caller's (1)",
				  req->pids);
	return 0;
}

static int check_caller(const struct sk_buff *skb, const struct genl_info *info,
			struct kcs_refusal *why)
{
	/*
	 * Up to v5.11 a thread of io_uring's is a kernel thread: the descriptor
	 * would be all kernel threads', and nobody would ever close it.
	 */
	if (current->flags & PF_KTHREAD)
		return kcs_refuse(why, EOPNOTSUPP,
				  "the request was sent by a kernel thread, which can't be given a descriptor: send it by sendmsg, not by io_uring");
	/* Generic netlink's lock is held until the last request of a datagram is done. */
	if (skb->len > NLMSG_ALIGN(info->nlhdr->nlmsg_len))
		return kcs_refuse(why, EINVAL,
				  "another request comes behind this one in the same datagram: send each in its own");
	if (fatal_signal_pending(current))
		return kcs_refuse_killed(why);
	return 0;
}

int kcs_request_parse(struct kcs_request *req, struct sk_buff *skb,
		      const struct genl_info *info, struct kcs_refusal *why)
{
	*req = (struct kcs_request) { .skb = skb };
	return check_caller(skb, info, why) ?: parse_attrs(req, info, why);
}
