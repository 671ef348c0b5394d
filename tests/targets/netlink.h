/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's netlink interface by hand, so that a test can also say what no
 * library would.
 */
#ifndef KCS_TESTS_NETLINK_H
#define KCS_TESTS_NETLINK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/kcoresnap.h>
#include <linux/netlink.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/**
 * struct kcs_client - a connection, and what the last call brought
 * @fd: socket
 * @family: number of the family
 * @seq: of the last request
 * @messages: how many messages came
 * @attrs: attributes of the last of them, by type, in @buf
 * @sentence: of an error, or ""
 * @send: in place of send(2), if set; returns as that does
 * @each: called for each message, if set
 */
struct kcs_client {
	int fd;
	uint16_t family;
	uint32_t seq;
	int messages;
	const struct nlattr *attrs[256];
	char sentence[1024];
	ssize_t (*send)(const struct kcs_client *client, const void *data, size_t len);
	void (*each)(const struct kcs_client *client);
	char buf[65536] __attribute__((aligned(8)));
};

/** struct kcs_msg - a request that is being put together */
struct kcs_msg {
	struct nlmsghdr nlh;
	struct genlmsghdr genlh;
	char attrs[4096];
} __attribute__((aligned(8)));

static inline void kcs_msg_init(struct kcs_msg *msg, uint16_t type, uint16_t flags, uint8_t cmd)
{
	memset(msg, 0, sizeof(*msg));
	msg->nlh.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	msg->nlh.nlmsg_type = type;
	msg->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	msg->genlh.cmd = cmd;
	msg->genlh.version = KCORESNAP_GENL_VERSION;
}

static inline void kcs_msg_put(struct kcs_msg *msg, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)((char *)msg + msg->nlh.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->nlh.nlmsg_len += NLA_ALIGN(attr->nla_len);
}

static inline void kcs_msg_put_u32(struct kcs_msg *msg, uint16_t type, uint32_t value)
{
	kcs_msg_put(msg, type, &value, sizeof(value));
}

static inline void kcs_msg_put_u64(struct kcs_msg *msg, uint16_t type, uint64_t value)
{
	kcs_msg_put(msg, type, &value, sizeof(value));
}

static inline const void *kcs_attr_data(const struct kcs_client *client, int type)
{
	const struct nlattr *attr = client->attrs[type];

	return attr ? (const char *)attr + NLA_HDRLEN : NULL;
}

static inline uint64_t kcs_attr(const struct kcs_client *client, int type)
{
	const struct nlattr *attr = client->attrs[type];
	uint64_t value = 0;

	if (attr)
		memcpy(&value, kcs_attr_data(client, type), attr->nla_len - NLA_HDRLEN > 4 ? 8 : 4);
	return value;
}

static inline void kcs_parse(const struct nlattr **attrs, const char *at, const char *end)
{
	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)at;

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			return;
		if ((attr->nla_type & NLA_TYPE_MASK) < 256)
			attrs[attr->nla_type & NLA_TYPE_MASK] = attr;
		at += NLA_ALIGN(attr->nla_len);
	}
}

/*
 * The end of the exchange: an acknowledgement, an error or the end of a dump.
 * Returns 0 or a positive errno.
 */
static inline int kcs_take_end(struct kcs_client *client, const struct nlmsghdr *nlh)
{
	const char *at = NLMSG_DATA(nlh), *end = (const char *)nlh + nlh->nlmsg_len;
	const struct nlattr *attrs[256] = { NULL };
	int err = *(const int *)at;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(nlh);

		at += sizeof(*error);
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			at += NLMSG_ALIGN(error->msg.nlmsg_len - NLMSG_HDRLEN);
	} else {
		at += sizeof(int);
	}
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		kcs_parse(attrs, at, end);
		if (attrs[NLMSGERR_ATTR_MSG])
			snprintf(client->sentence, sizeof(client->sentence), "%s",
				 (const char *)attrs[NLMSGERR_ATTR_MSG] + NLA_HDRLEN);
	}
	return -err;
}

