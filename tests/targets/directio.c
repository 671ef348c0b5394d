// SPDX-License-Identifier: GPL-2.0
/*
 * directio pread|aio|io_uring|registered DEVICE SECONDS [huge|swapped]
 *
 * Fill DEVICE, which can be a file, with a known pattern. Then read from it all
 * the time with O_DIRECT, in the way named (the last is io_uring with registered
 * buffers), into pages whose other bytes other threads write all the time, and
 * check every byte of both; take snapshots of the process that does meanwhile.
 * With "huge", the pages are one huge page; with "swapped", other memory of the
 * process is swapped out. Prints a line
 * "OUTCOME COUNT SENTENCE" for each outcome of a snapshot, what was wrong with
 * the first wrong byte, and at the end
 *
 *	TAKEN REFUSED AMID READS WRONG
 *
 * AMID of the snapshots were taken while reads were under way all along, and of
 * READS there are WRONG that brought a wrong byte or lost one of another thread.
 * Or prints "unavailable" and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

#define PAGE	  4096UL
#define SECTOR	  512UL
#define DEVICE_LEN (1UL << 20)
#define SLOTS	  8
#define SLOT_LEN  (3 * PAGE)
#define HUGE_LEN  (2UL << 20)
#define STRIDE	  64	/* writers write a word in so many bytes */
#define WRITERS	  2
#define PREADERS  4

/* Shared with the process that is snapshotted. */
static struct shared {
	volatile bool ready;
	volatile bool stop;
	unsigned int under_way;
	unsigned long reads;
	unsigned long wrong;
	char first[256];
} *shared;

/* A buffer: what is read goes to its middle, what writers write around it. */
static struct slot {
	char *page;
	char *at;
	size_t len;
	off_t pos;
	uint64_t written;
} slots[SLOTS];

static int device;

static void __attribute__((noreturn)) unavailable(const char *what)
{
	printf("unavailable %s: %s\n", what, strerror(errno));
	exit(1);
}

static void need(int failed, const char *what)
{
	if (failed)
		unavailable(what);
}

static uint64_t pattern(uint64_t pos)
{
	uint64_t x = (pos / 8 + 1) * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 29;
}

static void wrong(const char *what, const struct slot *slot, const void *at, uint64_t got,
		  uint64_t want)
{
	if (!__sync_fetch_and_add(&shared->wrong, 1))
		snprintf(shared->first, sizeof(shared->first),
			 "%s: slot %d, byte %ld: %#llx, not %#llx", what, (int)(slot - slots),
			 (long)((const char *)at - slot->page), (unsigned long long)got,
			 (unsigned long long)want);
}

