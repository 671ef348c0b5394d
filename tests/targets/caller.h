/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A caller of tests/targets/perm.c: a process that sends requests as it is told
 * to, by its own socket or by one that it is given.
 */
#ifndef KCS_TESTS_CALLER_H
#define KCS_TESTS_CALLER_H

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "netlink.h"
#include "uring.h"

#define MAX_HELD 32
#define ANSWER_LEN 4096

enum how { PLAIN, ADDRESSED, THREAD, CHANGED, URING, WORKER, SQPOLL };

/** struct order - what a caller is told to do, with a socket if @via */
struct order {
	char what[16];
	enum how how;
	bool via;
	uint32_t number;
};

static char answer[ANSWER_LEN];
static enum how send_how;
static int held[MAX_HELD], held_count;

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	size_t len = strlen(answer);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(answer + len, sizeof(answer) - len, fmt, ap);
	va_end(ap);
}

struct sending {
	const struct kcs_client *client;
	const struct msghdr *hdr;
	ssize_t res;
	int err;
};

static void *send_in_thread(void *arg)
{
	struct sending *sending = arg;

	if (send_how == CHANGED)
		prctl(PR_SET_KEEPCAPS, 1);
	sending->res = sendmsg(sending->client->fd, sending->hdr, 0);
	sending->err = errno;
	return NULL;
}

static ssize_t send_by(const struct kcs_client *client, const void *data, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sending sending = { .client = client, .hdr = &hdr };
	pthread_t thread;

	switch (send_how) {
	case ADDRESSED:
		hdr.msg_name = &kernel;
		hdr.msg_namelen = sizeof(kernel);
		break;
	case THREAD:
	case CHANGED:
		pthread_create(&thread, NULL, send_in_thread, &sending);
		pthread_join(thread, NULL);
		errno = sending.err;
		return sending.res;
	case URING:
		return kcs_ring_sendmsg(client->fd, &hdr, 0, 0);
	case WORKER:
		return kcs_ring_sendmsg(client->fd, &hdr, 0, IOSQE_ASYNC);
	case SQPOLL:
		return kcs_ring_sendmsg(client->fd, &hdr, IORING_SETUP_SQPOLL, 0);
	default:
		break;
	}
	return sendmsg(client->fd, &hdr, 0);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int request(struct kcs_client *client, pid_t pid, bool dry_run, int *fd)
{
	struct kcs_msg msg;
	int err;

	kcs_msg_init(&msg, client->family, NLM_F_ACK, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&msg, KCORESNAP_A_PID, pid);
	kcs_msg_put_u64(&msg, KCORESNAP_A_MAX_PAUSE_US, 20000000);
	if (dry_run)
		kcs_msg_put(&msg, KCORESNAP_A_DRY_RUN, NULL, 0);
	err = kcs_call(client, &msg);
	*fd = err || dry_run ? -1 : (int)kcs_attr(client, KCORESNAP_A_FD);
	return err;
}

static void take(struct kcs_client *client, pid_t pid)
{
	int lowest = lowest_fd(), dry, err, fd;
	char sentence[sizeof(client->sentence)], magic[4] = "";

	dry = request(client, pid, true, &fd);
	strcpy(sentence, client->sentence);
	err = request(client, pid, false, &fd);
	say("%d %s", err, client->sentence);
	if (dry != err || strcmp(sentence, client->sentence))
		say(" BUT a dry run: %d %s", dry, sentence);
	if (!err && (pread(fd, magic, 4, 0) != 4 || memcmp(magic, "\177ELF", 4)))
		say("BUT no core can be read");
	if (fd >= 0)
		close(fd);
	if (lowest != lowest_fd())
		say(" BUT a descriptor is left");
}

static void hold(struct kcs_client *client, pid_t pid)
{
	int fd, err = request(client, pid, false, &fd);

	if (fd >= 0 && held_count < MAX_HELD)
		held[held_count++] = fd;
	say("%d %u", err, (unsigned int)kcs_attr(client, KCORESNAP_A_ID));
}

static void release(void)
{
	while (held_count)
		close(held[--held_count]);
}

static void say_listed(const struct kcs_client *client)
{
	say(" %u:%u:%u:%u", (unsigned int)kcs_attr(client, KCORESNAP_A_ID),
	    (unsigned int)kcs_attr(client, KCORESNAP_A_PID),
	    (unsigned int)kcs_attr(client, KCORESNAP_A_UID),
	    (unsigned int)kcs_attr(client, KCORESNAP_A_DROPPED));
}

static int ask(struct kcs_client *client)
{
	struct kcs_msg msg;

	kcs_msg_init(&msg, client->family, NLM_F_DUMP, KCORESNAP_CMD_LIST);
	return kcs_send(client, &msg);
}

static void receive(struct kcs_client *client)
{
	int err;

	client->each = say_listed;
	err = kcs_receive(client, true);
	client->each = NULL;
	say(" %d", err);
}

/* The group's number is what the last answer of the controller family said. */
static uint32_t group_number(const struct kcs_client *client)
{
	const struct nlattr *groups = client->attrs[CTRL_ATTR_MCAST_GROUPS];
	const struct nlattr *attrs[256] = { NULL }, *group[256] = { NULL };
	uint32_t number = 0;

	if (!groups)
		return 0;
	kcs_parse(attrs, (const char *)groups + NLA_HDRLEN, (const char *)groups + groups->nla_len);
	if (attrs[1])
		kcs_parse(group, (const char *)attrs[1] + NLA_HDRLEN,
			  (const char *)attrs[1] + attrs[1]->nla_len);
	if (group[CTRL_ATTR_MCAST_GRP_ID])
		memcpy(&number, (const char *)group[CTRL_ATTR_MCAST_GRP_ID] + NLA_HDRLEN,
		       sizeof(number));
	return number;
}

static void join(struct kcs_client *events)
{
	int err = kcs_open(events);
	uint32_t number = group_number(events);

	if (err)
		say("%d", err);
	else
		say("%d", setsockopt(events->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number,
				     sizeof(number)) ? errno : 0);
}

static void hear(struct kcs_client *events)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)events->buf;
	const struct genlmsghdr *genlh = NLMSG_DATA(nlh);
	ssize_t len;

	for (;;) {
		len = recv(events->fd, events->buf, sizeof(events->buf), MSG_DONTWAIT);
		if (len < 0)
			return;
		memset(events->attrs, 0, sizeof(events->attrs));
		kcs_parse(events->attrs, (const char *)genlh + GENL_HDRLEN,
			  events->buf + nlh->nlmsg_len);
		say(" %d:%u:%u", genlh->cmd, (unsigned int)kcs_attr(events, KCORESNAP_A_PID),
		    (unsigned int)kcs_attr(events, KCORESNAP_A_UID));
	}
}

