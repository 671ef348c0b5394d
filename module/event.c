// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/kcoresnap.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "event.h"
#include "netlink.h"
#include "refusal.h"
#include "request.h"
#include "snapshot.h"
#include "target.h"

/* Events: pids as the initial pid namespace has them. */
static struct sk_buff *new_event(u8 cmd, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, 0, 0, &kcs_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void send_event(struct sk_buff *msg, void *hdr)
{
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&kcs_family, &init_net, msg, 0, 0, GFP_KERNEL);
}

void kcs_event_taken(const struct kcs_snapshot *snap)
{
	struct sk_buff *msg;
	void *hdr;

	msg = new_event(KCORESNAP_CMD_TAKEN, &hdr);
	if (!msg)
		return;
	if (kcs_put_identity(msg, snap, &init_pid_ns, &init_user_ns) ||
	    nla_put_u32(msg, KCORESNAP_A_MODE, snap->mode) ||
	    kcs_put_u64(msg, KCORESNAP_A_SIZE, snap->layout.size) ||
	    nla_put_u32(msg, KCORESNAP_A_THREADS, snap->figures.threads) ||
	    kcs_put_u64(msg, KCORESNAP_A_PAUSE_NS, kcs_snapshot_pause_ns(snap)) ||
	    kcs_put_u64(msg, KCORESNAP_A_PREDICTED_NS, snap->forecast.pause_ns))
		nlmsg_free(msg);
	else
		send_event(msg, hdr);
}

void kcs_event_failed(const struct kcs_request *req, const struct kcs_refusal *why)
{
	struct sk_buff *msg;
	struct task_struct *task;
	char comm[TASK_COMM_LEN] = "";
	pid_t nr = 0;
	void *hdr;

	rcu_read_lock();
	task = pid_task(find_vpid(req->pid), PIDTYPE_PID);
	if (task) {
		nr = task_tgid_nr(task);
		strscpy(comm, task->comm, sizeof(comm));
	}
	rcu_read_unlock();

	msg = new_event(KCORESNAP_CMD_FAILED, &hdr);
	if (!msg)
		return;
	if (nla_put_u32(msg, KCORESNAP_A_PID, nr) ||
	    nla_put_string(msg, KCORESNAP_A_COMM, comm) ||
	    nla_put_u32(msg, KCORESNAP_A_UID,
			from_kuid_munged(&init_user_ns, current_uid())) ||
	    nla_put_s32(msg, KCORESNAP_A_ERRNO, why->err) ||
	    nla_put_string(msg, KCORESNAP_A_REFUSAL, why->msg))
		nlmsg_free(msg);
	else
		send_event(msg, hdr);
}

void kcs_event_closed(const struct kcs_snapshot *snap)
{
	struct sk_buff *msg;
	void *hdr;

	msg = new_event(KCORESNAP_CMD_CLOSED, &hdr);
	if (!msg)
		return;
	if (kcs_put_identity(msg, snap, &init_pid_ns, &init_user_ns) ||
	    kcs_put_u64(msg, KCORESNAP_A_PAUSE_NS, kcs_snapshot_pause_ns(snap)) ||
	    kcs_put_counts(msg, snap))
		nlmsg_free(msg);
	else
		send_event(msg, hdr);
}