static char *some_pages(const char *option)
{
	char *pages = mmap(NULL, 2 * HUGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	need(pages == MAP_FAILED, "mmap");
	if (!strcmp(option, "huge")) {
		pages = (char *)(((uintptr_t)pages + HUGE_LEN - 1) & -HUGE_LEN);
		need(madvise(pages, HUGE_LEN, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	} else if (!strcmp(option, "swapped")) {
		memset(pages + HUGE_LEN, 1, HUGE_LEN);
		need(madvise(pages + HUGE_LEN, HUGE_LEN, MADV_PAGEOUT), "MADV_PAGEOUT");
	}
	return pages;
}

/* Even slots: a sector within a page. Odd ones: from within a page to within the next but one. */
static void init_slots(const char *option)
{
	char *pages = some_pages(option);
	int i;

	memset(pages, 0, SLOTS * SLOT_LEN);
	for (i = 0; i < SLOTS; i++) {
		slots[i].page = pages + i * SLOT_LEN;
		slots[i].at = slots[i].page + (i % 2 ? 4 * SECTOR : (1 + i / 2) * SECTOR);
		slots[i].len = i % 2 ? 17 * SECTOR : SECTOR;
	}
}

static void write_around(struct slot *slot)
{
	char *at;

	for (at = slot->page; at < slot->page + SLOT_LEN; at += STRIDE) {
		volatile uint64_t *word = (volatile uint64_t *)at;

		if (at >= slot->at && at < slot->at + slot->len)
			continue;
		if (*word != slot->written)
			wrong("another thread's", slot, at, *word, slot->written);
		*word = slot->written + 1;
	}
	slot->written++;
}

static void *writer(void *arg)
{
	int i, first = (intptr_t)arg;

	while (!shared->stop) {
		for (i = first; i < SLOTS; i += WRITERS)
			write_around(&slots[i]);
		usleep(200);
	}
	return NULL;
}

/* Nothing of what is read must be there before. */
static void before_read(struct slot *slot)
{
	memset(slot->at, 0xa5, slot->len);
	slot->pos = random() % ((DEVICE_LEN - slot->len) / SECTOR) * SECTOR;
	__sync_fetch_and_add(&shared->under_way, 1);
}

static void after_read(struct slot *slot, ssize_t res)
{
	size_t i;

	__sync_fetch_and_sub(&shared->under_way, 1);
	__sync_fetch_and_add(&shared->reads, 1);
	if (res != (ssize_t)slot->len)
		wrong("length", slot, slot->at, res, slot->len);
	for (i = 0; i < slot->len; i += 8) {
		uint64_t got = *(volatile uint64_t *)(slot->at + i);

		if (got != pattern(slot->pos + i)) {
			wrong("read", slot, slot->at + i, got, pattern(slot->pos + i));
			return;
		}
	}
}

static void *preader(void *arg)
{
	int i = (intptr_t)arg;

	while (!shared->stop) {
		before_read(&slots[i]);
		after_read(&slots[i], pread(device, slots[i].at, slots[i].len, slots[i].pos));
		i = (i + PREADERS) % SLOTS;
	}
	return NULL;
}

/*
 * AIO and io_uring: all slots are under way at any time, until the end.
 */
struct method {
	void (*init)(void);
	void (*submit)(int slot);
	int (*await)(ssize_t *res);
};

static aio_context_t aio;

static void aio_init(void)
{
	need(syscall(SYS_io_setup, SLOTS, &aio), "io_setup");
}

static void aio_submit(int i)
{
	static struct iocb iocbs[SLOTS];
	struct iocb *iocb = &iocbs[i];

	*iocb = (struct iocb) {
		.aio_data = i,
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = device,
		.aio_buf = (uintptr_t)slots[i].at,
		.aio_nbytes = slots[i].len,
		.aio_offset = slots[i].pos,
	};
	need(syscall(SYS_io_submit, aio, 1, &iocb) != 1, "io_submit");
}

static int aio_await(ssize_t *res)
{
	struct io_event event;

	need(syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) != 1, "io_getevents");
	*res = event.res;
	return event.data;
}

static struct ring {
	int fd;
	bool registered;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring;

static void *map_ring(size_t len, off_t offset)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
		       offset);

	need(p == MAP_FAILED, "mapping the ring");
	return p;
}

static void uring_init(void)
{
	struct io_uring_params p = { 0 };
	char *sq, *cq;

	ring.fd = syscall(SYS_io_uring_setup, SLOTS, &p);
	need(ring.fd < 0, "io_uring_setup");
	sq = map_ring(p.sq_off.array + p.sq_entries * sizeof(int), IORING_OFF_SQ_RING);
	cq = map_ring(p.cq_off.cqes + p.cq_entries * sizeof(*ring.cqes), IORING_OFF_CQ_RING);
	ring.sqes = map_ring(p.sq_entries * sizeof(*ring.sqes), IORING_OFF_SQES);
	ring.sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	ring.sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (unsigned int *)(sq + p.sq_off.array);
	ring.cq_head = (unsigned int *)(cq + p.cq_off.head);
	ring.cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	ring.cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static void registered_init(void)
{
	struct iovec vecs[SLOTS];
	int i;

	uring_init();
	for (i = 0; i < SLOTS; i++)
		vecs[i] = (struct iovec) { slots[i].page, SLOT_LEN };
	need(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, vecs, SLOTS),
	     "IORING_REGISTER_BUFFERS");
	ring.registered = true;
}

static void uring_submit(int i)
{
	unsigned int tail = *ring.sq_tail, at = tail & *ring.sq_mask;

	ring.sqes[at] = (struct io_uring_sqe) {
		.opcode = ring.registered ? IORING_OP_READ_FIXED : IORING_OP_READ,
		.fd = device,
		.addr = (uintptr_t)slots[i].at,
		.len = slots[i].len,
		.off = slots[i].pos,
		.buf_index = ring.registered ? i : 0,
		.user_data = i,
	};
	ring.sq_array[at] = at;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	need(syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0) != 1, "io_uring_enter");
}

static int uring_await(ssize_t *res)
{
	unsigned int head = *ring.cq_head;
	const struct io_uring_cqe *cqe = &ring.cqes[head & *ring.cq_mask];
	int i;

	while (__atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) == head)
		need(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL,
			     0) < 0, "waiting in io_uring_enter");
	i = cqe->user_data;
	*res = cqe->res;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return i;
}

