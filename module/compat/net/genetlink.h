/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_NET_GENETLINK_H
#define _KCS_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>
#include <linux/version.h>

/*
 * Linux kernel commit e03781879a0d ("drop_monitor: Require 'CAP_SYS_ADMIN'
 * when joining "events" group") (in v6.7, v6.1.68 and v5.10.204): multicast
 * groups learned to ask for a capability. v5.10 has a bit of its own for it.
 */
#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define KCS_MCGRP_SYS_ADMIN .flags = GENL_MCAST_CAP_SYS_ADMIN
#else
#define KCS_MCGRP_SYS_ADMIN .cap_sys_admin = 1
#endif

/*
 * Linux kernel commit 4fa86555d1cd ("genetlink: piggy back on resv_op to default
 * to a reject policy") (in v6.1): operations from resv_start_op on, all of them
 * where it is 0, take no attribute unless they have a policy.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#define KCS_NO_REJECT_POLICY
#else
#define KCS_NO_REJECT_POLICY .resv_start_op = U8_MAX,
#endif

#endif
