/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_TIME_NAMESPACE_H
#define _KCS_COMPAT_LINUX_TIME_NAMESPACE_H

#include_next <linux/time_namespace.h>
#include <linux/version.h>

/*
 * Linux kernel commit 3ae700ecfae9 ("fs/proc: apply the time namespace offset
 * to /proc/stat btime") (in v5.11): before, /proc/PID/stat did
 * not know time namespaces, and what it prints is what counts here.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
static inline u64 timens_add_boottime_ns(u64 nsec)
{
	return nsec;
}
#endif

#endif
