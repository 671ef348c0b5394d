// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include <linux/genetlink.h>
#include <linux/kcoresnap.h>
#include <linux/netlink.h>

#include "nl.h"
#include "say.h"

/**
 * struct call - one request on its way
 * @nl: the connection
 * @take: takes a message of the answer
 * @reply: for @take
 * @arg: for @reply
 * @done: the answer has ended
 * @err: how, 0 or -errno
 */
struct call {
	struct kcs_nl *nl;
	void (*take)(struct call *call, struct nlmsghdr *nlh);
	kcs_nl_reply_fn *reply;
	void *arg;
	bool done;
	int err;
};

static struct nla_policy policy[KCORESNAP_A_MAX + 1] = {
	[KCORESNAP_A_VERSION] = { .type = NLA_STRING },
	[KCORESNAP_A_MODES] = { .type = NLA_U32 },
	[KCORESNAP_A_MAX_SNAPSHOTS] = { .type = NLA_U32 },
	[KCORESNAP_A_ACTIVE] = { .type = NLA_U32 },
	[KCORESNAP_A_POLICY] = { .type = NLA_U32 },
	[KCORESNAP_A_PID] = { .type = NLA_U32 },
	[KCORESNAP_A_MODE] = { .type = NLA_U32 },
	[KCORESNAP_A_MAX_PAUSE_US] = { .type = NLA_U64 },
	[KCORESNAP_A_FD] = { .type = NLA_U32 },
	[KCORESNAP_A_ID] = { .type = NLA_U32 },
	[KCORESNAP_A_SIZE] = { .type = NLA_U64 },
	[KCORESNAP_A_DATA_BYTES] = { .type = NLA_U64 },
	[KCORESNAP_A_INEXACT_BOUND] = { .type = NLA_U64 },
	[KCORESNAP_A_THREADS] = { .type = NLA_U32 },
	[KCORESNAP_A_INEXACT_THREADS] = { .type = NLA_U32 },
	[KCORESNAP_A_SEGMENTS] = { .type = NLA_U32 },
	[KCORESNAP_A_PAUSE_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_PARK_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_REGS_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_CLONE_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_PREDICTED_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_GROWTH_BOUND] = { .type = NLA_U64 },
	[KCORESNAP_A_REFUSAL] = { .type = NLA_STRING },
	[KCORESNAP_A_ERRNO] = { .type = NLA_U32 },
	[KCORESNAP_A_COMM] = { .type = NLA_STRING },
	[KCORESNAP_A_UID] = { .type = NLA_U32 },
	[KCORESNAP_A_AGE_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_READ_BYTES] = { .type = NLA_U64 },
	[KCORESNAP_A_INEXACT_BYTES] = { .type = NLA_U64 },
	[KCORESNAP_A_LOST_BYTES] = { .type = NLA_U64 },
	[KCORESNAP_A_DROPPED] = { .type = NLA_U32 },
	[KCORESNAP_A_LIFETIME_S] = { .type = NLA_U32 },
	[KCORESNAP_A_NS_PID] = { .type = NLA_U32 },
	[KCORESNAP_A_TIME_NS] = { .type = NLA_U64 },
	[KCORESNAP_A_MISSED_BYTES] = { .type = NLA_U64 },
};

static void finish(struct call *call, int err)
{
	if (!call->err)
		call->err = err;
	call->done = true;
}

/* @offset is where the attributes begin behind the netlink header. */
static void take_sentence(struct call *call, struct nlmsghdr *nlh, size_t offset)
{
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	struct nla_policy tlvs[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_STRING },
	};
	char *sentence = call->nl->sentence;
	size_t len = nlmsg_datalen(nlh);

	offset = NLMSG_ALIGN(offset);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || len <= offset)
		return;
	if (nla_parse(attrs, NLMSGERR_ATTR_MAX,
		      (struct nlattr *)((char *)nlmsg_data(nlh) + offset),
		      len - offset, tlvs) || !attrs[NLMSGERR_ATTR_MSG])
		return;
	nla_strlcpy(sentence, attrs[NLMSGERR_ATTR_MSG], KCS_SENTENCE_SIZE);
}

