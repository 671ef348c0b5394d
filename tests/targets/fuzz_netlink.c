// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_netlink SEED MESSAGES [nobody]
 *
 * Send that many messages to the module, right and wrong ones, half of them as
 * root and half as nobody, or all as nobody: valid requests (most of them dry
 * runs), valid ones that were damaged, and noise; many to a datagram, answers
 * read or left lying. Descriptors are read from and closed, or leaked for a
 * while. Prints what came of it; exits with 1 after an answer that must not be.
 */
#include <err.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "netlink.h"
#include "random.h"

#define NOBODY 65534
#define DATAGRAM 49152		/* bytes */
#define MOST_MESSAGES 8		/* in a datagram */
#define MOST_FDS 64
#define KNOWN_VALID 0x80000000U	/* in the sequence number: the request is well formed */

struct fuzzer {
	struct kcs_random random;
	struct kcs_client client;
	pid_t victim;
	int first_fd;		/* from here on they are snapshots */
	unsigned long sent;
	unsigned long answers;
	unsigned long refused;
	unsigned long granted;
	unsigned long taken;
};

static const int errors[] = {
	0, EPERM, ENOENT, ESRCH, EINTR, EAGAIN, ENOMEM, EACCES, EBUSY, EINVAL, EMFILE, ENFILE,
	ERANGE, EOPNOTSUPP, ETIME, ENOBUFS,
};

static uint32_t below(struct fuzzer *f, uint32_t limit)
{
	return kcs_random_below(&f->random, limit);
}

static bool one_in(struct fuzzer *f, uint32_t times)
{
	return kcs_one_in(&f->random, times);
}

/* Numbers that somebody may have forgotten. */
static uint64_t odd_number(struct fuzzer *f)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		UINT64_MAX, 60000000, 60000001, 4096, 0x100000000,
	};

	if (one_in(f, 3))
		return kcs_random(&f->random);
	return numbers[below(f, sizeof(numbers) / sizeof(numbers[0]))];
}

static uint32_t some_pid(struct fuzzer *f)
{
	switch (below(f, 8)) {
	case 0:
		return getpid();
	case 1:
		return getppid();
	case 2:
		return odd_number(f);
	case 3:
		return below(f, 400);
	default:
		return f->victim;
	}
}

static void put_snapshot(struct fuzzer *f, struct kcs_msg *msg)
{
	/* A real one of any process but our own takes too long to have many. */
	bool dry_run = !one_in(f, 16);

	kcs_msg_put_u32(msg, KCORESNAP_A_PID, dry_run ? some_pid(f) : (uint32_t)f->victim);
	if (one_in(f, 8))
		kcs_msg_put_u64(msg, KCORESNAP_A_START_TIME, odd_number(f));
	if (one_in(f, 4))
		kcs_msg_put_u32(msg, KCORESNAP_A_MODE, one_in(f, 4) ? odd_number(f) : below(f, 5));
	if (one_in(f, 4))
		kcs_msg_put_u32(msg, KCORESNAP_A_FILTER, odd_number(f));
	if (one_in(f, 4))
		kcs_msg_put_u64(msg, KCORESNAP_A_MAX_PAUSE_US,
				one_in(f, 4) ? odd_number(f) : below(f, 2000000));
	if (one_in(f, 4))
		kcs_msg_put_u32(msg, KCORESNAP_A_ALLOW, one_in(f, 4) ? odd_number(f) : below(f, 4));
	if (dry_run)
		kcs_msg_put(msg, KCORESNAP_A_DRY_RUN, NULL, 0);
}

static void make_valid(struct fuzzer *f, struct kcs_msg *msg, uint8_t cmd)
{
	kcs_msg_init(msg, f->client.family, one_in(f, 2) ? NLM_F_ACK : 0, cmd);
	msg->nlh.nlmsg_seq = (f->sent & ~KNOWN_VALID) | KNOWN_VALID;
	switch (cmd) {
	case KCORESNAP_CMD_SNAPSHOT:
		put_snapshot(f, msg);
		break;
	case KCORESNAP_CMD_LIST:
		msg->nlh.nlmsg_flags |= NLM_F_DUMP;
		break;
	case KCORESNAP_CMD_CANCEL:
		kcs_msg_put_u32(msg, KCORESNAP_A_ID, one_in(f, 4) ? odd_number(f) : below(f, 100));
		break;
	}
}

static void put_noise(struct fuzzer *f, struct kcs_msg *msg, size_t max)
{
	size_t len = below(f, max), i;
	char noise[512];

	if (len > sizeof(noise))
		len = sizeof(noise);
	for (i = 0; i < len; i++)
		noise[i] = below(f, 256);
	kcs_msg_put(msg, below(f, 2) ? below(f, KCORESNAP_A_MAX + 4) : below(f, 65536), noise, len);
}

