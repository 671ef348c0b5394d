// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kcoresnap.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "event.h"
#include "file.h"
#include "ksym.h"
#include "netlink.h"
#include "refusal.h"
#include "request.h"
#include "snapshot.h"
#include "target.h"
#include "watch.h"

/*
 * The core would send the acknowledgement after the handler returned, when a
 * sentence on its stack is gone. So send it from here; -EINTR makes
 * netlink_rcv_skb() send none of its own.
 */
static int reply_refusal(struct sk_buff *skb, const struct nlmsghdr *nlh,
			 const struct kcs_refusal *why)
{
	struct netlink_ext_ack extack = { ._msg = why->msg };

	netlink_ack(skb, (struct nlmsghdr *)nlh, -why->err, &extack);
	return -EINTR;
}

int kcs_put_u64(struct sk_buff *msg, int attr, u64 value)
{
	return nla_put_u64_64bit(msg, attr, value, KCORESNAP_A_PAD);
}

static struct sk_buff *new_reply(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &kcs_family, 0, info->genlhdr->cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int do_info(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = kcs_parse(info->nlhdr, info->extack, NULL, 0, NULL);
	if (err)
		return err;
	msg = new_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	if (nla_put_string(msg, KCORESNAP_A_VERSION, KCORESNAP_VERSION) ||
	    nla_put_u32(msg, KCORESNAP_A_MODES, BIT(KCORESNAP_MODE_AUTO) |
						BIT(KCORESNAP_MODE_COW) |
						BIT(KCORESNAP_MODE_STOP) |
						BIT(KCORESNAP_MODE_LIVE)) ||
	    nla_put_u32(msg, KCORESNAP_A_MAX_SNAPSHOTS, READ_ONCE(kcs_max_snapshots)) ||
	    nla_put_u32(msg, KCORESNAP_A_ACTIVE, kcs_snapshot_count()) ||
	    kcs_put_u64(msg, KCORESNAP_A_MAX_PAUSE_US, kcs_default_pause_us()) ||
	    nla_put_u32(msg, KCORESNAP_A_POLICY, READ_ONCE(kcs_policy)) ||
	    nla_put_u32(msg, KCORESNAP_A_LIFETIME_S, READ_ONCE(kcs_lifetime_s))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int kcs_put_identity(struct sk_buff *msg, const struct kcs_snapshot *snap,
		     struct pid_namespace *pid_ns, struct user_namespace *user_ns)
{
	return nla_put_u32(msg, KCORESNAP_A_ID, snap->id) ||
	       nla_put_u32(msg, KCORESNAP_A_PID, pid_nr_ns(snap->pid, pid_ns)) ||
	       nla_put_string(msg, KCORESNAP_A_COMM, snap->comm) ||
	       nla_put_u32(msg, KCORESNAP_A_UID, from_kuid_munged(user_ns, snap->uid));
}

int kcs_put_counts(struct sk_buff *msg, const struct kcs_snapshot *snap)
{
	return kcs_put_u64(msg, KCORESNAP_A_READ_BYTES, atomic64_read(&snap->read_bytes)) ||
	       kcs_put_u64(msg, KCORESNAP_A_INEXACT_BYTES,
			   atomic64_read(&snap->inexact_bytes)) ||
	       kcs_put_u64(msg, KCORESNAP_A_MISSED_BYTES,
			   atomic64_read(&snap->missed_bytes)) ||
	       kcs_put_u64(msg, KCORESNAP_A_LOST_BYTES, atomic64_read(&snap->lost_bytes)) ||
	       nla_put_u32(msg, KCORESNAP_A_DROPPED, READ_ONCE(snap->dropped));
}

static int reply_dry_run(struct genl_info *info, const struct kcs_request *req,
			 const struct kcs_forecast *forecast,
			 const struct kcs_refusal *why)
{
	struct sk_buff *msg;
	void *hdr;

	msg = new_reply(info, &hdr);
	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, KCORESNAP_A_MODE, req->mode) ||
	    nla_put_u32(msg, KCORESNAP_A_THREADS, forecast->threads) ||
	    kcs_put_u64(msg, KCORESNAP_A_PREDICTED_NS, forecast->pause_ns) ||
	    kcs_put_u64(msg, KCORESNAP_A_GROWTH_BOUND, forecast->growth) ||
	    kcs_put_u64(msg, KCORESNAP_A_DATA_BYTES, forecast->data))
		goto free;
	if (why->err && (nla_put_string(msg, KCORESNAP_A_REFUSAL, why->msg) ||
			 nla_put_s32(msg, KCORESNAP_A_ERRNO, why->err)))
		goto free;
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);

free:
	nlmsg_free(msg);
	return -EMSGSIZE;
}

