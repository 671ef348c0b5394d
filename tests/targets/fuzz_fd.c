// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_fd SEED CALLS PID
 *
 * Take snapshots of a stopped process and use their descriptors in every way
 * that comes to mind, from several threads at once, with offsets, sizes and
 * buffers that are right and wrong. What is read is compared with what was read
 * at first; errors must be among those that are known. Each second snapshot is
 * cancelled, and each descriptor closed, while it is in use. Prints what came of
 * it; exits with 1 after a byte or an error that must not be.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include <linux/aio_abi.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/io_uring.h>

#include "netlink.h"
#include "random.h"

#define THREADS 4
#define SPAN (256UL << 10)	/* bytes of a thread's buffer */
#define PAGE 4096UL
#define CALLS_A_SNAPSHOT 3000UL
#define EXTENTS 64

struct worker {
	pthread_t thread;
	struct kcs_random random;
	char *buf;		/* SPAN bytes, then a page that is not there */
	char *holey;		/* SPAN bytes, every other page not there */
	char *read_only;	/* SPAN bytes */
	int pipes[2];
	int file;
	int ring;
	struct io_uring_sqe *sqe;
	char *sq;
	char *cq;
	struct io_uring_params params;
	aio_context_t aio;
	unsigned long calls;
	unsigned long compared;	/* bytes */
};

static struct kcs_client client;
static int snapshot_fd;
static off_t size;
static char *core;		/* what the first read brought; holes are left out */
static off_t core_room;
static struct { off_t start, end; } extents[EXTENTS];	/* some of those that hold data */
static unsigned int nr_extents;
static atomic_bool dropped;	/* the snapshot may have been */
static atomic_bool closed;	/* the descriptor may be another file by now */
static unsigned long calls_each;

static uint32_t below(struct worker *w, uint32_t limit)
{
	return kcs_random_below(&w->random, limit);
}

static bool one_in(struct worker *w, uint32_t times)
{
	return kcs_one_in(&w->random, times);
}

static void fail(const char *what, long result)
{
	fprintf(stderr, "fuzz_fd: %s: %ld, errno %d (%s)\n", what, result, errno, strerror(errno));
	_exit(1);
}

/* To any call's result: an error is one of those that it may have. */
static long check(const char *what, long result, const int *allowed)
{
	int error = errno;

	/* Once closed, the descriptor may stand for any other file. */
	if (result >= 0 || error == EBADF || closed)
		return result;
	if (error == ECANCELED && dropped)
		return result;
	for (; *allowed; allowed++)
		if (*allowed == error)
			return result;
	fail(what, result);
	return result;
}

#define ALLOWED(...) ((const int[]) { __VA_ARGS__, 0 })

static void compare(struct worker *w, const char *what, const char *got, off_t pos, long len)
{
	if (len <= 0)
		return;
	if (pos < 0 || pos > size || len > size - pos)
		fail(what, len);
	if (memcmp(got, core + pos, len)) {
		errno = 0;
		fprintf(stderr, "fuzz_fd: at %lld, of %ld bytes\n", (long long)pos, len);
		fail(what, len);
	}
	w->compared += len;
}

/* Mostly within the file. */
static off_t some_offset(struct worker *w)
{
	static const off_t odd[] = {
		-1, -4096, LLONG_MIN, LLONG_MAX, LLONG_MAX - 4095, 1LL << 32, 1LL << 62, INT_MAX,
	};

	switch (below(w, 8)) {
	case 0:
		return odd[below(w, sizeof(odd) / sizeof(odd[0]))];
	case 1:
		return size + (off_t)below(w, 8192) - 4096;
	case 2:
		return below(w, 64) * 56;
	case 3:
		return kcs_random(&w->random) % size;
	default: {
		unsigned int i = below(w, nr_extents);
		off_t len = extents[i].end - extents[i].start;

		if (one_in(w, 3))
			return extents[i].end - below(w, PAGE);
		return extents[i].start + kcs_random(&w->random) % len;
	}
	}
}

static size_t some_size(struct worker *w)
{
	switch (below(w, 8)) {
	case 0:
		return below(w, 2);
	case 1:
		return SPAN;
	case 2:
		return below(w, 64) * PAGE;
	default:
		return below(w, 3 * PAGE);
	}
}