/* Returns 0 or a positive errno. */
static inline int kcs_send(struct kcs_client *client, struct kcs_msg *msg)
{
	ssize_t len;

	client->messages = 0;
	client->sentence[0] = '\0';
	memset(client->attrs, 0, sizeof(client->attrs));
	msg->nlh.nlmsg_seq = ++client->seq;
	if (client->send)
		len = client->send(client, msg, msg->nlh.nlmsg_len);
	else
		len = send(client->fd, msg, msg->nlh.nlmsg_len, 0);
	return len < 0 ? errno : 0;
}

/* Waits for the end of the exchange. Returns 0 or a positive errno. */
static inline int kcs_receive(struct kcs_client *client, bool dump)
{
	ssize_t len;

	for (;;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)client->buf;

		/* Behind the attributes of the reply, which stay readable. */
		if (client->messages && !dump)
			nlh = (const struct nlmsghdr *)(client->buf + sizeof(client->buf) / 2);
		len = recv(client->fd, (void *)nlh, sizeof(client->buf) / 2, 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			if (nlh->nlmsg_seq != client->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				return kcs_take_end(client, nlh);
			client->messages++;
			kcs_parse(client->attrs, (const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
				  (const char *)nlh + nlh->nlmsg_len);
			if (client->each)
				client->each(client);
		}
	}
}

static inline int kcs_call(struct kcs_client *client, struct kcs_msg *msg)
{
	int err = kcs_send(client, msg);

	return err ?: kcs_receive(client, msg->nlh.nlmsg_flags & NLM_F_DUMP);
}

static inline int kcs_open(struct kcs_client *client)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct kcs_msg msg;
	int on = 1, err;

	client->seq = 0;
	client->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (client->fd < 0 || bind(client->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(client->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)))
		return errno;
	kcs_msg_init(&msg, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	kcs_msg_put(&msg, CTRL_ATTR_FAMILY_NAME, KCORESNAP_GENL_NAME, sizeof(KCORESNAP_GENL_NAME));
	err = kcs_call(client, &msg);
	if (err)
		return err;
	memcpy(&client->family, kcs_attr_data(client, CTRL_ATTR_FAMILY_ID), sizeof(client->family));
	return 0;
}

/* Returns 0 or a positive errno; the figures are in client->attrs. */
static inline int kcs_snapshot_as(struct kcs_client *client, pid_t pid, uint32_t mode,
				  bool stream, int *fd)
{
	struct kcs_msg msg;
	int err;

	kcs_msg_init(&msg, client->family, NLM_F_ACK, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&msg, KCORESNAP_A_PID, pid);
	/* The machine may be busy, but not as long as that. */
	kcs_msg_put_u64(&msg, KCORESNAP_A_MAX_PAUSE_US, 20000000);
	kcs_msg_put_u32(&msg, KCORESNAP_A_MODE, mode);
	if (stream)
		kcs_msg_put(&msg, KCORESNAP_A_STREAM, NULL, 0);
	err = kcs_call(client, &msg);
	if (!err)
		*fd = (int)kcs_attr(client, KCORESNAP_A_FD);
	return err;
}

static inline int kcs_snapshot(struct kcs_client *client, pid_t pid, int *fd)
{
	return kcs_snapshot_as(client, pid, KCORESNAP_MODE_AUTO, false, fd);
}

/* Returns how many snapshots are open; the last one's figures are in client->attrs. Or -errno. */
static inline int kcs_list(struct kcs_client *client)
{
	struct kcs_msg msg;
	int err;

	kcs_msg_init(&msg, client->family, NLM_F_DUMP, KCORESNAP_CMD_LIST);
	err = kcs_call(client, &msg);
	return err ? -err : client->messages;
}

static inline int kcs_cancel(struct kcs_client *client, uint32_t id)
{
	struct kcs_msg msg;

	kcs_msg_init(&msg, client->family, NLM_F_ACK, KCORESNAP_CMD_CANCEL);
	kcs_msg_put_u32(&msg, KCORESNAP_A_ID, id);
	return kcs_call(client, &msg);
}

#endif /* KCS_TESTS_NETLINK_H */
