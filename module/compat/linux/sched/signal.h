/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_SCHED_SIGNAL_H
#define _KCS_COMPAT_LINUX_SCHED_SIGNAL_H

#include_next <linux/sched/signal.h>

/*
 * Linux kernel commit 2f824d4d197e ("signal: Remove SIGNAL_GROUP_COREDUMP") (in
 * v5.17): from there on a core dump sets SIGNAL_GROUP_EXIT.
 */
#ifndef SIGNAL_GROUP_COREDUMP
#define SIGNAL_GROUP_COREDUMP 0
#endif

#endif