static const int read_errors[] = { EINVAL, EFAULT, EOVERFLOW, 0 };

/* Into a buffer that ends where memory does, has holes or can't be written to. */
static void do_pread(struct worker *w)
{
	off_t pos = some_offset(w);
	size_t len = some_size(w);
	char *to = w->buf + SPAN - len;
	long got;

	switch (below(w, 8)) {
	case 0:
		to = w->holey + below(w, SPAN - len + 1);
		check("pread to a hole", pread(snapshot_fd, to, len, pos), read_errors);
		return;
	case 1:
		to = w->read_only + below(w, SPAN - len + 1);
		check("pread to what is read-only", pread(snapshot_fd, to, len, pos), read_errors);
		return;
	case 2:
		/* More than there is room for: all that fits, or EFAULT. */
		got = check("pread beyond", pread(snapshot_fd, to, len + below(w, 1 << 30), pos),
			    read_errors);
		if (got > (long)len)
			fail("more than there is room for", got);
		break;
	case 3:
		to = (char *)kcs_random(&w->random);
		check("pread to nowhere", pread(snapshot_fd, to, len, pos), read_errors);
		return;
	default:
		got = check("pread", pread(snapshot_fd, to, len, pos), read_errors);
		if (got > (long)len)
			fail("pread read more than it was asked for", got);
		if (got < 0 && errno == EFAULT)
			fail("pread to a good buffer", got);
		break;
	}
	if (!closed)
		compare(w, "pread", to, pos, got);
}

static void do_preadv(struct worker *w)
{
	struct iovec iov[4];
	off_t pos = some_offset(w);
	int count = below(w, 5), flags = one_in(w, 2) ? 0 : (int)(below(w, 256) * one_in(w, 2));
	size_t at = 0;
	long got;
	int i;

	for (i = 0; i < 4; i++) {
		iov[i].iov_base = w->buf + at;
		iov[i].iov_len = below(w, SPAN / 4);
		at += iov[i].iov_len;
	}
	if (pos == -1)
		pos = 0;	/* would be the file's own position */
	got = check("preadv2", syscall(__NR_preadv2, snapshot_fd, iov, count, pos, 0, flags),
		    ALLOWED(EINVAL, EOPNOTSUPP, EAGAIN, EPERM, EOVERFLOW));
	if (!closed)
		compare(w, "preadv2", w->buf, pos, got);
}

static void do_read(struct worker *w)
{
	struct iovec iov[2] = { { w->buf, below(w, PAGE) }, { w->holey, SPAN } };

	/* Its position is every thread's. */
	check("read", read(snapshot_fd, w->buf, some_size(w)), read_errors);
	check("readv", readv(snapshot_fd, iov, 1 + below(w, 2)), read_errors);
}

static void do_lseek(struct worker *w)
{
	off_t pos = some_offset(w), got;
	int whence = below(w, 7);

	got = check("lseek", lseek(snapshot_fd, pos, whence), ALLOWED(EINVAL, ENXIO, EOVERFLOW));
	if (got < 0 || closed)
		return;
	if (whence == SEEK_SET && got != pos)
		fail("SEEK_SET", got);
	if ((whence == SEEK_DATA || whence == SEEK_HOLE) && (got < pos || got > size))
		fail("SEEK_DATA or SEEK_HOLE", got);
	if (whence == SEEK_DATA && got - pos <= (off_t)SPAN) {
		off_t i;

		for (i = pos; i < got; i++)
			if (core[i])
				fail("data before what SEEK_DATA found", i);
	}
}

