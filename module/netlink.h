/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family; see include/uapi/linux/kcoresnap.h.
 */
#ifndef _KCS_NETLINK_H
#define _KCS_NETLINK_H

struct kcs_snapshot;

/** kcs_netlink_closed() - tell the event group that a snapshot ends */
void kcs_netlink_closed(struct kcs_snapshot *snap);

/** Module parameter "max_pause_us": the bound where a request names none. */
extern unsigned long kcs_max_pause_us;

int kcs_netlink_init(void);
void kcs_netlink_exit(void);

#endif
