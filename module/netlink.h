/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family; see include/uapi/linux/kcoresnap.h.
 */
#ifndef _KCS_NETLINK_H
#define _KCS_NETLINK_H

#include <linux/types.h>

struct genl_family;
struct kcs_snapshot;
struct pid_namespace;
struct sk_buff;
struct user_namespace;

extern struct genl_family kcs_family;

/** kcs_put_u64() - append a 64-bit attribute, aligned. Return: 0 or -EMSGSIZE. */
int kcs_put_u64(struct sk_buff *msg, int attr, u64 value);

/**
 * kcs_put_identity() - append ID, PID, COMM and UID of a snapshot
 * @msg: the message
 * @snap: the snapshot
 * @pid_ns: whose pids
 * @user_ns: whose uids
 *
 * Return: 0, or not 0 if the message has no room.
 */
int kcs_put_identity(struct sk_buff *msg, const struct kcs_snapshot *snap,
		     struct pid_namespace *pid_ns, struct user_namespace *user_ns);

/** kcs_put_counts() - append READ_BYTES, INEXACT_BYTES, LOST_BYTES, DROPPED */
int kcs_put_counts(struct sk_buff *msg, const struct kcs_snapshot *snap);

/** kcs_netlink_init() - register the family. Return: 0 or an error. */
int kcs_netlink_init(void);
void kcs_netlink_exit(void);

#endif