static void do_splice(struct worker *w)
{
	loff_t pos = some_offset(w);
	loff_t from = pos;
	size_t len = some_size(w);
	long got, more, copied;

	if (one_in(w, 8))
		fcntl(w->pipes[1], F_SETPIPE_SZ, PAGE << below(w, 6));
	got = check("splice", syscall(__NR_splice, snapshot_fd, &pos, w->pipes[1], NULL, len,
				      SPLICE_F_NONBLOCK | below(w, 16)),
		    ALLOWED(EINVAL, EAGAIN, EOVERFLOW, EFAULT));
	if (got <= 0)
		return;
	if (pos != from + got)
		fail("splice moved its position wrongly", pos - from);
	if (one_in(w, 4)) {
		int other[2];

		if (pipe2(other, O_NONBLOCK | O_CLOEXEC))
			fail("pipe2", -1);
		copied = check("tee", tee(w->pipes[0], other[1], got, SPLICE_F_NONBLOCK),
			       ALLOWED(EAGAIN));
		more = copied > 0 ? read(other[0], w->buf, copied) : 0;
		if (!closed)
			compare(w, "tee", w->buf, from, more);
		close(other[0]);
		close(other[1]);
	}
	for (; got > 0; got -= more, from += more) {
		more = read(w->pipes[0], w->buf, got < (long)SPAN ? got : (long)SPAN);
		if (more <= 0)
			fail("a pipe lost what was spliced into it", more);
		if (!closed)
			compare(w, "splice", w->buf, from, more);
	}
}

static void do_copies(struct worker *w)
{
	off_t pos = some_offset(w), from = pos, to = 0;
	size_t len = some_size(w);
	long got;

	if (ftruncate(w->file, 0) || lseek(w->file, 0, SEEK_SET))
		fail("a memfd", -1);
	if (one_in(w, 2))
		got = check("sendfile", sendfile(w->file, snapshot_fd, &pos, len),
			    ALLOWED(EINVAL, EOVERFLOW, EAGAIN));
	else
		got = check("copy_file_range",
			    syscall(__NR_copy_file_range, snapshot_fd, &pos, w->file, &to, len,
				    one_in(w, 8) ? below(w, 4) : 0),
			    ALLOWED(EINVAL, EXDEV, EOVERFLOW, EOPNOTSUPP));
	if (got > 0 && pread(w->file, w->buf, SPAN, 0) != got)
		fail("a copy is too short", got);
	if (!closed)
		compare(w, "a copy", w->buf, from, got);
	check("copy_file_range into it",
	      syscall(__NR_copy_file_range, w->file, NULL, snapshot_fd, NULL, len, 0),
	      ALLOWED(EINVAL, EXDEV, EPERM));
	check("sendfile into it", sendfile(snapshot_fd, w->file, NULL, len), ALLOWED(EINVAL));
}

static void *map_ring(struct worker *w, size_t len, off_t which)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, w->ring, which);

	if (at == MAP_FAILED)
		fail("io_uring", -1);
	return at;
}

