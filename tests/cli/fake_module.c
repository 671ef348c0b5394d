// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for the module, to be preloaded into the tool: it answers what the
 * tool sends to generic netlink. The environment says how:
 *
 *	FAKE_CORE	file that is the core of every snapshot
 *	FAKE_LOG	file to which the last request is written
 *	FAKE_ABSENT	set: there is no such family
 *	FAKE_GENL_VERSION, FAKE_VERSION
 *			versions of family and module
 *	FAKE_ERRNO, FAKE_SENTENCE
 *			snapshots and cancels are refused, dry runs predict so
 *	FAKE_MALFORMED	set: an attribute of INFO is too short
 *	FAKE_DELAY_MS	how long a snapshot takes
 *	FAKE_DATA	bytes that a dry run says the core will hold
 *	FAKE_CANCEL_AT	offset in the core from where on it can't be read
 *	FAKE_READ_MS	how long a read of the core takes
 *	FAKE_UNLISTED	set: the list is empty
 *	FAKE_COMM, FAKE_INEXACT, FAKE_MISSED, FAKE_LOST, FAKE_DROPPED
 *			entries of the list
 *	FAKE_DUMP_ERRNO	the list fails in its last message
 *	FAKE_JOIN_ERRNO	who wants to join the events can't; who has joined gets one
 *			of each kind and then SIGINT, or, with FAKE_UNLOAD set, the
 *			news that the family is gone
 *	FAKE_HANG_UP	set: before the first event there is SIGHUP
 *	FAKE_FLOOD	set: events are lost too
 *	FAKE_REFUSE_PID	dry runs of this process fail with FAKE_ERRNO, and no other
 *	FAKE_SYNC_ERRNO	what was written is lost on its way to the disk, and so the first
 *			who waits for it is told
 *	FAKE_MALLOC_MAX	size beyond which no memory is to be had
 *
 * A tool that syncs its output while a snapshot is open is aborted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/kcoresnap.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#define FAMILY 0x123
#define GROUP 0x45
#define ID 7

static int netlink_fd = -1;
static int core_fd = -1;
static struct nl_msg *queue[8];
static size_t head, tail;
static bool joined, flood, hung_up;

#define REAL(name) ((typeof(name) *)dlsym(RTLD_NEXT, #name))

static uint64_t number(const char *name, uint64_t absent)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : absent;
}

static const char *text(const char *name, const char *absent)
{
	const char *value = getenv(name);

	return value ? value : absent;
}

void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
	if (size > number("FAKE_MALLOC_MAX", SIZE_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

/* As in the kernel, where only a signal that kills ends it. */
static void sleep_ms(uint64_t ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};

	while (nanosleep(&left, &left))
		;
}

static struct nl_msg *add(const struct nlmsghdr *request, int type, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 0, request->nlmsg_seq, type, 0, flags);
	queue[tail++ % 8] = msg;
	return msg;
}

static struct nl_msg *add_reply(const struct nlmsghdr *request, int flags)
{
	const struct genlmsghdr *genl = nlmsg_data(request);
	struct nl_msg *msg = add(request, request->nlmsg_type, flags);

	nlmsg_append(msg, (void *)genl, GENL_HDRLEN, NLMSG_ALIGNTO);
	return msg;
}

/* As the kernel does without NETLINK_CAP_ACK: with the whole request. */
static void add_error(const struct nlmsghdr *request, int err,
		      const char *sentence)
{
	struct nl_msg *msg = add(request, NLMSG_ERROR,
				 sentence ? NLM_F_ACK_TLVS : 0);
	int error = -err;

	nlmsg_append(msg, &error, sizeof(error), 0);
	nlmsg_append(msg, (void *)request, request->nlmsg_len, NLMSG_ALIGNTO);
	if (sentence)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, sentence);
}

static void put_groups(struct nl_msg *msg)
{
	struct nlattr *groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
	struct nlattr *group = nla_nest_start(msg, 1);

	nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, GROUP);
	nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, KCORESNAP_MCGRP_EVENTS);
	nla_nest_end(msg, group);
	nla_nest_end(msg, groups);
}

static void answer_family(const struct nlmsghdr *request)
{
	struct nl_msg *msg;

	if (getenv("FAKE_ABSENT")) {
		add_error(request, ENOENT, NULL);
		return;
	}
	msg = add_reply(request, 0);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, KCORESNAP_GENL_NAME);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, FAMILY);
	nla_put_u32(msg, CTRL_ATTR_VERSION,
		    number("FAKE_GENL_VERSION", KCORESNAP_GENL_VERSION));
	put_groups(msg);
	add_error(request, 0, NULL);
}