/* Around what is there already, or around nothing, to any depth. */
static void nest(struct fuzzer *f, struct kcs_msg *msg)
{
	size_t used = msg->nlh.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	struct nlattr *attr = (struct nlattr *)msg->attrs;
	int depth = msg->nlh.nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN ? 0 : below(f, 20);

	while (depth-- && used + NLA_HDRLEN < sizeof(msg->attrs)) {
		memmove(msg->attrs + NLA_HDRLEN, msg->attrs, used);
		used += NLA_HDRLEN;
		attr->nla_len = used;
		attr->nla_type = NLA_F_NESTED | below(f, KCORESNAP_A_MAX + 1);
		msg->nlh.nlmsg_len += NLA_HDRLEN;
	}
}

static void damage(struct fuzzer *f, struct kcs_msg *msg)
{
	uint8_t *bytes = (uint8_t *)msg;
	size_t len = msg->nlh.nlmsg_len, head = NLMSG_HDRLEN;
	struct nlattr *attr = (struct nlattr *)msg->attrs;

	switch (below(f, 12)) {
	case 0:	/* a bit of the payload */
		bytes[head + below(f, len - head)] ^= 1 << below(f, 8);
		break;
	case 1:	/* a byte of it */
		bytes[head + below(f, len - head)] = below(f, 256);
		break;
	case 2:	/* flags */
		msg->nlh.nlmsg_flags = NLM_F_REQUEST | below(f, 65536);
		break;
	case 3:	/* command and version */
		msg->genlh.cmd = below(f, 256);
		msg->genlh.version = below(f, 256);
		msg->genlh.reserved = one_in(f, 2) ? below(f, 65536) : 0;
		break;
	case 4:	/* cut off */
		msg->nlh.nlmsg_len = head + below(f, len - head + 1);
		break;
	case 5:	/* the length of an attribute */
		attr->nla_len = one_in(f, 2) ? below(f, 32) : below(f, 65536);
		break;
	case 6:	/* its type */
		attr->nla_type = one_in(f, 3) ? below(f, 65536) : attr->nla_type |
				 (one_in(f, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER);
		break;
	case 7:	/* again, with another value or size */
		kcs_msg_put(msg, attr->nla_type, &f->random.state, below(f, 9));
		break;
	case 8:	/* more of them */
		put_noise(f, msg, 40);
		break;
	case 9:	/* large ones */
		put_noise(f, msg, 512);
		put_noise(f, msg, 512);
		break;
	case 10:
		nest(f, msg);
		break;
	case 11: /* not for the family, or for no family */
		msg->nlh.nlmsg_type = one_in(f, 2) ? below(f, 32) : below(f, 65536);
		break;
	}
}

/* Only the last one of a datagram can be a snapshot: so most of these are. */
static void make_message(struct fuzzer *f, struct kcs_msg *msg, bool last)
{
	int times;

	switch (last && !one_in(f, 4) ? below(f, 36) : below(f, 64)) {
	case 0:
		make_valid(f, msg, KCORESNAP_CMD_SNAPSHOT);
		return;
	case 1:
		make_valid(f, msg, KCORESNAP_CMD_LIST);
		return;
	case 2 ... 4:
		make_valid(f, msg, KCORESNAP_CMD_CANCEL);
		return;
	case 5 ... 7:
		make_valid(f, msg, KCORESNAP_CMD_INFO);
		return;
	case 8 ... 35:
		make_valid(f, msg, KCORESNAP_CMD_SNAPSHOT);
		break;
	case 36 ... 55:
		make_valid(f, msg, 1 + below(f, KCORESNAP_CMD_MAX));
		break;
	default:
		kcs_msg_init(msg, f->client.family, below(f, 65536), below(f, 256));
		put_noise(f, msg, 100);
		break;
	}
	msg->nlh.nlmsg_seq &= ~KNOWN_VALID;
	/* Most get no further than the first that is wrong. */
	for (times = one_in(f, 4) ? below(f, 4) : 1; times--; )
		damage(f, msg);
}

static void damage_length(struct fuzzer *f, struct nlmsghdr *nlh)
{
	nlh->nlmsg_len = one_in(f, 2) ? below(f, NLMSG_HDRLEN + GENL_HDRLEN) : odd_number(f);
	nlh->nlmsg_seq &= ~KNOWN_VALID;
}

/* Return: the length of a datagram of messages. */
static size_t make_datagram(struct fuzzer *f, char *buf)
{
	int count = one_in(f, 3) ? 1 : 1 + below(f, MOST_MESSAGES);
	size_t used = 0, len;
	struct kcs_msg msg;

	for (; count && used + sizeof(msg) < DATAGRAM; count--, f->sent++) {
		make_message(f, &msg, count == 1);
		len = msg.nlh.nlmsg_len < sizeof(msg) ? msg.nlh.nlmsg_len : sizeof(msg);
		/* The kernel reads no further than a length that can't be. */
		if (count == 1 && one_in(f, 3))
			damage_length(f, &msg.nlh);
		memcpy(buf + used, &msg, len);
		used += NLMSG_ALIGN(len);
	}
	/* Rarely one that ends within a header. */
	return one_in(f, 32) ? 1 + below(f, used) : used;
}

static void wrong_answer(const struct fuzzer *f, const struct nlmsghdr *nlh, const char *what)
{
	errx(1, "%s: error %d, sentence \"%s\", to message %#x", what,
	     *(const int *)NLMSG_DATA(nlh), f->client.sentence, nlh->nlmsg_seq);
}

static void check_error(struct fuzzer *f, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *answered = NLMSG_DATA(nlh);
	int error, i = 0;

	/* What other families answer to what came their way is their matter. */
	if (nlh->nlmsg_type == NLMSG_ERROR && answered->msg.nlmsg_type != f->client.family)
		return;
	f->client.sentence[0] = '\0';
	error = kcs_take_end(&f->client, nlh);
	while (i < (int)(sizeof(errors) / sizeof(errors[0])) && errors[i] != error)
		i++;
	if (i == sizeof(errors) / sizeof(errors[0]))
		wrong_answer(f, nlh, "an error that must not be");
	if (error && nlh->nlmsg_type == NLMSG_ERROR && nlh->nlmsg_seq & KNOWN_VALID) {
		/* Netlink's own: a dump is under way, or answers lie unread. */
		if (!f->client.sentence[0] && error != EBUSY && error != EAGAIN &&
		    error != ENOBUFS)
			wrong_answer(f, nlh, "a refusal without a sentence");
		f->refused++;
	}
}

static void check_answer(struct fuzzer *f, const struct nlmsghdr *nlh)
{
	f->answers++;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		check_error(f, nlh);
		return;
	}
	if (nlh->nlmsg_type != f->client.family)
		return;
	f->granted++;
	memset(f->client.attrs, 0, sizeof(f->client.attrs));
	kcs_parse(f->client.attrs, (const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
		  (const char *)nlh + nlh->nlmsg_len);
	if (f->client.attrs[KCORESNAP_A_FD])
		f->taken++;
}

static void drain(struct fuzzer *f)
{
	const struct nlmsghdr *nlh;
	ssize_t len;

	for (;;) {
		len = recv(f->client.fd, f->client.buf, sizeof(f->client.buf), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			err(1, "recv");
		nlh = (const struct nlmsghdr *)f->client.buf;
		for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len))
			check_answer(f, nlh);
	}
}

