/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel functions that are not exported. Each is resolved once, at load, and
 * reached by a direct call only: from kernels built with X86_KERNEL_IBT on, a
 * function whose address the kernel never takes has its ENDBR sealed, and an
 * indirect call to it is an oops on hardware that checks.
 *
 *	kernel_clone		the copy-on-write duplicate itself; no exported
 *				function reaches copy_mm()
 *	ptrace_may_access	the one place where credentials, dumpable, Yama
 *				and every LSM have their say
 *	task_work_add		exported by Debian, not by mainline
 *	task_work_cancel_match	nothing may stay behind in the target; the only
 *				canceller whose signature never changed
 *	put_task_stack		a dead task's stack is freed at once, and its registers
 *				were on it; only the pinning half is inline
 *	netlink_table_grab, netlink_table_ungrab, __netlink_clear_multicast_users
 *				generic netlink's own, which it calls for a group that goes,
 *				but not for one that comes
 *	try_grab_page		optional, before v6.2: pins a page whose table is locked,
 *				where pin_user_pages() could fault it in anew
 *	get_gate_vma		optional: without it the core has no vsyscall
 *				segment
 *	vm_commit_limit		optional: without it strict overcommit has no room
 *	kallsyms_lookup_name	optional: finds sysctl_overcommit_memory,
 *				vm_committed_as and total_swap_pages, which no
 *				exported function tells or changes; without it
 *				accounting is taken to be strict, and a clone stays
 *				committed
 */
#ifndef _KCS_KSYM_H
#define _KCS_KSYM_H

#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/netlink.h>
#include <linux/ptrace.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/static_call.h>
#include <linux/task_work.h>

DECLARE_STATIC_CALL(kcs_kernel_clone, kernel_clone);
DECLARE_STATIC_CALL(kcs_ptrace_may_access, ptrace_may_access);
DECLARE_STATIC_CALL(kcs_task_work_add, task_work_add);
DECLARE_STATIC_CALL(kcs_task_work_cancel_match, task_work_cancel_match);
DECLARE_STATIC_CALL(kcs_put_task_stack, put_task_stack);
DECLARE_STATIC_CALL(kcs_netlink_table_grab, netlink_table_grab);
DECLARE_STATIC_CALL(kcs_netlink_table_ungrab, netlink_table_ungrab);
DECLARE_STATIC_CALL(kcs___netlink_clear_multicast_users, __netlink_clear_multicast_users);
#ifdef KCS_TRY_GRAB_PAGE
DECLARE_STATIC_CALL(kcs_try_grab_page, try_grab_page);
#endif
DECLARE_STATIC_CALL(kcs_get_gate_vma, get_gate_vma);
DECLARE_STATIC_CALL(kcs_vm_commit_limit, vm_commit_limit);
DECLARE_STATIC_CALL(kcs_kallsyms_lookup_name, kallsyms_lookup_name);

static inline pid_t kcs_kernel_clone(struct kernel_clone_args *args)
{
	return static_call(kcs_kernel_clone)(args);
}

static inline bool kcs_ptrace_may_access(struct task_struct *task, unsigned int mode)
{
	return static_call(kcs_ptrace_may_access)(task, mode);
}

static inline int kcs_task_work_add(struct task_struct *task,
				    struct callback_head *work,
				    enum task_work_notify_mode mode)
{
	return static_call(kcs_task_work_add)(task, work, mode);
}

static inline struct callback_head *
kcs_task_work_cancel_match(struct task_struct *task,
			   bool (*match)(struct callback_head *, void *), void *data)
{
	return static_call(kcs_task_work_cancel_match)(task, match, data);
}

static inline void kcs_put_task_stack(struct task_struct *task)
{
	static_call(kcs_put_task_stack)(task);
}

/* All who listen to @group leave it. */
static inline void kcs_clear_multicast_users(struct sock *kernel, unsigned int group)
{
	static_call(kcs_netlink_table_grab)();
	static_call(kcs___netlink_clear_multicast_users)(kernel, group);
	static_call(kcs_netlink_table_ungrab)();
}

/** kcs_can_pin_page() - is there kcs_pin_page() here? */
bool kcs_can_pin_page(void);

/**
 * kcs_pin_page() - take a FOLL_PIN reference, for unpin_user_page() to drop
 * @page: mapped, under the lock of its page table
 *
 * Return: false if it has too many references, or there is no such function.
 */
bool kcs_pin_page(struct page *page);

/**
 * kcs_gate_vma() - get_gate_vma(), where it could be resolved
 * @mm: any address space
 *
 * Return: the vsyscall VMA, which belongs to no address space, or NULL.
 */
struct vm_area_struct *kcs_gate_vma(struct mm_struct *mm);

/**
 * kcs_overcommit_is_strict() - vm.overcommit_memory=2?
 *
 * Return: true too where that can't be told.
 */
bool kcs_overcommit_is_strict(void);

/**
 * kcs_commit_limit() - pages that may be committed where overcommit is strict
 *
 * Return: 0 where that can't be told.
 */
unsigned long kcs_commit_limit(void);

/**
 * kcs_commit_most() - pages of one mapping that can be committed, by
 * __vm_enough_memory() (mm/util.c)
 *
 * Return: all memory and swap where vm.overcommit_memory=0; else, and where that
 * can't be told, ULONG_MAX.
 */
unsigned long kcs_commit_most(void);

/**
 * kcs_commit_sub() - take pages off what is committed
 * @pages: how many
 *
 * Return: false where that can't be done.
 */
bool kcs_commit_sub(s64 pages);

/**
 * kcs_ksym_init() - resolve the functions above
 *
 * Names each missing one in the log.
 *
 * Return: 0, or -ENOENT if one that is not optional is missing.
 */
int kcs_ksym_init(void);

#endif