static int put_result(struct sk_buff *msg, const struct kcs_snapshot *snap, int fd)
{
	const struct kcs_figures *f = &snap->figures;

	return nla_put_s32(msg, KCORESNAP_A_FD, fd) ||
	       nla_put_u32(msg, KCORESNAP_A_ID, snap->id) ||
	       nla_put_u32(msg, KCORESNAP_A_PID, pid_vnr(snap->pid)) ||
	       nla_put_u32(msg, KCORESNAP_A_NS_PID, kcs_snapshot_ns_pid(snap)) ||
	       kcs_put_u64(msg, KCORESNAP_A_TIME_NS, snap->time_ns) ||
	       nla_put_u32(msg, KCORESNAP_A_MODE, snap->mode) ||
	       kcs_put_u64(msg, KCORESNAP_A_SIZE, snap->layout.size) ||
	       kcs_put_u64(msg, KCORESNAP_A_DATA_BYTES, f->data_bytes) ||
	       kcs_put_u64(msg, KCORESNAP_A_INEXACT_BOUND, f->inexact_bound) ||
	       nla_put_u32(msg, KCORESNAP_A_THREADS, f->threads) ||
	       nla_put_u32(msg, KCORESNAP_A_INEXACT_THREADS, f->inexact_threads) ||
	       nla_put_u32(msg, KCORESNAP_A_SEGMENTS, snap->layout.nsegs) ||
	       kcs_put_u64(msg, KCORESNAP_A_PAUSE_NS, kcs_snapshot_pause_ns(snap)) ||
	       kcs_put_u64(msg, KCORESNAP_A_PARK_NS, f->park_ns) ||
	       kcs_put_u64(msg, KCORESNAP_A_REGS_NS, f->regs_ns) ||
	       kcs_put_u64(msg, KCORESNAP_A_CLONE_NS, f->clone_ns) ||
	       kcs_put_u64(msg, KCORESNAP_A_PREDICTED_NS, snap->forecast.pause_ns) ||
	       kcs_put_u64(msg, KCORESNAP_A_GROWTH_BOUND, snap->forecast.growth);
}

/* The descriptor appears only once the reply that names it was queued. */
static int hand_over(struct genl_info *info, struct kcs_snapshot *snap)
{
	struct sk_buff *msg = NULL;
	struct file *file;
	void *hdr;
	int fd, err;

	file = kcs_file_create(snap);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = fd;
		goto put_file;
	}
	err = -ENOMEM;
	msg = new_reply(info, &hdr);
	if (!msg)
		goto put_fd;
	err = -EMSGSIZE;
	if (put_result(msg, snap, fd))
		goto free_msg;
	genlmsg_end(msg, hdr);
	kcs_event_taken(snap);
	err = genlmsg_reply(msg, info);
	if (err)
		goto put_fd;
	fd_install(fd, file);
	return 0;

free_msg:
	nlmsg_free(msg);
put_fd:
	put_unused_fd(fd);
put_file:
	fput(file);
	return err;
}

static void log_taken(const struct kcs_snapshot *snap)
{
	pr_info("snapshot %u of %s (pid %d) for uid %u: %u threads, pause %llu us of at most %llu us%s\n",
		snap->id, snap->comm, pid_nr(snap->pid),
		from_kuid_munged(&init_user_ns, snap->uid), snap->figures.threads,
		div_u64(kcs_snapshot_pause_ns(snap), NSEC_PER_USEC),
		div_u64(snap->max_pause_ns, NSEC_PER_USEC),
		snap->mode == KCORESNAP_MODE_STOP ? ", still held" : "");
}

static int snapshot_for(struct kcs_request *req, struct sk_buff *skb,
			struct genl_info *info, struct kcs_refusal *why)
{
	struct kcs_forecast forecast = {};
	struct kcs_snapshot *snap;
	int err;

	snap = kcs_snapshot_take(req, &forecast, why);
	if (req->dry_run && (!why->err || forecast.threads))
		return reply_dry_run(info, req, &forecast, why);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	log_taken(snap);
	err = hand_over(info, snap);
	if (err == -EMFILE)
		return kcs_refuse(why, -err,
				  "the caller has no file descriptor left for the snapshot: raise its limit (ulimit -n)");
	if (err == -ENFILE)
		return kcs_refuse(why, -err,
				  "the machine has as many files open as it allows: raise fs.file-max");
	return err ? kcs_refuse(why, -err, "the reply could not be delivered (error %d): try again",
				-err) : 0;
}

/* Who may not snapshot uses up no room in the log of those who may. */
static void report_refusal(const struct kcs_request *req, const struct kcs_refusal *why)
{
	kcs_event_failed(req, why);
	if (why->err == EPERM)
		pr_info_ratelimited("snapshot of pid %d refused to uid %u: %s\n", req->pid,
				    from_kuid_munged(&init_user_ns, current_uid()),
				    why->msg);
	else
		pr_info_ratelimited("snapshot of pid %d refused: %s\n", req->pid,
				    why->msg);
}

static int do_snapshot(struct sk_buff *skb, struct genl_info *info)
{
	struct kcs_refusal why = {};
	struct kcs_request req;
	int err;

	/* From here until the file holds the module itself. */
	if (!try_module_get(THIS_MODULE)) {
		kcs_refuse(&why, ENODEV, "the module is being unloaded: load it again");
		return reply_refusal(skb, info->nlhdr, &why);
	}
	err = kcs_request_parse(&req, skb, info, &why);
	if (!err) {
		err = snapshot_for(&req, skb, info, &why);
		if (why.err && !req.dry_run)
			report_refusal(&req, &why);
	}
	module_put(THIS_MODULE);
	return err && why.err ? reply_refusal(skb, info->nlhdr, &why) : err;
}