static void setup_ring(struct worker *w)
{
	w->ring = syscall(__NR_io_uring_setup, 4, &w->params);
	if (w->ring < 0)
		return;
	w->sq = map_ring(w, w->params.sq_off.array + 4 * sizeof(int), IORING_OFF_SQ_RING);
	w->cq = map_ring(w, w->params.cq_off.cqes +
			    w->params.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	w->sqe = map_ring(w, 4 * sizeof(*w->sqe), IORING_OFF_SQES);
}

static void do_uring(struct worker *w)
{
	unsigned int *head, *tail, slot;
	const struct io_uring_cqe *cqe;
	off_t pos = some_offset(w);
	size_t len = some_size(w);

	if (w->ring < 0)
		return;
	if (pos == -1)
		pos = 0;
	tail = (unsigned int *)(w->sq + w->params.sq_off.tail);
	slot = *tail & (w->params.sq_entries - 1);
	w->sqe[slot] = (struct io_uring_sqe) {
		.opcode = IORING_OP_READ,
		.flags = one_in(w, 2) ? IOSQE_ASYNC : 0,
		.fd = snapshot_fd,
		.addr = (uintptr_t)w->buf,
		.len = len,
		.off = pos,
	};
	((unsigned int *)(w->sq + w->params.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, w->ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		fail("io_uring_enter", -1);
	head = (unsigned int *)(w->cq + w->params.cq_off.head);
	cqe = (const struct io_uring_cqe *)(w->cq + w->params.cq_off.cqes) +
	      (*head & (w->params.cq_entries - 1));
	errno = -cqe->res;
	check("io_uring", cqe->res < 0 ? -1 : cqe->res, ALLOWED(EINVAL, EOVERFLOW, EAGAIN));
	if (!closed)
		compare(w, "io_uring", w->buf, pos, cqe->res);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static void do_aio(struct worker *w)
{
	off_t pos = some_offset(w);
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = snapshot_fd,
		.aio_buf = (uintptr_t)w->buf,
		.aio_nbytes = some_size(w),
		.aio_offset = pos,
	};
	struct iocb *list = &iocb;
	struct io_event event;

	if (check("io_submit", syscall(__NR_io_submit, w->aio, 1, &list),
		  ALLOWED(EINVAL, EOVERFLOW, EAGAIN)) != 1)
		return;
	if (syscall(__NR_io_getevents, w->aio, 1, 1, &event, NULL) != 1)
		fail("io_getevents", -1);
	errno = -event.res;
	check("aio", event.res, ALLOWED(EINVAL, EOVERFLOW));
	if (!closed)
		compare(w, "aio", w->buf, pos, event.res);
}

static void do_mmap(struct worker *w)
{
	size_t len = PAGE << below(w, 8);
	int kind = one_in(w, 2) ? MAP_SHARED : MAP_PRIVATE;
	void *at = mmap(NULL, len, PROT_READ, kind, snapshot_fd, some_offset(w) & ~(PAGE - 1));

	if (at != MAP_FAILED && !closed)
		fail("mmap", 0);
	check("mmap", at == MAP_FAILED ? -1 : munmap(at, len),
	      ALLOWED(ENODEV, EINVAL, EOVERFLOW, ENOMEM, EACCES));
}

/* What changes a file must not change this one. */
static void do_changes(struct worker *w)
{
	static const int errors[] = { EINVAL, EPERM, EACCES, EOPNOTSUPP, ENOTTY, EFBIG, ENODEV,
				      ESPIPE, EXDEV, 0 };
	struct timespec times[2] = {};
	long result;

	switch (below(w, 12)) {
	case 0:
		result = ftruncate(snapshot_fd, some_offset(w));
		break;
	case 1:
		result = fallocate(snapshot_fd, below(w, 128), some_offset(w), some_size(w));
		break;
	case 2:
		result = pwrite(snapshot_fd, w->buf, some_size(w) + 1, some_offset(w));
		break;
	case 3:
		result = fchmod(snapshot_fd, below(w, 4096));
		break;
	case 4:
		result = fchown(snapshot_fd, below(w, 100), below(w, 100));
		break;
	case 5:
		result = futimens(snapshot_fd, times);
		break;
	case 6:
		result = fsetxattr(snapshot_fd, "user.x", "x", 1, 0);
		break;
	case 7:
		result = ioctl(snapshot_fd, FICLONE, w->file);
		break;
	case 8:
		result = ioctl(snapshot_fd, FIFREEZE, 0);
		break;
	case 9:
		result = fcntl(snapshot_fd, F_SETFL, O_DIRECT);
		break;
	case 10: {
		int flags = 0;

		result = ioctl(snapshot_fd, FS_IOC_SETFLAGS, &flags);
		break;
	}
	default:
		result = fcntl(snapshot_fd, F_ADD_SEALS, 15);
		break;
	}
	check("a change", result, errors);
	if (result >= 0 && !closed)
		fail("it could be changed", result);
}

/* What is asked of a file, and may be had or not. */
static void do_questions(struct worker *w)
{
	static const int errors[] = { EINVAL, EPERM, EACCES, EOPNOTSUPP, ENOTTY, ENOTDIR, EAGAIN,
				      ENODATA, ESPIPE, EXDEV, ENOENT, EFAULT, 0 };
	struct pollfd poll_fd = { snapshot_fd, POLLIN | POLLOUT, 0 };
	struct { struct file_handle handle; char room[128]; } handle;
	struct epoll_event event = { .events = EPOLLIN };
	struct statfs statfs;
	struct stat stat;
	long result;
	int fd, number = 0;

	switch (below(w, 20)) {
	case 0:
		result = fstat(snapshot_fd, &stat);
		if (!result && !closed && (!S_ISREG(stat.st_mode) || stat.st_size != size))
			fail("fstat", stat.st_size);
		break;
	case 1:
		result = fstatfs(snapshot_fd, &statfs);
		break;
	case 2:
		result = poll(&poll_fd, 1, 0);
		break;
	case 3:
		fd = epoll_create1(EPOLL_CLOEXEC);
		result = epoll_ctl(fd, EPOLL_CTL_ADD, snapshot_fd, &event);
		close(fd);
		break;
	case 4:
		result = -posix_fadvise(snapshot_fd, some_offset(w), some_offset(w), below(w, 8));
		errno = -result;
		break;
	case 5:
		result = readahead(snapshot_fd, some_offset(w), some_size(w));
		break;
	case 6:
		result = one_in(w, 2) ? fsync(snapshot_fd) : fdatasync(snapshot_fd);
		break;
	case 7:
		result = syncfs(snapshot_fd);
		break;
	case 8:
		result = sync_file_range(snapshot_fd, some_offset(w), some_size(w), below(w, 8));
		break;
	case 9:
		result = flock(snapshot_fd, (1 << below(w, 4)) | LOCK_NB);
		break;
	case 10:
		/* Not for writing: who opens the file again would wait for 45 s. */
		result = fcntl(snapshot_fd, F_SETLEASE, one_in(w, 2) ? F_RDLCK : F_UNLCK);
		break;
	case 11:
		result = fcntl(snapshot_fd, F_GETLEASE);
		break;
	case 12: {
		struct flock lock = { .l_type = below(w, 3), .l_start = some_offset(w),
				      .l_len = some_size(w) };

		result = fcntl(snapshot_fd, F_SETLK, &lock);
		if (result < 0 && errno == EOVERFLOW)
			errno = EINVAL;
		break;
	}
	case 13:
		result = ioctl(snapshot_fd, one_in(w, 2) ? FIONREAD : FIBMAP, &number);
		break;
	case 14:
		/* Any number, none of which is an order to something else. */
		result = ioctl(snapshot_fd, 0xab000000 | below(w, 65536), w->holey);
		break;
	case 15:
		result = syscall(__NR_getdents64, snapshot_fd, w->buf, PAGE);
		break;
	case 16:
		handle.handle.handle_bytes = below(w, 128);
		result = name_to_handle_at(snapshot_fd, "", &handle.handle, &number, AT_EMPTY_PATH);
		if (result < 0 && errno == EOVERFLOW)
			errno = EINVAL;
		break;
	case 17:
		result = fgetxattr(snapshot_fd, "user.x", w->buf, 10);
		break;
	case 18:
		result = syscall(__NR_openat, snapshot_fd, "x", O_RDONLY | O_CLOEXEC);
		break;
	default:
		result = syscall(__NR_statx, snapshot_fd, "", AT_EMPTY_PATH, below(w, 4096),
				 w->buf);
		break;
	}
	check("a question", result, errors);
}

/* It is opened again, and the new one read from. */
static void do_reopen(struct worker *w)
{
	static const int extra[] = { O_DIRECT, O_PATH, O_NONBLOCK, O_APPEND, O_NOATIME, O_TRUNC,
				     O_SYNC, O_ASYNC, O_DIRECTORY, O_NOFOLLOW };
	int flags = O_CLOEXEC | below(w, 4), i, fd;
	off_t pos = kcs_random(&w->random) % size;
	char path[40];
	long got;

	for (i = below(w, 3); i > 0; i--)
		flags |= extra[below(w, sizeof(extra) / sizeof(extra[0]))];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", snapshot_fd);
	fd = check("reopen", open(path, flags),
		   ALLOWED(EINVAL, EPERM, EACCES, ENOENT, ENOTDIR, ELOOP, ENXIO));
	if (fd < 0)
		return;
	got = pread(fd, w->buf, SPAN, pos);
	if (!closed && !(flags & (O_PATH | O_NOFOLLOW | O_ACCMODE)))
		compare(w, "read from the one opened again", w->buf, pos,
			check("read again", got, ALLOWED(EINVAL)));
	close(fd);
}

static void do_watches(struct worker *w)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", snapshot_fd);
	check("inotify", inotify_add_watch(fd, path, IN_ALL_EVENTS), ALLOWED(ENOENT, EACCES));
	do_pread(w);
	/* Half of them while the file is watched. */
	if (one_in(w, 2))
		do_reopen(w);
	close(fd);
}

static void (*const actions[])(struct worker *w) = {
	do_pread, do_pread, do_pread, do_preadv, do_read, do_lseek, do_lseek, do_splice, do_splice,
	do_copies, do_uring, do_aio, do_mmap, do_changes, do_questions, do_questions, do_reopen,
	do_watches,
};

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned long i;

	for (i = 0; i < calls_each && !closed; i++, w->calls++)
		actions[below(w, sizeof(actions) / sizeof(actions[0]))](w);
	return NULL;
}

static char *memory(size_t len, int protection)
{
	char *at = mmap(NULL, len, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		err(2, "mmap");
	return at;
}

static void setup(struct worker *w, uint64_t seed, int number)
{
	size_t i;

	kcs_random_seed(&w->random, seed, number);
	w->buf = memory(SPAN + PAGE, PROT_READ | PROT_WRITE);
	mprotect(w->buf + SPAN, PAGE, PROT_NONE);
	w->holey = memory(SPAN, PROT_READ | PROT_WRITE);
	for (i = 0; i < SPAN; i += 2 * PAGE)
		mprotect(w->holey + i, PAGE, PROT_NONE);
	w->read_only = memory(SPAN, PROT_READ);
	w->file = memfd_create("copy", MFD_CLOEXEC);
	if (w->file < 0 || pipe2(w->pipes, O_NONBLOCK | O_CLOEXEC) ||
	    syscall(__NR_io_setup, 4, &w->aio))
		err(2, "setup");
	setup_ring(w);
}

static void read_extent(off_t start, off_t end)
{
	ssize_t n;

	if (nr_extents < EXTENTS) {
		extents[nr_extents].start = start;
		extents[nr_extents++].end = end;
	}
	for (; start < end; start += n) {
		n = pread(snapshot_fd, core + start, end - start, start);
		if (n <= 0)
			err(1, "the first read");
	}
}

static void read_core(void)
{
	off_t start = 0, end;

	if (core)
		munmap(core, core_room);
	core_room = size;
	core = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (core == MAP_FAILED)
		err(2, "no room for a copy of the core");
	nr_extents = 0;
	while ((start = lseek(snapshot_fd, start, SEEK_DATA)) >= 0) {
		end = lseek(snapshot_fd, start, SEEK_HOLE);
		if (end <= start)
			errx(1, "no hole behind the data at %lld", (long long)start);
		read_extent(start, end);
		start = end;
	}
	if (errno != ENXIO)
		err(1, "SEEK_DATA");
}

static void round_of(struct worker *workers, struct kcs_random *random, pid_t pid, bool cancel)
{
	uint32_t id;
	int i;

	errno = kcs_snapshot(&client, pid, &snapshot_fd);
	if (errno)
		err(1, "snapshot: %s", client.sentence);
	size = kcs_attr(&client, KCORESNAP_A_SIZE);
	id = kcs_attr(&client, KCORESNAP_A_ID);
	dropped = false;
	closed = false;
	read_core();
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			err(2, "thread");
	if (cancel) {
		usleep(kcs_random_below(random, 200000));
		dropped = true;
		errno = kcs_cancel(&client, id);
		if (errno)
			err(1, "cancel");
		usleep(kcs_random_below(random, 20000));
		closed = true;
		close(snapshot_fd);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	if (!cancel)
		close(snapshot_fd);
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS];
	unsigned long calls = 0, compared = 0, total;
	struct kcs_random random;
	uint64_t seed;
	int i, rounds = 0;

	if (argc != 4)
		errx(2, "usage: fuzz_fd SEED CALLS PID");
	seed = strtoull(argv[1], NULL, 0);
	total = strtoul(argv[2], NULL, 0);
	signal(SIGIO, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	kcs_random_seed(&random, seed, THREADS);
	for (i = 0; i < THREADS; i++)
		setup(&workers[i], seed, i);
	errno = kcs_open(&client);
	if (errno)
		err(2, "netlink");
	calls_each = CALLS_A_SNAPSHOT / THREADS;
	while (calls < total) {
		round_of(workers, &random, atoi(argv[3]), rounds++ % 2);
		for (calls = compared = i = 0; i < THREADS; i++) {
			calls += workers[i].calls;
			compared += workers[i].compared;
		}
	}
	printf("seed %llu: %lu calls on %d snapshots, %lu MiB compared\n", (unsigned long long)seed,
	       calls, rounds, compared >> 20);
	return 0;
}