/* What was handed over, whether or not the answer was read. */
static void close_snapshots(struct fuzzer *f)
{
	char buf[4096];
	int fd;

	for (fd = f->first_fd; fd < MOST_FDS; fd++) {
		if (one_in(f, 2) && pread(fd, buf, sizeof(buf), below(f, 1 << 20)) < 0 &&
		    errno != EBADF && errno != ECANCELED)
			err(1, "a snapshot can't be read");
		close(fd);
	}
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1))
		err(1, "nobody");
}

static pid_t start_victim(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		usleep(1000);
}

/* Never more than that can be waited for, and none is. */
static void set_limits(void)
{
	struct rlimit fds = { MOST_FDS, MOST_FDS }, core = { 0, 0 };

	if (setrlimit(RLIMIT_NOFILE, &fds) || setrlimit(RLIMIT_CORE, &core))
		err(1, "setrlimit");
}

static void run(struct fuzzer *f, unsigned long messages, bool as_nobody, bool open_first)
{
	static char buf[DATAGRAM];
	size_t len;

	set_limits();
	/* Its opener has rights that its user has not. */
	if (as_nobody && !open_first)
		become_nobody();
	errno = kcs_open(&f->client);
	if (errno)
		err(1, "the family does not answer");
	if (as_nobody && open_first)
		become_nobody();
	/* Not before: other rights forget it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f->victim = start_victim();
	f->first_fd = f->client.fd + 1;
	while (f->sent < messages) {
		len = make_datagram(f, buf);
		if (send(f->client.fd, buf, len, 0) < 0)
			err(1, "send");
		if (!one_in(f, 8))
			drain(f);
		if (one_in(f, 16))
			close_snapshots(f);
	}
	drain(f);
	close_snapshots(f);
	kill(f->victim, SIGKILL);
	waitpid(f->victim, NULL, 0);
	close(f->client.fd);
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzer;
	bool all_nobody = argc > 3 && !strcmp(argv[3], "nobody");
	uint64_t seed;
	unsigned long messages;
	int i, status, failed = 0;

	if (argc < 3)
		errx(2, "usage: fuzz_netlink SEED MESSAGES [nobody]");
	seed = strtoull(argv[1], NULL, 0);
	messages = strtoul(argv[2], NULL, 0);
	/* Root; nobody; nobody at a socket that root has opened. */
	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		kcs_random_seed(&fuzzer.random, seed, i);
		run(&fuzzer, messages / 4, all_nobody || i >= 2, i == 3);
		printf("seed %llu.%d: sent %lu, %lu answers, %lu refused, %lu granted, %lu snapshots\n",
		       (unsigned long long)seed, i, fuzzer.sent, fuzzer.answers, fuzzer.refused,
		       fuzzer.granted, fuzzer.taken);
		return 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
