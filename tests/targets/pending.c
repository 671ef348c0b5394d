// SPDX-License-Identifier: GPL-2.0
/*
 * pending policies|groups
 *
 * What a socket has to do with the module while that is not loaded.
 *
 * policies: ask for a dump of the family's policies and, after a line on stdin, receive it. Prints
 * "asked", then "ended ERRNO".
 * groups: join each multicast group that the kernel lets one join. Prints "joined", after a line on
 * stdin "heard N", the datagrams that have come.
 */
#include "netlink.h"

#define GROUPS_MAX 4096

static void wait_for_line(const char *said)
{
	puts(said);
	fflush(stdout);
	while (getchar() != '\n')
		;
}

static int policies(struct kcs_client *client)
{
	struct kcs_msg msg;
	int err = kcs_open(client);

	if (err)
		return err;
	kcs_msg_init(&msg, GENL_ID_CTRL, NLM_F_DUMP, CTRL_CMD_GETPOLICY);
	kcs_msg_put(&msg, CTRL_ATTR_FAMILY_NAME, KCORESNAP_GENL_NAME, sizeof(KCORESNAP_GENL_NAME));
	err = kcs_send(client, &msg);
	if (err)
		return err;
	wait_for_line("asked");
	printf("ended %d\n", kcs_receive(client, true));
	return 0;
}

static int groups(struct kcs_client *client)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int heard = 0, i;

	/* Without a port of its own it would be taken for the kernel, which sends. */
	client->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (client->fd < 0 || bind(client->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return errno;
	for (i = 1; i <= GROUPS_MAX; i++)
		setsockopt(client->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &i, sizeof(i));
	wait_for_line("joined");
	while (recv(client->fd, client->buf, sizeof(client->buf), MSG_DONTWAIT) > 0) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)client->buf;

		/* The arrival of families is for all to hear. */
		heard += nlh->nlmsg_type != GENL_ID_CTRL;
	}
	printf("heard %d\n", heard);
	return 0;
}

int main(int argc, char **argv)
{
	static struct kcs_client client;
	int err;

	if (argc != 2)
		return 2;
	err = !strcmp(argv[1], "policies") ? policies(&client) : groups(&client);
	if (err)
		fprintf(stderr, "pending: %s\n", strerror(err));
	return err != 0;
}
