/* SPDX-License-Identifier: GPL-2.0 */
/* What waits for something on behalf of a process of states: AIO, io_uring, userfaultfd. */
#ifndef KCS_TESTS_ARMED_H
#define KCS_TESTS_ARMED_H

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "plant.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#endif

#define UFFD_SIZE (1UL << 20)

static int sleeping_fds[2];	/* a pipe that nobody writes to */

static aio_context_t aio;

static void make_aio(void)
{
	static struct iocb iocb = { .aio_data = 5, .aio_lio_opcode = IOCB_CMD_POLL,
				    .aio_buf = POLLIN };
	struct iocb *list[] = { &iocb };

	need(!pipe(sleeping_fds), "pipe");
	iocb.aio_fildes = sleeping_fds[0];
	need(!syscall(SYS_io_setup, 8, &aio), "io_setup");
	need(syscall(SYS_io_submit, aio, 1, list) == 1, "IOCB_CMD_POLL");
}

static void check_aio(void)
{
	struct timespec none = {}, long_time = { .tv_sec = 10 };
	struct io_event event = {};

	if (syscall(SYS_io_getevents, aio, 0, 1, &event, &none) != 0)
		complain("the AIO poll ended");
	if (write(sleeping_fds[1], "", 1) != 1 ||
	    syscall(SYS_io_getevents, aio, 1, 1, &event, &long_time) != 1 || event.data != 5 ||
	    !(event.res & POLLIN))
		complain("the AIO poll does not end");
}

static struct {
	int fd;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_cqe *cqes;
} ring;

static char *map_ring(size_t size, off_t offset)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
		       offset);

	need(p != MAP_FAILED, "mmap of the ring");
	return p;
}

static void make_uring(void)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *sqes;
	unsigned int *array, *tail;
	char *sq, *cq;

	need(!pipe(sleeping_fds), "pipe");
	ring.fd = syscall(SYS_io_uring_setup, 4, &params);
	need(ring.fd >= 0, "io_uring_setup");
	sq = map_ring(params.sq_off.array + params.sq_entries * 4, IORING_OFF_SQ_RING);
	cq = map_ring(params.cq_off.cqes + params.cq_entries * sizeof(*ring.cqes),
		      IORING_OFF_CQ_RING);
	sqes = (void *)map_ring(params.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
	ring.cq_head = (void *)(cq + params.cq_off.head);
	ring.cq_tail = (void *)(cq + params.cq_off.tail);
	ring.cq_mask = (void *)(cq + params.cq_off.ring_mask);
	ring.cqes = (void *)(cq + params.cq_off.cqes);
	array = (void *)(sq + params.sq_off.array);
	tail = (void *)(sq + params.sq_off.tail);

	memset(&sqes[0], 0, sizeof(sqes[0]));
	sqes[0].opcode = IORING_OP_POLL_ADD;
	sqes[0].fd = sleeping_fds[0];
	sqes[0].poll_events = POLLIN;
	sqes[0].user_data = 5;
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	need(syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0) == 1, "io_uring_enter");
}

static void check_uring(void)
{
	const struct io_uring_cqe *cqe = &ring.cqes[*ring.cq_head & *ring.cq_mask];

	if (__atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) != *ring.cq_head)
		complain("the ring's poll ended");
	if (write(sleeping_fds[1], "", 1) != 1 ||
	    syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 ||
	    cqe->user_data != 5 || !(cqe->res & POLLIN))
		complain("the ring's poll does not end");
}

static int uffd;

static void make_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_FORK };
	struct uffdio_register reg = {
		.range = { .start = ADDRESS(map_at(STATE_FILLER, UFFD_SIZE)),
			   .len = UFFD_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	need(uffd >= 0, "userfaultfd");
	need(!ioctl(uffd, UFFDIO_API, &api), "UFFD_FEATURE_EVENT_FORK");
	need(!ioctl(uffd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER");
}

static void check_uffd(void)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };

	if (poll(&fd, 1, 0) != 0)
		complain("there is a userfaultfd event");
}

#endif