static int list_one(struct sk_buff *msg, struct netlink_callback *cb,
		    const struct kcs_snapshot *snap)
{
	void *hdr = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&kcs_family, NLM_F_MULTI, KCORESNAP_CMD_LIST);

	if (!hdr)
		return -EMSGSIZE;
	if (kcs_put_identity(msg, snap, task_active_pid_ns(current), current_user_ns()) ||
	    nla_put_u32(msg, KCORESNAP_A_MODE, snap->mode) ||
	    kcs_put_u64(msg, KCORESNAP_A_SIZE, snap->layout.size) ||
	    kcs_put_u64(msg, KCORESNAP_A_DATA_BYTES, snap->figures.data_bytes) ||
	    nla_put_u32(msg, KCORESNAP_A_THREADS, snap->figures.threads) ||
	    kcs_put_u64(msg, KCORESNAP_A_PAUSE_NS, kcs_snapshot_pause_ns(snap)) ||
	    kcs_put_u64(msg, KCORESNAP_A_AGE_NS, ktime_get_boottime_ns() - snap->taken_ns) ||
	    kcs_put_counts(msg, snap)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

static int start_list(struct netlink_callback *cb)
{
	struct kcs_refusal why = {};

	if (!kcs_parse(cb->nlh, NULL, NULL, 0, NULL))
		return 0;
	kcs_refuse(&why, EINVAL, "KCORESNAP_CMD_LIST takes no attributes: leave them out");
	return reply_refusal(cb->skb, cb->nlh, &why);
}

/* Ids only grow, so the last one listed says where to go on. */
static int dump_list(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct kcs_snapshot *snap;

	mutex_lock(&kcs_snapshots_lock);
	list_for_each_entry(snap, &kcs_snapshots, node) {
		if (snap->id <= cb->args[0] || !kcs_may_manage(cb->skb, snap->uid, snap->pid))
			continue;
		if (list_one(msg, cb, snap))
			break;
		cb->args[0] = snap->id;
	}
	mutex_unlock(&kcs_snapshots_lock);
	return msg->len;
}

static int cancel_by_id(u32 id, struct sk_buff *skb)
{
	struct kcs_snapshot *snap;
	int err = -ENOENT;

	mutex_lock(&kcs_snapshots_lock);
	list_for_each_entry(snap, &kcs_snapshots, node) {
		if (snap->id != id || !kcs_may_manage(skb, snap->uid, snap->pid))
			continue;
		kcs_snapshot_drop(snap, ECANCELED);
		err = 0;
		break;
	}
	mutex_unlock(&kcs_snapshots_lock);
	return err;
}

static const struct nla_policy cancel_policy[KCORESNAP_A_ID + 1] = {
	[KCORESNAP_A_ID] = { .type = NLA_U32 },
};

static int do_cancel(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(cancel_policy)];
	struct kcs_refusal why = {};
	int err;
	u32 id;

	err = kcs_parse(info->nlhdr, info->extack, attrs, ARRAY_SIZE(attrs) - 1, cancel_policy);
	if (err)
		return err;
	if (!attrs[KCORESNAP_A_ID]) {
		kcs_refuse(&why, EINVAL,
			   "the request names no snapshot: give attribute KCORESNAP_A_ID");
		return reply_refusal(skb, info->nlhdr, &why);
	}
	id = nla_get_u32(attrs[KCORESNAP_A_ID]);
	if (!cancel_by_id(id, skb))
		return 0;
	kcs_refuse(&why, ENOENT,
		   "there is no snapshot %u of the caller's: see which are open with 'kcoresnap list'",
		   id);
	return reply_refusal(skb, info->nlhdr, &why);
}

static const struct genl_ops ops[] = {
	{
		.cmd = KCORESNAP_CMD_INFO,
		.doit = do_info,
	}, {
		.cmd = KCORESNAP_CMD_SNAPSHOT,
		.doit = do_snapshot,
	}, {
		.cmd = KCORESNAP_CMD_LIST,
		.start = start_list,
		.dumpit = dump_list,
	}, {
		.cmd = KCORESNAP_CMD_CANCEL,
		.doit = do_cancel,
	},
};

static const struct genl_multicast_group groups[] = {
	{ .name = KCORESNAP_MCGRP_EVENTS, KCS_MCGRP_SYS_ADMIN },
};

struct genl_family kcs_family __ro_after_init = {
	.name = KCORESNAP_GENL_NAME,
	.version = KCORESNAP_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	KCS_NO_REJECT_POLICY
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/*
 * Whoever joined the number of the group before it was ours has not been asked
 * for what joining takes. Events go to the initial network namespace alone.
 */
int __init kcs_netlink_init(void)
{
	int err = genl_register_family(&kcs_family);

	if (!err)
		kcs_clear_multicast_users(init_net.genl_sock, kcs_family.mcgrp_offset);
	return err;
}

void kcs_netlink_exit(void)
{
	genl_unregister_family(&kcs_family);
}