static void answer_info(const struct nlmsghdr *request)
{
	struct nl_msg *msg = add_reply(request, 0);

	nla_put_string(msg, KCORESNAP_A_VERSION,
		       text("FAKE_VERSION", KCORESNAP_VERSION));
	if (getenv("FAKE_MALFORMED"))
		nla_put_u8(msg, KCORESNAP_A_MODES, 15);
	else
		nla_put_u32(msg, KCORESNAP_A_MODES, 15);
	nla_put_u32(msg, KCORESNAP_A_MAX_SNAPSHOTS, 4);
	nla_put_u32(msg, KCORESNAP_A_ACTIVE, 1);
	nla_put_u64(msg, KCORESNAP_A_MAX_PAUSE_US, 250000);
	nla_put_u32(msg, KCORESNAP_A_POLICY, 0);
	nla_put_u32(msg, KCORESNAP_A_LIFETIME_S, number("FAKE_LIFETIME", 3600));
	add_error(request, 0, NULL);
}

static void log_request(struct nlattr **attrs)
{
	const char *path = getenv("FAKE_LOG");
	FILE *file = path ? fopen(path, "w") : NULL;
	int i;

	if (!file)
		return;
	for (i = 1; i <= KCORESNAP_A_MAX; i++) {
		if (!attrs[i])
			continue;
		if (nla_len(attrs[i]) == 8)
			fprintf(file, "%d=%" PRIu64 "\n", i,
				nla_get_u64(attrs[i]));
		else if (nla_len(attrs[i]) == 4)
			fprintf(file, "%d=%" PRIu32 "\n", i,
				nla_get_u32(attrs[i]));
		else
			fprintf(file, "%d\n", i);
	}
	fclose(file);
}

static void answer_dry_run(const struct nlmsghdr *request, uint32_t pid)
{
	int err = number("FAKE_ERRNO", 0);
	struct nl_msg *msg;

	if (getenv("FAKE_REFUSE_PID") && number("FAKE_REFUSE_PID", 0) == pid) {
		add_error(request, err, getenv("FAKE_SENTENCE"));
		return;
	}
	err = getenv("FAKE_REFUSE_PID") ? 0 : err;
	msg = add_reply(request, 0);

	nla_put_u32(msg, KCORESNAP_A_MODE, KCORESNAP_MODE_COW);
	nla_put_u32(msg, KCORESNAP_A_THREADS, 5);
	nla_put_u64(msg, KCORESNAP_A_PREDICTED_NS, 3100000);
	nla_put_u64(msg, KCORESNAP_A_GROWTH_BOUND, 1ULL << 30);
	nla_put_u64(msg, KCORESNAP_A_DATA_BYTES, number("FAKE_DATA", 0));
	if (err) {
		nla_put_string(msg, KCORESNAP_A_REFUSAL,
			       text("FAKE_SENTENCE", ""));
		nla_put_u32(msg, KCORESNAP_A_ERRNO, err);
	}
	add_error(request, 0, NULL);
}

static void answer_snapshot(const struct nlmsghdr *request)
{
	struct nlattr *attrs[KCORESNAP_A_MAX + 1];
	int err = number("FAKE_ERRNO", 0);
	struct nl_msg *msg;
	struct stat st;

	genlmsg_parse((struct nlmsghdr *)request, 0, attrs, KCORESNAP_A_MAX,
		      NULL);
	log_request(attrs);
	if (attrs[KCORESNAP_A_DRY_RUN]) {
		answer_dry_run(request, nla_get_u32(attrs[KCORESNAP_A_PID]));
		return;
	}
	sleep_ms(number("FAKE_DELAY_MS", 0));
	core_fd = err ? -1 : open(text("FAKE_CORE", ""), O_RDONLY | O_CLOEXEC);
	if (core_fd < 0 || fstat(core_fd, &st)) {
		add_error(request, err ? err : errno, getenv("FAKE_SENTENCE"));
		return;
	}

	msg = add_reply(request, 0);
	nla_put_u32(msg, KCORESNAP_A_FD, core_fd);
	nla_put_u32(msg, KCORESNAP_A_ID, ID);
	nla_put_u32(msg, KCORESNAP_A_MODE, KCORESNAP_MODE_COW);
	nla_put_u64(msg, KCORESNAP_A_SIZE, st.st_size);
	nla_put_u64(msg, KCORESNAP_A_DATA_BYTES, st.st_size);
	nla_put_u32(msg, KCORESNAP_A_THREADS, 5);
	nla_put_u64(msg, KCORESNAP_A_PAUSE_NS, 3200000);
	nla_put_u64(msg, KCORESNAP_A_INEXACT_BOUND, 8192);
	nla_put_u32(msg, KCORESNAP_A_SEGMENTS, 3);
	nla_put_u64(msg, KCORESNAP_A_PARK_NS, 100000);
	nla_put_u64(msg, KCORESNAP_A_REGS_NS, 200000);
	nla_put_u64(msg, KCORESNAP_A_CLONE_NS, 300000);
	nla_put_u64(msg, KCORESNAP_A_PREDICTED_NS, 3100000);
	nla_put_u64(msg, KCORESNAP_A_GROWTH_BOUND, 1ULL << 30);
	add_error(request, 0, NULL);
}

