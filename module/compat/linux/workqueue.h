/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_WORKQUEUE_H
#define _KCS_COMPAT_LINUX_WORKQUEUE_H

#include_next <linux/workqueue.h>
#include <linux/version.h>

/*
 * Linux kernel commit 128ea9f6ccfb ("workqueue: Add system_percpu_wq and
 * system_dfl_wq") (in v6.17).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_dfl_wq system_unbound_wq
#endif

#endif
