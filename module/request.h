/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message asks for; see include/uapi/linux/kcoresnap.h.
 */
#ifndef _KCS_REQUEST_H
#define _KCS_REQUEST_H

#include <linux/types.h>

struct genl_info;
struct kcs_refusal;
struct netlink_ext_ack;
struct nla_policy;
struct nlattr;
struct nlmsghdr;
struct sk_buff;

/**
 * struct kcs_request - what was asked for
 * @skb: the message, for the sender's and the socket opener's rights
 * @pid: in the caller's pid namespace
 * @has_start_time: @start_time was given
 * @start_time: field 22 of /proc/PID/stat, clock ticks
 * @mode: enum kcoresnap_mode; AUTO until it is resolved
 * @has_filter: @filter was given
 * @filter: coredump_filter bits
 * @max_pause_ns: bound of the pause
 * @allow: enum kcoresnap_allow
 * @dry_run: predict only
 * @stream: the core will be read forward only
 * @pids: enum kcoresnap_pids
 */
struct kcs_request {
	struct sk_buff *skb;
	pid_t pid;
	bool has_start_time;
	u64 start_time;
	u32 mode;
	bool has_filter;
	u32 filter;
	u64 max_pause_ns;
	u32 allow;
	bool dry_run;
	bool stream;
	u32 pids;
};

/** Module parameter "max_pause_us": the bound where a request names none. */
extern unsigned long kcs_max_pause_us;

/** kcs_default_pause_us() - that, within what a request may ask for */
u64 kcs_default_pause_us(void);

/**
 * kcs_parse() - check and index the attributes of a message to the family
 * @nlh: the message
 * @extack: told what is wrong with it
 * @attrs: @max + 1 of them, filled in; NULL where @max is 0: none is taken
 * @max: the highest attribute that is known
 * @policy: of all up to @max
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int kcs_parse(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack,
	      struct nlattr **attrs, int max, const struct nla_policy *policy);

/**
 * kcs_request_parse() - understand KCORESNAP_CMD_SNAPSHOT
 * @req: filled in
 * @skb: the datagram, from this message on
 * @info: of the message
 * @why: filled in on error, except where @info's extack is
 *
 * Context: the sender's.
 * Return: 0, or a negative errno.
 */
int kcs_request_parse(struct kcs_request *req, struct sk_buff *skb,
		      const struct genl_info *info, struct kcs_refusal *why);

#endif