static void answer_list(const struct nlmsghdr *request)
{
	int err = -(int)number("FAKE_DUMP_ERRNO", 0);
	const char *sentence = getenv("FAKE_SENTENCE");
	struct nl_msg *msg;

	if (!getenv("FAKE_UNLISTED")) {
		msg = add_reply(request, NLM_F_MULTI);
		nla_put_u32(msg, KCORESNAP_A_ID, ID);
		nla_put_u32(msg, KCORESNAP_A_PID, 4242);
		nla_put_string(msg, KCORESNAP_A_COMM, text("FAKE_COMM", "prog"));
		nla_put_u32(msg, KCORESNAP_A_UID, 1000);
		nla_put_u32(msg, KCORESNAP_A_MODE, KCORESNAP_MODE_COW);
		nla_put_u32(msg, KCORESNAP_A_THREADS, 5);
		nla_put_u64(msg, KCORESNAP_A_SIZE, 3 << 20);
		nla_put_u64(msg, KCORESNAP_A_DATA_BYTES, 2 << 20);
		nla_put_u64(msg, KCORESNAP_A_PAUSE_NS, 3200000);
		nla_put_u64(msg, KCORESNAP_A_AGE_NS, 61000000000);
		nla_put_u64(msg, KCORESNAP_A_READ_BYTES, 1 << 20);
		nla_put_u64(msg, KCORESNAP_A_INEXACT_BYTES,
			    number("FAKE_INEXACT", 0));
		nla_put_u64(msg, KCORESNAP_A_MISSED_BYTES,
			    number("FAKE_MISSED", 0));
		nla_put_u64(msg, KCORESNAP_A_LOST_BYTES,
			    number("FAKE_LOST", 0));
		nla_put_u32(msg, KCORESNAP_A_DROPPED, number("FAKE_DROPPED", 0));
	}
	msg = add(request, NLMSG_DONE,
		  NLM_F_MULTI | (sentence ? NLM_F_ACK_TLVS : 0));
	nlmsg_append(msg, &err, sizeof(err), NLMSG_ALIGNTO);
	if (sentence)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, sentence);
}

static void answer(const struct nlmsghdr *request)
{
	const struct genlmsghdr *genl = nlmsg_data(request);

	if (request->nlmsg_type == GENL_ID_CTRL) {
		answer_family(request);
		return;
	}
	switch (genl->cmd) {
	case KCORESNAP_CMD_INFO:
		answer_info(request);
		break;
	case KCORESNAP_CMD_SNAPSHOT:
		answer_snapshot(request);
		break;
	case KCORESNAP_CMD_LIST:
		answer_list(request);
		break;
	default:
		add_error(request, number("FAKE_ERRNO", 0),
			  getenv("FAKE_SENTENCE"));
	}
}

static struct nl_msg *add_event(int cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, cmd, KCORESNAP_GENL_VERSION);
	nla_put_u32(msg, KCORESNAP_A_PID, 4242);
	nla_put_string(msg, KCORESNAP_A_COMM, text("FAKE_COMM", "prog"));
	nla_put_u32(msg, KCORESNAP_A_UID, 1000);
	queue[tail++ % 8] = msg;
	return msg;
}

