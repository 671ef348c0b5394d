/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a pid to a task, its address space, and the right to look into it.
 */
#ifndef _KCS_TARGET_H
#define _KCS_TARGET_H

#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct kcs_refusal;
struct kcs_request;
struct pid;
struct sk_buff;
struct user_regset_view;

/**
 * struct kcs_target - a target, held
 * @leader: thread group leader, possibly a zombie; with a reference
 * @task: the thread @mm was taken from; with a reference
 * @mm: with an mm_users reference
 * @class: of the program's core: ELFCLASS32 or ELFCLASS64
 * @view: the program's regsets; a thread's own may be another while it runs code
 *	of the other width
 *
 * While it is held, @leader's signal->exec_update_lock is held for reading: no
 * execve can put another program, with other rights, under what was checked.
 */
struct kcs_target {
	struct task_struct *leader;
	struct task_struct *task;
	struct mm_struct *mm;
	u8 class;
	const struct user_regset_view *view;
};

/**
 * kcs_target_get() - find and lock a target, and check the caller's rights
 * @target: filled in
 * @req: the request
 * @why: filled in on error
 *
 * Context: may sleep, killably, and not for long.
 * Return: 0; -ESRCH, -EPERM, -EOPNOTSUPP, -EAGAIN or -EINTR.
 */
int kcs_target_get(struct kcs_target *target, const struct kcs_request *req,
		   struct kcs_refusal *why);
void kcs_target_put(struct kcs_target *target);

/**
 * kcs_target_lock_mm() - lock its mm's mmap_lock for reading
 * @target: held
 * @req: the request
 * @why: filled in on error
 *
 * Context: may sleep, killably, and not for long.
 * Return: 0; -EAGAIN or -EINTR.
 */
int kcs_target_lock_mm(const struct kcs_target *target, const struct kcs_request *req,
		       struct kcs_refusal *why);

/** kcs_refuse_locked() - refuse, since a lock of its could not be had in time */
int kcs_refuse_locked(const struct kcs_request *req, struct kcs_refusal *why);

/**
 * kcs_target_is_dying() - is the target being killed, or out of memory?
 */
bool kcs_target_is_dying(const struct kcs_target *target);

/**
 * kcs_may_manage() - may a snapshot be seen and cancelled?
 * @skb: the message
 * @owner: who asked for the snapshot
 * @pid: of the snapshot's target
 *
 * Return: is each of current task and whoever opened the socket @owner, or has
 * CAP_SYS_PTRACE in the initial user namespace? Without that, @pid must be in the
 * task's pid namespace too.
 */
bool kcs_may_manage(const struct sk_buff *skb, kuid_t owner, struct pid *pid);

/** Module parameter "policy", enum kcoresnap_policy. */
extern unsigned int kcs_policy;

#endif