static void take_error(struct call *call, struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = nlmsg_data(nlh);
	size_t request = 0;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		request = error->msg.nlmsg_len - NLMSG_HDRLEN;
	take_sentence(call, nlh, sizeof(*error) + request);
	finish(call, error->error);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	(void)from;
	take_error(arg, (struct nlmsghdr *)((char *)error - NLMSG_HDRLEN));
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	(void)msg;
	finish(arg, 0);
	return NL_STOP;
}

/* A dump that failed halfway says so in its last message. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int err = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(err)) {
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
		take_sentence(arg, nlh, sizeof(err));
	}
	finish(arg, err);
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;

	call->take(call, nlmsg_hdr(msg));
	return NL_OK;
}

static int on_interrupted_dump(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int receive(struct call *call)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, call);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, call);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, call);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, call);
	/* Of a list that changed meanwhile, each entry is still true. */
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted_dump, call);

	while (!call->done && ret >= 0)
		ret = nl_recvmsgs(call->nl->sock, cb);
	nl_cb_put(cb);
	if (call->done)
		return call->err;

	snprintf(call->nl->sentence, KCS_SENTENCE_SIZE,
		 "the answer of the kernel can't be read: %s: try again",
		 nl_geterror(ret));
	return -EPROTO;
}

static int run(struct call *call, struct nl_msg *msg)
{
	int ret;

	call->nl->sentence[0] = '\0';
	if (!msg)
		return -ENOMEM;
	ret = nl_send_auto(call->nl->sock, msg);
	nlmsg_free(msg);
	if (ret >= 0)
		return receive(call);

	snprintf(call->nl->sentence, KCS_SENTENCE_SIZE,
		 "the request can't be sent to the kernel: %s: try again",
		 nl_geterror(ret));
	return -EPROTO;
}

bool kcs_nl_parse(struct nlmsghdr *nlh, struct nlattr **attrs)
{
	return !genlmsg_parse(nlh, 0, attrs, KCORESNAP_A_MAX, policy);
}

static void take_reply(struct call *call, struct nlmsghdr *nlh)
{
	struct nlattr *attrs[KCORESNAP_A_MAX + 1];

	if (!kcs_nl_parse(nlh, attrs)) {
		snprintf(call->nl->sentence, KCS_SENTENCE_SIZE,
			 "the module's answer is malformed: install tool and module of the same version");
		call->err = -EBADMSG;
		return;
	}
	if (call->reply)
		call->reply(attrs, call->arg);
}

int kcs_nl_call(struct kcs_nl *nl, struct nl_msg *msg, kcs_nl_reply_fn *reply,
		void *arg)
{
	struct call call = {
		.nl = nl,
		.take = take_reply,
		.reply = reply,
		.arg = arg,
	};

	return run(&call, msg);
}

static uint32_t find_group(struct nlattr *groups)
{
	struct nlattr *attrs[CTRL_ATTR_MCAST_GRP_MAX + 1], *one;
	struct nla_policy group[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = { .type = NLA_STRING },
		[CTRL_ATTR_MCAST_GRP_ID] = { .type = NLA_U32 },
	};
	int left;

	if (!groups)
		return 0;
	nla_for_each_nested(one, groups, left) {
		if (!nla_parse_nested(attrs, CTRL_ATTR_MCAST_GRP_MAX, one,
				      group) &&
		    attrs[CTRL_ATTR_MCAST_GRP_NAME] &&
		    attrs[CTRL_ATTR_MCAST_GRP_ID] &&
		    !nla_strcmp(attrs[CTRL_ATTR_MCAST_GRP_NAME],
				KCORESNAP_MCGRP_EVENTS))
			return nla_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

static void take_family(struct call *call, struct nlmsghdr *nlh)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nla_policy ctrl[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16 },
		[CTRL_ATTR_VERSION] = { .type = NLA_U32 },
	};

	if (genlmsg_parse(nlh, 0, attrs, CTRL_ATTR_MAX, ctrl) ||
	    !attrs[CTRL_ATTR_FAMILY_ID] || !attrs[CTRL_ATTR_VERSION]) {
		call->err = -EPROTO;
		return;
	}
	call->nl->family = nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	call->nl->version = (uint8_t)nla_get_u32(attrs[CTRL_ATTR_VERSION]);
	call->nl->group = find_group(attrs[CTRL_ATTR_MCAST_GROUPS]);
}