static const struct method *method_of(const char *kind)
{
	static const struct method aio_method = { aio_init, aio_submit, aio_await };
	static const struct method uring_method = { uring_init, uring_submit, uring_await };
	static const struct method registered_method = {
		registered_init, uring_submit, uring_await
	};

	if (!strcmp(kind, "aio"))
		return &aio_method;
	if (!strcmp(kind, "io_uring"))
		return &uring_method;
	if (!strcmp(kind, "registered"))
		return &registered_method;
	return NULL;
}

static void *asynchronous_reader(void *arg)
{
	const struct method *method = arg;
	ssize_t res;
	int i;

	for (i = 0; i < SLOTS; i++) {
		before_read(&slots[i]);
		method->submit(i);
	}
	while (!shared->stop) {
		i = method->await(&res);
		after_read(&slots[i], res);
		before_read(&slots[i]);
		method->submit(i);
	}
	for (i = 0; i < SLOTS; i++) {
		int done = method->await(&res);

		after_read(&slots[done], res);
	}
	return NULL;
}

static int be_target(const char *kind, const char *option)
{
	const struct method *method = method_of(kind);
	pthread_t threads[WRITERS + PREADERS];
	int i, n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	init_slots(option);
	if (method)
		method->init();
	for (i = 0; i < WRITERS; i++)
		need(pthread_create(&threads[n++], NULL, writer, (void *)(intptr_t)i), "a thread");
	for (i = 0; i < (method ? 1 : PREADERS); i++)
		need(pthread_create(&threads[n++], NULL, method ? asynchronous_reader : preader,
				    method ? (void *)method : (void *)(intptr_t)i), "a thread");
	shared->ready = true;
	while (n)
		pthread_join(threads[--n], NULL);
	for (i = 0; i < SLOTS; i++)
		write_around(&slots[i]);
	return 0;
}

static void fill_device(const char *path)
{
	int fd = open(path, O_WRONLY | O_DIRECT | O_CREAT, 0600);
	uint64_t *words;
	size_t i;

	need(fd < 0, path);
	words = mmap(NULL, DEVICE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(words == MAP_FAILED, "mmap");
	for (i = 0; i < DEVICE_LEN / 8; i++)
		words[i] = pattern(i * 8);
	need(pwrite(fd, words, DEVICE_LEN, 0) != DEVICE_LEN, "filling the device");
	munmap(words, DEVICE_LEN);
	close(fd);
}

static struct outcome {
	int count;
	char sentence[1024];
} outcomes[16];

static void note(const char *sentence)
{
	int i;

	for (i = 0; i < 15 && outcomes[i].count; i++)
		if (!strcmp(outcomes[i].sentence, sentence))
			break;
	outcomes[i].count++;
	snprintf(outcomes[i].sentence, sizeof(outcomes[i].sentence), "%s", sentence);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct kcs_client client;
	int taken = 0, refused = 0, amid = 0, i, fd, err, status;
	double end;
	pid_t pid;

	if ((argc != 4 && argc != 5) || kcs_open(&client))
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	need(shared == MAP_FAILED, "mmap");
	fill_device(argv[2]);
	device = open(argv[2], O_RDONLY | O_DIRECT);
	need(device < 0, argv[2]);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		return be_target(argv[1], argc == 5 ? argv[4] : "");
	while (!shared->ready) {
		if (waitpid(pid, &status, WNOHANG))
			return 1;
		usleep(1000);
	}
	end = now() + atof(argv[3]);
	while (now() < end) {
		unsigned int before = shared->under_way;

		err = kcs_snapshot(&client, pid, &fd);
		if (err) {
			note(client.sentence);
			refused++;
			usleep(20000);
			continue;
		}
		taken++;
		amid += before && shared->under_way;
		/* Longer than a read takes, or not. */
		usleep(random() % 100000);
		close(fd);
	}
	shared->stop = true;
	waitpid(pid, &status, 0);
	for (i = 0; i < 16 && outcomes[i].count; i++)
		printf("refused %d %s\n", outcomes[i].count, outcomes[i].sentence);
	if (shared->wrong)
		printf("first wrong: %s\n", shared->first);
	printf("%d %d %d %lu %lu\n", taken, refused, amid, shared->reads, shared->wrong);
	return status != 0;
}