static void cancel(struct kcs_client *client, uint32_t id)
{
	int err = kcs_cancel(client, id);

	say("%d %s", err, client->sentence);
}

static void try_uring(void)
{
	struct kcs_ring ring;

	if (kcs_ring_open(&ring, send_how == SQPOLL ? IORING_SETUP_SQPOLL : 0)) {
		say("%d", errno);
		return;
	}
	kcs_ring_close(&ring);
	say("0");
}

static void obey(const struct order *order, struct kcs_client *client, struct kcs_client *events)
{
	send_how = order->how;
	if (!strcmp(order->what, "take"))
		take(client, order->number);
	else if (!strcmp(order->what, "hold"))
		hold(client, order->number);
	else if (!strcmp(order->what, "release"))
		release();
	else if (!strcmp(order->what, "list"))
		ask(client) ? say("%d", errno) : receive(client);
	else if (!strcmp(order->what, "ask"))
		say("%d", ask(client));
	else if (!strcmp(order->what, "receive"))
		receive(client);
	else if (!strcmp(order->what, "cancel"))
		cancel(client, order->number);
	else if (!strcmp(order->what, "join"))
		join(events);
	else if (!strcmp(order->what, "hear"))
		hear(events);
	else if (!strcmp(order->what, "uring"))
		try_uring();
	else
		say("perm: what is '%s'?", order->what);
}

static ssize_t send_with(int link, const void *data, size_t len, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg = (struct cmsghdr *)room;

		hdr.msg_control = room;
		hdr.msg_controllen = sizeof(room);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(link, &hdr, MSG_NOSIGNAL);
}

static ssize_t receive_with(int link, void *data, size_t len, int *fd)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	ssize_t got = recvmsg(link, &hdr, MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (got > 0 && hdr.msg_controllen)
		memcpy(fd, CMSG_DATA((struct cmsghdr *)room), sizeof(int));
	return got;
}

static void __attribute__((noreturn)) be_caller(int link)
{
	static struct kcs_client own, borrowed, events;
	int fd, err = kcs_open(&own);
	struct order order;

	if (err)
		exit(1);
	own.send = send_by;
	borrowed = own;
	while (receive_with(link, &order, sizeof(order), &fd) == sizeof(order)) {
		answer[0] = '\0';
		borrowed.fd = fd;
		/* One queue for both; a dump that another began is told by its number. */
		if (!strcmp(order.what, "receive"))
			borrowed.seq = order.number;
		if (strcmp(order.what, "lend"))
			obey(&order, order.via ? &borrowed : &own, &events);
		else
			say("%u", own.seq);
		send_with(link, answer, strlen(answer) + 1,
			  strcmp(order.what, "lend") ? -1 : own.fd);
		if (fd >= 0)
			close(fd);
	}
	exit(0);
}

#endif /* KCS_TESTS_CALLER_H */
