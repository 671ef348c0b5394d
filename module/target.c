// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/kcoresnap.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <net/sock.h>

#include "ksym.h"
#include "lookup.h"
#include "refusal.h"
#include "request.h"
#include "target.h"

unsigned int kcs_policy = KCORESNAP_POLICY_INIT_NS;

/* What nsec_to_clock_t() does, which is not exported. */
static u64 start_time_of(const struct task_struct *task)
{
	return div_u64(timens_add_boottime_ns(task->start_boottime),
		       NSEC_PER_SEC / USER_HZ);
}

static struct task_struct *find_leader(pid_t nr)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (task)
		task = get_task_struct(task->group_leader);
	rcu_read_unlock();
	return task;
}

/* The leader may be a zombie while other threads live on. */
static int find_mm(struct kcs_target *target)
{
	struct task_struct *task;

	target->mm = get_task_mm(target->leader);
	if (target->mm) {
		target->task = get_task_struct(target->leader);
		return 0;
	}

	rcu_read_lock();
	for_each_thread(target->leader, task) {
		target->mm = get_task_mm(task);
		if (target->mm) {
			target->task = get_task_struct(task);
			break;
		}
	}
	rcu_read_unlock();
	return target->mm ? 0 : -ESRCH;
}

static const struct file *opened_socket(const struct sk_buff *skb)
{
	return NETLINK_CB(skb).sk->sk_socket->file;
}

/*
 * A privileged program must not act for whoever handed it a socket. So this is
 * stricter than netlink_ns_capable(), which trusts the sender alone where the
 * message names its destination: every library names it.
 */
static bool both_may(const struct sk_buff *skb, struct user_namespace *ns)
{
	return file_ns_capable(opened_socket(skb), ns, CAP_SYS_PTRACE) &&
	       ns_capable(ns, CAP_SYS_PTRACE);
}

/*
 * A dump goes on in the context of whoever receives, who may be neither: each of
 * opener and current task needs the right of its own.
 */
bool kcs_may_manage(const struct sk_buff *skb, kuid_t owner, struct pid *pid)
{
	const struct file *file = opened_socket(skb);

	if (!uid_eq(owner, file->f_cred->uid) &&
	    !file_ns_capable(file, &init_user_ns, CAP_SYS_PTRACE))
		return false;
	/* uid 0 of a container may be the host's. What it can't see is not its own. */
	return (uid_eq(owner, current_uid()) && pid_vnr(pid)) ||
	       ns_capable(&init_user_ns, CAP_SYS_PTRACE);
}

static bool may_over_target(const struct sk_buff *skb, struct task_struct *task)
{
	const struct cred *cred = get_task_cred(task);
	bool may = both_may(skb, cred->user_ns);

	put_cred(cred);
	return may;
}

/*
 * ptrace's rules look at the sender alone. Only a process that has opened the
 * socket, and has not changed its rights since, has the very same credentials.
 */
static bool opened_by_sender(const struct sk_buff *skb)
{
	return opened_socket(skb)->f_cred == current_cred();
}

static int check_policy(struct task_struct *task, struct sk_buff *skb,
			struct kcs_refusal *why)
{
	switch (READ_ONCE(kcs_policy)) {
	case KCORESNAP_POLICY_PTRACE:
		if (!opened_by_sender(skb))
			return kcs_refuse(why, EPERM,
					  "the netlink socket was opened with other rights than the request was sent with: open it in the process that sends");
		return 0;
	case KCORESNAP_POLICY_TARGET_NS:
		if (!may_over_target(skb, task))
			return kcs_refuse(why, EPERM,
					  "this takes CAP_SYS_PTRACE in the target's user namespace, of the sender and of whoever opened the socket: run it as root there");
		return 0;
	default:
		if (!both_may(skb, &init_user_ns))
			return kcs_refuse(why, EPERM,
					  "this takes CAP_SYS_PTRACE in the initial user namespace, of the sender and of whoever opened the socket: run it as root on the host");
		return 0;
	}
}

static int check_rights(struct task_struct *task, struct sk_buff *skb,
			struct kcs_refusal *why)
{
	int err = check_policy(task, skb, why);

	if (err)
		return err;
	if (!kcs_ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS))
		return kcs_refuse(why, EPERM,
				  "ptrace's rules keep the caller from this process (owner, dumpable flag, Yama's ptrace_scope or another security module): run it as root");
	return 0;
}

static int refuse_exited(const struct kcs_request *req, struct kcs_refusal *why)
{
	return kcs_refuse(why, ESRCH,
			  "process %d has exited and has no memory any more: nothing is left to snapshot",
			  req->pid);
}

static const struct user_regset_view *view_of(struct task_struct *task)
{
	const struct user_regset_view *view;

	/* What tells is on the stack, which goes when the thread dies. */
	if (!try_get_task_stack(task))
		return NULL;
	view = task_user_regset_view(task);
	kcs_put_task_stack(task);
	return view;
}

/*
 * The views are not exported: only a task that runs code of the width has one. So
 * look for a thread that does, or take the caller's.
 */
