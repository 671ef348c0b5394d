/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_KTHREAD_H
#define _KCS_COMPAT_LINUX_KTHREAD_H

#include_next <linux/kthread.h>
#include <linux/module.h>

/*
 * Linux kernel commit ca3574bd653a ("exit: Rename module_put_and_exit to
 * module_put_and_kthread_exit") (in v5.17, and in later v5.10 stable).
 */
#ifndef module_put_and_kthread_exit
#define module_put_and_kthread_exit module_put_and_exit
#endif

#endif
