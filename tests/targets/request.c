// SPDX-License-Identifier: GPL-2.0
/*
 * request COMMAND [ATTRIBUTE=TYPE:VALUE]... [cut=BYTES] [dump] [twice]
 *
 * Send one request as it stands, right or wrong. COMMAND and ATTRIBUTE are
 * numbers or names (info, snapshot, list, cancel; pid, start_time, mode, filter,
 * max_pause_us, allow, dry_run, fd, id). TYPE is u8, u16, u32, u64, or "bytes"
 * whose VALUE is how many zeros. cut shortens the message by that much behind
 * the header's back, dump sets NLM_F_DUMP, twice sends the message two times in
 * one datagram. Prints "ERRNO SENTENCE" of the first answer, 0 for success, and
 * exits with 0 where there was an answer at all.
 */
#include <stdlib.h>
#include <sys/uio.h>

#include "netlink.h"

static const struct {
	const char *name;
	int value;
} names[] = {
	{ "info", KCORESNAP_CMD_INFO }, { "snapshot", KCORESNAP_CMD_SNAPSHOT },
	{ "list", KCORESNAP_CMD_LIST }, { "cancel", KCORESNAP_CMD_CANCEL },
	{ "pid", KCORESNAP_A_PID }, { "start_time", KCORESNAP_A_START_TIME },
	{ "mode", KCORESNAP_A_MODE }, { "filter", KCORESNAP_A_FILTER },
	{ "max_pause_us", KCORESNAP_A_MAX_PAUSE_US }, { "allow", KCORESNAP_A_ALLOW },
	{ "dry_run", KCORESNAP_A_DRY_RUN }, { "fd", KCORESNAP_A_FD }, { "id", KCORESNAP_A_ID },
};

static int number(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, text))
			return names[i].value;
	return atoi(text);
}

static void put(struct kcs_msg *msg, char *arg)
{
	static const char zeros[1024];
	char *type = strchr(arg, '='), *value = type ? strchr(type, ':') : NULL;
	uint64_t n;

	if (!value)
		exit(2);
	*type++ = '\0';
	*value++ = '\0';
	n = strtoull(value, NULL, 0);
	if (!strcmp(type, "bytes"))
		kcs_msg_put(msg, number(arg), zeros, n);
	else
		kcs_msg_put(msg, number(arg), &n, atoi(type + 1) / 8);
}

static ssize_t send_twice(const struct kcs_client *client, const void *data, size_t len)
{
	struct iovec iov[] = { { (void *)data, len }, { (void *)data, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	return sendmsg(client->fd, &msg, 0);
}

int main(int argc, char **argv)
{
	static struct kcs_client client;
	struct kcs_msg msg;
	int i, err;

	if (argc < 2)
		return 2;
	err = kcs_open(&client);
	if (err) {
		fprintf(stderr, "request: %s\n", strerror(err));
		return 1;
	}
	kcs_msg_init(&msg, client.family, NLM_F_ACK, number(argv[1]));
	for (i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "cut=", 4))
			msg.nlh.nlmsg_len -= atoi(argv[i] + 4);
		else if (!strcmp(argv[i], "dump"))
			msg.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		else if (!strcmp(argv[i], "twice"))
			client.send = send_twice;
		else
			put(&msg, argv[i]);
	}
	err = kcs_call(&client, &msg);
	printf("%d %s\n", err, client.sentence);
	return 0;
}
