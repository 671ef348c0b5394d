/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_SCHED_TASK_H
#define _KCS_COMPAT_LINUX_SCHED_TASK_H

#include_next <linux/sched/task.h>
#include <linux/version.h>

/*
 * Linux kernel commits 343f4c49f243 ("kthread: Don't allocate kthread_struct
 * for init and umh") and 5bd2e97c868a ("fork: Generalize PF_IO_WORKER
 * handling") (in v5.19): before, a kernel thread's function and argument
 * travelled in the fields for the stack.
 */
static inline void kcs_clone_args_kthread(struct kernel_clone_args *args,
					  int (*fn)(void *), void *arg)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 19, 0)
	args->stack = (unsigned long)fn;
	args->stack_size = (unsigned long)arg;
#else
	args->fn = fn;
	args->fn_arg = arg;
	args->kthread = 1;
#endif
}

#endif