static struct nl_msg *begin(int family, int flags, uint8_t cmd, uint8_t version)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
			 NLM_F_REQUEST | flags, cmd, version)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* libnl would find the number only, not the version. */
static int find_family(struct kcs_nl *nl)
{
	struct call call = { .nl = nl, .take = take_family };
	struct nl_msg *msg = begin(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);

	if (msg && nla_put_string(msg, CTRL_ATTR_FAMILY_NAME,
				  KCORESNAP_GENL_NAME)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return run(&call, msg);
}

int kcs_nl_connect(struct kcs_nl *nl)
{
	int on = 1, ret;

	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		return -ENOMEM;
	ret = genl_connect(nl->sock);
	if (ret) {
		snprintf(nl->sentence, KCS_SENTENCE_SIZE,
			 "generic netlink can't be reached: %s: allow AF_NETLINK sockets",
			 nl_geterror(ret));
		return -EPROTO;
	}
	/* Without it errors lack their sentence, which is no reason to give up. */
	setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		   sizeof(on));
	return find_family(nl);
}

enum kcs_exit kcs_nl_open(struct kcs_nl *nl)
{
	int ret = kcs_nl_connect(nl);

	if (ret == -ENOENT) {
		kcs_say("the kcoresnap module is not loaded: run 'modprobe kcoresnap' as root");
		return KCS_EXIT_MODULE;
	}
	if (ret)
		return kcs_nl_fail(nl, ret);
	if (nl->version != KCORESNAP_GENL_VERSION) {
		kcs_say("the loaded module speaks version %u of the interface, this tool version %u: run 'rmmod kcoresnap; modprobe kcoresnap' as root, or install the tool that came with the module",
			nl->version, KCORESNAP_GENL_VERSION);
		return KCS_EXIT_MODULE;
	}
	return KCS_EXIT_OK;
}

void kcs_nl_close(struct kcs_nl *nl)
{
	nl_socket_free(nl->sock);
	nl->sock = NULL;
}

struct nl_msg *kcs_nl_request(struct kcs_nl *nl, uint8_t cmd, bool dump)
{
	return begin(nl->family, dump ? NLM_F_DUMP : 0, cmd, nl->version);
}

enum kcs_exit kcs_nl_fail(const struct kcs_nl *nl, int err)
{
	/*
	 * The family went away since it was found, or is about to, which a list
	 * is told so: __netlink_dump_start() in net/netlink/af_netlink.c.
	 */
	if ((err == -ENOENT || err == -EPROTONOSUPPORT) && !nl->sentence[0]) {
		kcs_say("the kcoresnap module was unloaded: run 'modprobe kcoresnap' as root");
		return KCS_EXIT_MODULE;
	}
	if (nl->sentence[0])
		kcs_say("%s", nl->sentence);
	else
		kcs_say("the kernel refused the request (%s): its log may say why",
			strerror(-err));
	return err == -EBADMSG ? KCS_EXIT_MODULE : kcs_exit_of_errno(-err);
}

uint32_t kcs_nl_u32(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u32(attrs[type]) : 0;
}

uint64_t kcs_nl_u64(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u64(attrs[type]) : 0;
}

const char *kcs_nl_string(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_string(attrs[type]) : "";
}
