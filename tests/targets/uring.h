/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sendmsg(2) by io_uring, without a library: one ring per message.
 */
#ifndef KCS_TESTS_URING_H
#define KCS_TESTS_URING_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

struct kcs_ring {
	int fd;
	struct io_uring_params p;
	char *sq, *cq;
	size_t sq_len, cq_len, sqes_len;
	struct io_uring_sqe *sqes;
};

static inline unsigned int *kcs_ring_word(char *ring, unsigned int offset)
{
	return (unsigned int *)(ring + offset);
}

static inline void *kcs_ring_map(struct kcs_ring *ring, size_t len, off_t what)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, what);
}

static inline void kcs_ring_close(struct kcs_ring *ring)
{
	munmap(ring->sq, ring->sq_len);
	munmap(ring->cq, ring->cq_len);
	munmap(ring->sqes, ring->sqes_len);
	close(ring->fd);
}

/* @setup: IORING_SETUP_*. Returns 0, or -1 with errno. */
static inline int kcs_ring_open(struct kcs_ring *ring, unsigned int setup)
{
	memset(ring, 0, sizeof(*ring));
	ring->p.flags = setup;
	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->p);
	if (ring->fd < 0)
		return -1;
	ring->sq_len = ring->p.sq_off.array + ring->p.sq_entries * sizeof(int);
	ring->cq_len = ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe);
	ring->sqes_len = ring->p.sq_entries * sizeof(struct io_uring_sqe);
	ring->sq = kcs_ring_map(ring, ring->sq_len, IORING_OFF_SQ_RING);
	ring->cq = kcs_ring_map(ring, ring->cq_len, IORING_OFF_CQ_RING);
	ring->sqes = kcs_ring_map(ring, ring->sqes_len, IORING_OFF_SQES);
	if (ring->sq != MAP_FAILED && ring->cq != MAP_FAILED && ring->sqes != MAP_FAILED)
		return 0;
	close(ring->fd);
	return -1;
}

/* Returns the result of the one request in the ring, or -errno. */
static inline int kcs_ring_run(struct kcs_ring *ring)
{
	const struct io_uring_params *p = &ring->p;
	unsigned int *head = kcs_ring_word(ring->cq, p->cq_off.head);
	unsigned int *tail = kcs_ring_word(ring->cq, p->cq_off.tail);
	const struct io_uring_cqe *cqe = (const void *)(ring->cq + p->cq_off.cqes);
	unsigned int submit = 1;

	*kcs_ring_word(ring->sq, p->sq_off.array) = 0;
	__atomic_store_n(kcs_ring_word(ring->sq, p->sq_off.tail), 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head) {
		if (syscall(SYS_io_uring_enter, ring->fd, submit, 1,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0 &&
		    errno != EINTR)
			return -errno;
		submit = 0;
	}
	return cqe->res;
}

/**
 * kcs_ring_sendmsg() - as sendmsg(2)
 * @setup: IORING_SETUP_SQPOLL: a kernel thread of the process sends
 * @flags: IOSQE_ASYNC: a worker of the process sends
 */
static inline ssize_t kcs_ring_sendmsg(int fd, const struct msghdr *hdr, unsigned int setup,
				       unsigned int flags)
{
	struct kcs_ring ring;
	int res;

	if (kcs_ring_open(&ring, setup))
		return -1;
	ring.sqes[0] = (struct io_uring_sqe) {
		.opcode = IORING_OP_SENDMSG, .flags = flags, .fd = fd,
		.addr = (unsigned long)hdr, .len = 1,
	};
	res = kcs_ring_run(&ring);
	kcs_ring_close(&ring);
	if (res >= 0)
		return res;
	errno = -res;
	return -1;
}

#endif /* KCS_TESTS_URING_H */
