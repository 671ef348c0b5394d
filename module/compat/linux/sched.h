/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_SCHED_H
#define _KCS_COMPAT_LINUX_SCHED_H

#include_next <linux/sched.h>
#include <linux/version.h>

/*
 * Linux kernel commit 54e6842d0775 ("fork/vm: Move common PF_IO_WORKER behavior
 * to new flag") (in v6.4).
 */
#ifndef PF_USER_WORKER
#define PF_USER_WORKER 0
#endif

/*
 * Linux kernel commit 2f064a59a11f ("sched: Change task_struct::state") (in
 * v5.14).
 */
static inline unsigned int kcs_task_state(const struct task_struct *task)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
	return READ_ONCE(task->state);
#else
	return READ_ONCE(task->__state);
#endif
}

/*
 * Linux kernel commit f5d39b020809 ("freezer,sched: Rewrite core freezer
 * logic") (in v6.1).
 */
static inline bool kcs_task_frozen(const struct task_struct *task)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
	return READ_ONCE(task->flags) & PF_FROZEN;
#else
	return kcs_task_state(task) & TASK_FROZEN;
#endif
}

#endif