static const struct user_regset_view *find_view(struct task_struct *leader, u16 machine)
{
	const struct user_regset_view *view = NULL;
	struct task_struct *task;

	rcu_read_lock();
	for_each_thread(leader, task) {
		view = view_of(task);
		if (view && view->e_machine == machine)
			break;
		view = NULL;
	}
	rcu_read_unlock();
	if (!view && task_user_regset_view(current)->e_machine == machine)
		view = task_user_regset_view(current);
	return view;
}

/* Set by execve, for programs of i386 and of x32, and inherited by threads. */
static bool is_narrow(struct task_struct *task)
{
	return test_tsk_thread_flag(task, TIF_ADDR32);
}

static int check_width(struct kcs_target *target, const struct kcs_request *req,
		       struct kcs_refusal *why)
{
	bool narrow = is_narrow(target->task);

	target->class = narrow ? ELFCLASS32 : ELFCLASS64;
	target->view = find_view(target->leader, narrow ? EM_386 : EM_X86_64);
	if (target->view)
		return 0;
	if (narrow)
		return kcs_refuse(why, EOPNOTSUPP,
				  "process %d is a program of the x32 ABI, or a 32-bit one that runs nothing but 64-bit code just now: use gcore, or try again",
				  req->pid);
	return kcs_refuse(why, EAGAIN,
			  "process %d runs nothing but 32-bit code just now: try again, or ask with a 64-bit program",
			  req->pid);
}

static int check_kind(struct task_struct *leader, const struct kcs_request *req,
		      struct kcs_refusal *why)
{
	if (leader->flags & PF_KTHREAD)
		return kcs_refuse(why, ESRCH,
				  "process %d is a kernel thread and has no memory of its own: name a user process",
				  req->pid);
	if (req->has_start_time && start_time_of(leader) != req->start_time)
		return kcs_refuse(why, ESRCH,
				  "process %d is not the one that was meant: its pid was reused meanwhile, look it up again",
				  req->pid);
	return 0;
}

static int keep_from_exec(struct task_struct *leader, const struct kcs_request *req,
			  struct kcs_refusal *why)
{
	u64 until = ktime_get_ns() + KCS_PATIENCE_NS;

	while (!down_read_trylock(&leader->signal->exec_update_lock)) {
		if (fatal_signal_pending(current))
			return kcs_refuse_killed(why);
		if (ktime_get_ns() >= until)
			return kcs_refuse(why, EAGAIN,
					  "process %d has been about to run another program for %llu seconds: try again",
					  req->pid, KCS_PATIENCE_NS / NSEC_PER_SEC);
		usleep_range(50, 100);
	}
	return 0;
}

int kcs_refuse_locked(const struct kcs_request *req, struct kcs_refusal *why)
{
	return kcs_refuse(why, EAGAIN,
			  "process %d has had its mappings locked, by a system call of its own or by who looks at them, for %llu seconds: try again",
			  req->pid, KCS_PATIENCE_NS / NSEC_PER_SEC);
}

int kcs_target_lock_mm(const struct kcs_target *target, const struct kcs_request *req,
		       struct kcs_refusal *why)
{
	struct kcs_patience patience = { .left_ns = KCS_PATIENCE_NS };
	int err = kcs_lock_mm_within(target->mm, &patience);

	if (err == -EINTR)
		return kcs_refuse_killed(why);
	return err ? kcs_refuse_locked(req, why) : 0;
}

int kcs_target_get(struct kcs_target *target, const struct kcs_request *req,
		   struct kcs_refusal *why)
{
	int err;

	*target = (struct kcs_target) { .leader = find_leader(req->pid) };
	if (!target->leader)
		return kcs_refuse(why, ESRCH,
				  "there is no process %d in the caller's pid namespace: check the pid",
				  req->pid);
	/* Who may not keeps nobody waiting; and again, once no execve can change it. */
	err = check_kind(target->leader, req, why) ?:
	      check_rights(target->leader, req->skb, why);
	if (err)
		goto put_leader;

	err = keep_from_exec(target->leader, req, why);
	if (err)
		goto put_leader;
	if (find_mm(target)) {
		err = refuse_exited(req, why);
		goto unlock;
	}
	err = check_rights(target->task, req->skb, why) ?: check_width(target, req, why);
	if (err)
		goto put_mm;
	return 0;

put_mm:
	mmput_async(target->mm);
	put_task_struct(target->task);
unlock:
	up_read(&target->leader->signal->exec_update_lock);
put_leader:
	put_task_struct(target->leader);
	return err;
}

void kcs_target_put(struct kcs_target *target)
{
	up_read(&target->leader->signal->exec_update_lock);
	mmput_async(target->mm);
	put_task_struct(target->task);
	put_task_struct(target->leader);
}

bool kcs_target_is_dying(const struct kcs_target *target)
{
	return mm_flags_test(MMF_UNSTABLE, target->mm) ||
	       mm_flags_test(MMF_OOM_SKIP, target->mm) ||
	       (READ_ONCE(target->leader->signal->flags) &
		(SIGNAL_GROUP_EXIT | SIGNAL_GROUP_COREDUMP));
}
