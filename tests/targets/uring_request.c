// SPDX-License-Identifier: GPL-2.0
/*
 * uring_request PID
 *
 * Ask for a snapshot by a message that one of io_uring's own threads sends.
 * Prints "taken FD" if the answer names a descriptor that is this process's,
 * "strayed" if it is not, "refused SENTENCE", or "unavailable WHY" where the
 * kernel has no io_uring.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/io_uring.h>

#include "netlink.h"

static void send_by_uring(int fd, const struct msghdr *msg)
{
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params);
	struct io_uring_sqe *sqe;
	unsigned int *array, *tail;
	char *sq;

	if (ring < 0) {
		printf("unavailable io_uring: %s\n", strerror(errno));
		exit(0);
	}
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(*array),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		err(1, "io_uring");
	*sqe = (struct io_uring_sqe) {
		.opcode = IORING_OP_SENDMSG,
		.flags = IOSQE_ASYNC,
		.fd = fd,
		.addr = (uintptr_t)msg,
		.len = 1,
	};
	array = (unsigned int *)(sq + params.sq_off.array);
	tail = (unsigned int *)(sq + params.sq_off.tail);
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		err(1, "io_uring_enter");
}

int main(int argc, char **argv)
{
	static struct kcs_client client;
	struct kcs_msg request;
	struct iovec iov = { &request, 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)client.buf;
	struct stat st;
	int fd;

	errno = argc == 2 ? kcs_open(&client) : EINVAL;
	if (errno)
		err(2, "uring_request");
	kcs_msg_init(&request, client.family, 0, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&request, KCORESNAP_A_PID, atoi(argv[1]));
	kcs_msg_put_u64(&request, KCORESNAP_A_MAX_PAUSE_US, 20000000);
	iov.iov_len = request.nlh.nlmsg_len;
	send_by_uring(client.fd, &msg);

	if (recv(client.fd, client.buf, sizeof(client.buf), 0) < NLMSG_HDRLEN)
		err(1, "recv");
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		kcs_take_end(&client, nlh);
		printf("refused %s\n", client.sentence);
		return 0;
	}
	memset(client.attrs, 0, sizeof(client.attrs));
	kcs_parse(client.attrs, (const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
		  (const char *)nlh + nlh->nlmsg_len);
	fd = kcs_attr(&client, KCORESNAP_A_FD);
	if (fstat(fd, &st) || (uint64_t)st.st_size != kcs_attr(&client, KCORESNAP_A_SIZE))
		printf("strayed\n");
	else
		printf("taken %d\n", fd);
	return 0;
}