static void add_events(void)
{
	struct nl_msg *msg;

	msg = add_event(KCORESNAP_CMD_TAKEN);
	nla_put_u32(msg, KCORESNAP_A_ID, ID);
	nla_put_u32(msg, KCORESNAP_A_MODE, KCORESNAP_MODE_COW);
	nla_put_u64(msg, KCORESNAP_A_SIZE, 3 << 20);
	nla_put_u32(msg, KCORESNAP_A_THREADS, 5);
	nla_put_u64(msg, KCORESNAP_A_PAUSE_NS, 3200000);
	nla_put_u64(msg, KCORESNAP_A_PREDICTED_NS, 4000000);
	msg = add_event(KCORESNAP_CMD_FAILED);
	nla_put_u32(msg, KCORESNAP_A_ERRNO, EOPNOTSUPP);
	nla_put_string(msg, KCORESNAP_A_REFUSAL, "refused for a test");
	msg = add_event(KCORESNAP_CMD_CLOSED);
	nla_put_u32(msg, KCORESNAP_A_ID, ID);
	nla_put_u64(msg, KCORESNAP_A_PAUSE_NS, 3200000);
	nla_put_u64(msg, KCORESNAP_A_READ_BYTES, 1 << 20);
	nla_put_u64(msg, KCORESNAP_A_INEXACT_BYTES, 4096);
	nla_put_u64(msg, KCORESNAP_A_LOST_BYTES, 0);
	nla_put_u32(msg, KCORESNAP_A_DROPPED, number("FAKE_DROPPED", 0));
	if (!getenv("FAKE_UNLOAD"))
		return;
	msg = nlmsg_alloc();
	genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_DELFAMILY, 2);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, KCORESNAP_GENL_NAME);
	queue[tail++ % 8] = msg;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (fd != netlink_fd || level != SOL_NETLINK ||
	    name != NETLINK_ADD_MEMBERSHIP)
		return REAL(setsockopt)(fd, level, name, value, len);
	errno = number("FAKE_JOIN_ERRNO", 0);
	if (errno)
		return -1;
	if (*(const int *)value != GROUP)
		return 0;
	joined = true;
	flood = getenv("FAKE_FLOOD");
	add_events();
	return 0;
}

/* Only the tool's waiting for events is meant, which is for a signal and a reader too. */
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	nfds_t i;

	if (!joined)
		return REAL(poll)(fds, count, timeout);
	if (head == tail && !flood)
		kill(getpid(), SIGINT);
	if (count < 3)
		return REAL(poll)(fds, count, timeout);
	if (!hung_up && getenv("FAKE_HANG_UP"))
		kill(getpid(), SIGHUP);
	hung_up = true;
	REAL(poll)(fds, count, 0);
	for (i = 0; i < count; i++)
		if (fds[i].fd == netlink_fd && (head != tail || flood))
			fds[i].revents = POLLIN;
	if (head == tail)
		flood = false;
	return 1;
}

int socket(int domain, int type, int protocol)
{
	int fd = REAL(socket)(domain, type, protocol);

	if (domain == AF_NETLINK && protocol == NETLINK_GENERIC)
		netlink_fd = fd;
	return fd;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (fd != netlink_fd)
		return REAL(sendmsg)(fd, msg, flags);
	answer(msg->msg_iov[0].iov_base);
	return msg->msg_iov[0].iov_len;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh;
	size_t len, room;

	if (fd != netlink_fd)
		return REAL(recvmsg)(fd, msg, flags);
	if (head == tail) {
		errno = ENOBUFS;
		return -1;
	}

	nlh = nlmsg_hdr(queue[head % 8]);
	len = nlh->nlmsg_len;
	room = msg->msg_iov[0].iov_len;
	if (room > len)
		room = len;
	if (room)
		memcpy(msg->msg_iov[0].iov_base, nlh, room);
	memcpy(msg->msg_name, &from, sizeof(from));
	msg->msg_namelen = sizeof(from);
	msg->msg_controllen = 0;
	msg->msg_flags = room < len ? MSG_TRUNC : 0;
	if (!(flags & MSG_PEEK))
		nlmsg_free(queue[head++ % 8]);
	return flags & MSG_TRUNC ? len : room;
}

/* A disk may take its time, in which an open snapshot would cost memory. */
int fsync(int fd)
{
	struct stat core, open;

	if (core_fd >= 0 && !fstat(core_fd, &open) &&
	    !stat(text("FAKE_CORE", ""), &core) && core.st_ino == open.st_ino &&
	    core.st_dev == open.st_dev)
		abort();
	return REAL(fsync)(fd);
}

/* As by the kernel, it is told once. */
int sync_file_range(int fd, off_t offset, off_t len, unsigned int flags)
{
	static bool told;

	if (told || !getenv("FAKE_SYNC_ERRNO") || !(flags & SYNC_FILE_RANGE_WAIT_AFTER))
		return REAL(sync_file_range)(fd, offset, len, flags);
	told = true;
	errno = number("FAKE_SYNC_ERRNO", 0);
	return -1;
}

static bool may_read(int fd, off_t offset)
{
	if (fd != core_fd)
		return true;
	sleep_ms(number("FAKE_READ_MS", 0));
	if ((uint64_t)offset < number("FAKE_CANCEL_AT", UINT64_MAX))
		return true;
	errno = ECANCELED;
	return false;
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	if (!may_read(fd, offset))
		return -1;
	return REAL(pread)(fd, buf, len, offset);
}

ssize_t splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t len,
	       unsigned int flags)
{
	if (!may_read(in, *in_offset))
		return -1;
	return REAL(splice)(in, in_offset, out, out_offset, len, flags);
}
