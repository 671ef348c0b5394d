// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "compress.h"
#include "copy.h"
#include "test.h"

#define PAGE 4096
#define NONE UINT64_MAX

/* How the wrapped calls misbehave; zero is not at all. */
static struct {
	size_t write_max;	/* bytes that one call moves, 0 is any */
	size_t read_max;
	unsigned int interrupt_every;
	unsigned int again_every;
	unsigned int calls;
	unsigned int polls;
	unsigned int splices;
	int splice_errno;
	int seek_errno;
	uint64_t read_fails_at;
	int read_errno;
	uint64_t write_fails_at;
	int write_errno;
	uint64_t written;
	unsigned int syncs;
	off_t synced_from;		/* by the first of them */
	unsigned int sync_fails_at;	/* the call of that number, 0 is none */
	int sync_errno;
} faults;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t offset);
ssize_t __real_pread(int fd, void *buf, size_t len, off_t offset);
off_t __real_lseek(int fd, off_t offset, int whence);
ssize_t __real_splice(int in, off_t *in_offset, int out, off_t *out_offset,
		      size_t len, unsigned int flags);
int __real_sync_file_range(int fd, off_t offset, off_t len, unsigned int flags);

static int misbehave(void)
{
	faults.calls++;
	if (faults.interrupt_every && !(faults.calls % faults.interrupt_every))
		return EINTR;
	if (faults.again_every && !(faults.calls % faults.again_every))
		return EAGAIN;
	return 0;
}

static size_t shorten(size_t len, size_t max)
{
	return max && len > max ? max : len;
}

static int write_fault(void)
{
	if (faults.written >= faults.write_fails_at)
		return faults.write_errno;
	return misbehave();
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	errno = write_fault();
	if (errno)
		return -1;
	len = shorten(len, faults.write_max);
	faults.written += len;
	return __real_write(fd, buf, len);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	errno = write_fault();
	if (errno)
		return -1;
	len = shorten(len, faults.write_max);
	faults.written += len;
	return __real_pwrite(fd, buf, len, offset);
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset)
{
	if ((uint64_t)offset >= faults.read_fails_at) {
		errno = faults.read_errno;
		return errno ? -1 : 0;
	}
	faults.calls++;
	if (faults.interrupt_every && !(faults.calls % faults.interrupt_every)) {
		errno = EINTR;
		return -1;
	}
	return __real_pread(fd, buf, shorten(len, faults.read_max), offset);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	if (faults.seek_errno && (whence == SEEK_DATA || whence == SEEK_HOLE)) {
		errno = faults.seek_errno;
		return -1;
	}
	return __real_lseek(fd, offset, whence);
}

ssize_t __wrap_splice(int in, off_t *in_offset, int out, off_t *out_offset,
		      size_t len, unsigned int flags)
{
	faults.splices++;
	if (faults.splice_errno) {
		errno = faults.splice_errno;
		return -1;
	}
	if ((uint64_t)*in_offset >= faults.read_fails_at) {
		errno = faults.read_errno;
		return errno ? -1 : 0;
	}
	errno = misbehave();
	if (errno)
		return -1;
	return __real_splice(in, in_offset, out, out_offset,
			     shorten(len, faults.read_max), flags);
}

int __wrap_sync_file_range(int fd, off_t offset, off_t len, unsigned int flags)
{
	if (!faults.syncs)
		faults.synced_from = offset;
	errno = ++faults.syncs == faults.sync_fails_at ? faults.sync_errno : 0;
	return errno ? -1 : __real_sync_file_range(fd, offset, len, flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	assert_int_equal(n, 1);
	assert_int_equal(fds->events, POLLOUT);
	faults.polls++;
	return 1;
}

/*
 * The core under test: data, a hole, data with pages of zeros in it, data that
 * begins and ends off page boundaries, and a hole at the end.
 */
#define CORE_SIZE (4 * 1024 * 1024 + 123)

static char expected[CORE_SIZE];
static int core = -1;

static void fill(size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++)
		expected[i] = (char)(i * 2654435761U >> 13 | 1);
	assert_int_equal(__real_pwrite(core, expected + from, to - from, from),
			 to - from);
}

static int make_core(void **state)
{
	static const char zeros[8 * PAGE];

	core = memfd_create("core", 0);
	if (core < 0 || ftruncate(core, CORE_SIZE))
		return -1;
	fill(0, 700);
	fill(3 * PAGE, 5 * PAGE);
	__real_pwrite(core, zeros, sizeof(zeros), 5 * PAGE);
	fill(13 * PAGE, 14 * PAGE + 17);
	fill(1024 * 1024 - 9, 2 * 1024 * 1024 + 9);
	return 0;
}

static int close_core(void **state)
{
	return close(core);
}

static int behave(void **state)
{
	memset(&faults, 0, sizeof(faults));
	faults.read_fails_at = NONE;
	faults.write_fails_at = NONE;
	return 0;
}

static void check_file(int fd, size_t base)
{
	char *got = malloc(CORE_SIZE);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, base + CORE_SIZE);
	assert_int_equal(__real_pread(fd, got, CORE_SIZE, base), CORE_SIZE);
	assert_memory_equal(got, expected, CORE_SIZE);
	free(got);
}

/* A real file system, in which holes can be counted. */
static int make_file(void)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fd = dup(fileno(file));
	fclose(file);
	assert_true(fd >= 0);
	return fd;
}

static void copy_sparse_at(size_t base)
{
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_SPARSE,
		.base = base, .size = CORE_SIZE,
	};

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	assert_int_equal(copy.done, CORE_SIZE);
	assert_int_equal(__real_lseek(copy.out, 0, SEEK_CUR), 0);
	check_file(copy.out, base);
	close(copy.out);
}

static void sparse_copy_is_equal(void **state)
{
	copy_sparse_at(0);
}

static void sparse_copy_begins_anywhere(void **state)
{
	copy_sparse_at(1);
	copy_sparse_at(3 * PAGE + 5);
}

static void sparse_copy_leaves_zeros_out(void **state)
{
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_SPARSE,
		.size = CORE_SIZE,
	};

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	/* 1 + 2 + 2 pages, and 256 with one more at either end */
	assert_true(faults.written > 261 * PAGE);
	assert_true(faults.written <= 263 * PAGE);
	assert_true(copy.data < CORE_SIZE / 2);
	close(copy.out);
}

static void sparse_copy_stands_short_calls(void **state)
{
	faults.write_max = 1000;
	faults.read_max = 7777;
	faults.interrupt_every = 3;
	copy_sparse_at(0);
}

static void file_without_holes_is_all_data(void **state)
{
	faults.seek_errno = EINVAL;
	copy_sparse_at(0);
}

static void all_holes_make_an_empty_file(void **state)
{
	struct kcs_copy copy = {
		.in = memfd_create("hole", 0), .out = make_file(),
		.sink = KCS_SINK_SPARSE, .size = 10 * PAGE,
	};
	struct stat st;

	assert_int_equal(ftruncate(copy.in, 10 * PAGE), 0);
	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	assert_int_equal(faults.written, 0);
	assert_int_equal(fstat(copy.out, &st), 0);
	assert_int_equal(st.st_size, 10 * PAGE);
	assert_int_equal(copy.data, 0);
	close(copy.in);
	close(copy.out);
}

/* The other end of a pipe. */
struct reader {
	pthread_t thread;
	int fd;
	size_t len;
	char got[CORE_SIZE + 1];
};

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	ssize_t n;

	do {
		n = read(reader->fd, reader->got + reader->len,
			 sizeof(reader->got) - reader->len);
		reader->len += n > 0 ? n : 0;
	} while (n > 0);
	return NULL;
}

static void copy_to_pipe(enum kcs_sink sink)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct kcs_copy copy = { .in = core, .sink = sink, .size = CORE_SIZE };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	reader->fd = fds[0];
	copy.out = fds[1];
	assert_int_equal(pthread_create(&reader->thread, NULL, read_all, reader),
			 0);
	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	close(fds[1]);
	pthread_join(reader->thread, NULL);
	close(fds[0]);
	assert_int_equal(reader->len, CORE_SIZE);
	assert_memory_equal(reader->got, expected, CORE_SIZE);
	free(reader);
}

static void pipe_is_spliced(void **state)
{
	copy_to_pipe(KCS_SINK_PIPE);
	assert_true(faults.splices > 1);
}

static void spliced_pipe_stands_short_calls(void **state)
{
	faults.read_max = 5000;
	faults.interrupt_every = 3;
	faults.again_every = 5;
	copy_to_pipe(KCS_SINK_PIPE);
	assert_true(faults.polls > 0);
}

static void pipe_is_written_where_splice_fails(void **state)
{
	faults.splice_errno = EINVAL;
	copy_to_pipe(KCS_SINK_PIPE);
	assert_int_equal(faults.splices, 1);
}

static void stream_gets_every_byte(void **state)
{
	copy_to_pipe(KCS_SINK_STREAM);
	assert_int_equal(faults.splices, 0);
	assert_int_equal(faults.written, CORE_SIZE);
}

static void stream_stands_short_calls(void **state)
{
	faults.write_max = 999;
	faults.interrupt_every = 3;
	faults.again_every = 7;
	copy_to_pipe(KCS_SINK_STREAM);
	assert_true(faults.polls > 0);
}

static void expect_failure(enum kcs_sink sink, enum kcs_copy_result side,
			   int err)
{
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = sink, .size = CORE_SIZE,
	};

	assert_int_equal(kcs_copy_run(&copy), side);
	assert_int_equal(copy.err, err);
	assert_true(copy.done < CORE_SIZE);
	close(copy.out);
}

static void full_disk_is_the_outputs_fault(void **state)
{
	faults.write_fails_at = 5 * PAGE;
	faults.write_errno = ENOSPC;
	expect_failure(KCS_SINK_SPARSE, KCS_COPY_OUT_FAILED, ENOSPC);
	faults.written = 0;
	expect_failure(KCS_SINK_STREAM, KCS_COPY_OUT_FAILED, ENOSPC);
}

/* To the byte, as a limit on the size of files has it. */
static void what_was_written_is_counted(void **state)
{
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_STREAM,
		.size = CORE_SIZE,
	};

	faults.write_max = 1000;
	faults.write_fails_at = 20 * PAGE;
	faults.write_errno = EFBIG;
	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OUT_FAILED);
	assert_int_equal(copy.done, faults.written);
	assert_int_equal(copy.written, faults.written);
	assert_int_equal(copy.done, lseek(copy.out, 0, SEEK_END));
	close(copy.out);
}

static void dropped_snapshot_is_the_inputs_fault(void **state)
{
	faults.read_fails_at = 1024 * 1024;
	faults.read_errno = ECANCELED;
	expect_failure(KCS_SINK_SPARSE, KCS_COPY_IN_FAILED, ECANCELED);
	expect_failure(KCS_SINK_STREAM, KCS_COPY_IN_FAILED, ECANCELED);
	expect_failure(KCS_SINK_PIPE, KCS_COPY_IN_FAILED, ECANCELED);
	faults.seek_errno = ECANCELED;
	expect_failure(KCS_SINK_SPARSE, KCS_COPY_IN_FAILED, ECANCELED);
}

static void early_end_is_a_fault(void **state)
{
	faults.read_fails_at = 1024 * 1024;
	expect_failure(KCS_SINK_SPARSE, KCS_COPY_IN_FAILED, ENODATA);
	expect_failure(KCS_SINK_PIPE, KCS_COPY_IN_FAILED, ENODATA);
}

static void closed_pipe_is_the_outputs_fault(void **state)
{
	faults.splice_errno = EPIPE;
	expect_failure(KCS_SINK_PIPE, KCS_COPY_OUT_FAILED, EPIPE);
}

static void count_tick(const struct kcs_copy *copy, void *arg)
{
	uint64_t *last = arg;

	assert_true(copy->done > *last);
	assert_true(copy->done <= copy->size);
	*last = copy->done;
}

static void ticks_go_forward(void **state)
{
	uint64_t last = 0;
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_STREAM,
		.size = CORE_SIZE, .tick = count_tick, .arg = &last,
	};

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	assert_int_equal(last, CORE_SIZE);
	close(copy.out);
}

/* What the library makes of it again. */
static void check_compressed(int fd)
{
	size_t size = lseek(fd, 0, SEEK_END);
	char *packed = malloc(size), *got = malloc(CORE_SIZE + 1);

	assert_int_equal(__real_pread(fd, packed, size, 0), size);
	assert_int_equal(ZSTD_decompress(got, CORE_SIZE + 1, packed, size),
			 CORE_SIZE);
	assert_memory_equal(got, expected, CORE_SIZE);
	free(got);
	free(packed);
}

static void compressed_copy_is_equal(void **state)
{
	static const int levels[] = { 1, 3, 13, 19 };
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct kcs_copy copy = {
			.in = core, .out = make_file(), .sink = KCS_SINK_STREAM,
			.zstd = kcs_zstd_create(levels[i]), .size = CORE_SIZE,
		};

		assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
		assert_int_equal(copy.done, CORE_SIZE);
		assert_int_equal(copy.written, lseek(copy.out, 0, SEEK_END));
		assert_true(copy.data < CORE_SIZE / 2);
		check_compressed(copy.out);
		kcs_zstd_free(copy.zstd);
		close(copy.out);
	}
}

static void compressed_copy_stands_short_calls(void **state)
{
	faults.write_max = 1000;
	faults.read_max = 7777;
	faults.interrupt_every = 3;
	compressed_copy_is_equal(state);
}

static void tidy_copy_is_equal(void **state)
{
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_SPARSE,
		.tidy = true, .base = 3 * PAGE + 5, .size = CORE_SIZE,
	};

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	check_file(copy.out, copy.base);
	close(copy.out);
}

/* More than two windows, all zeros and no hole. */
#define TIDY_SIZE (40 * 1024 * 1024)

static enum kcs_copy_result copy_tidily(enum kcs_sink sink, unsigned int fails_at, int err)
{
	struct kcs_copy copy = {
		.in = memfd_create("long", 0), .out = make_file(), .sink = sink,
		.tidy = true, .size = TIDY_SIZE,
	};
	enum kcs_copy_result ret;

	faults.seek_errno = EINVAL;
	faults.syncs = 0;
	faults.sync_fails_at = fails_at;
	faults.sync_errno = err;
	assert_int_equal(ftruncate(copy.in, TIDY_SIZE), 0);
	ret = kcs_copy_run(&copy);
	if (ret)
		assert_int_equal(copy.err, err);
	else
		assert_int_equal(copy.done, TIDY_SIZE);
	close(copy.in);
	close(copy.out);
	return ret;
}

static void what_the_disk_lost_is_the_outputs_fault(void **state)
{
	static const enum kcs_sink sinks[] = { KCS_SINK_SPARSE, KCS_SINK_STREAM };
	unsigned int calls, i, n;

	for (i = 0; i < 2; i++) {
		assert_int_equal(copy_tidily(sinks[i], 0, 0), KCS_COPY_OK);
		calls = faults.syncs;
		assert_true(calls >= 4);
		for (n = 1; n <= calls; n++) {
			assert_int_equal(copy_tidily(sinks[i], n, EIO),
					 KCS_COPY_OUT_FAILED);
			assert_int_equal(faults.syncs, n);
			assert_int_equal(copy_tidily(sinks[i], n, ENOSPC),
					 KCS_COPY_OUT_FAILED);
		}
	}
}

static void tidying_may_be_interrupted_or_forbidden(void **state)
{
	assert_int_equal(copy_tidily(KCS_SINK_STREAM, 2, EINTR), KCS_COPY_OK);
	assert_int_equal(copy_tidily(KCS_SINK_STREAM, 2, ENOSYS), KCS_COPY_OK);
	assert_int_equal(copy_tidily(KCS_SINK_STREAM, 2, EPERM), KCS_COPY_OK);
}

static void what_was_appended_is_tidied_up(void **state)
{
	struct kcs_copy copy = {
		.in = memfd_create("long", 0), .out = make_file(),
		.sink = KCS_SINK_STREAM, .tidy = true, .size = TIDY_SIZE,
	};

	faults.seek_errno = EINVAL;
	assert_int_equal(ftruncate(copy.in, TIDY_SIZE), 0);
	assert_int_equal(ftruncate(copy.out, TIDY_SIZE + 1), 0);
	assert_int_equal(fcntl(copy.out, F_SETFL, O_APPEND), 0);
	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	assert_int_equal(lseek(copy.out, 0, SEEK_END), 2 * TIDY_SIZE + 1);
	assert_true(faults.synced_from >= TIDY_SIZE);
	close(copy.in);
	close(copy.out);
}

static void stop_at_half(const struct kcs_copy *copy, void *arg)
{
	if (copy->done >= CORE_SIZE / 4)
		atomic_store((atomic_bool *)arg, true);
}

static void stopped_copy_keeps_what_it_has(void **state)
{
	atomic_bool stop = false;
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_STREAM,
		.size = CORE_SIZE, .stop = &stop, .tick = stop_at_half,
		.arg = &stop,
	};
	char *got = malloc(CORE_SIZE);

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_STOPPED);
	assert_true(copy.done >= CORE_SIZE / 4);
	assert_true(copy.done < CORE_SIZE);
	assert_int_equal(lseek(copy.out, 0, SEEK_END), copy.done);
	assert_int_equal(__real_pread(copy.out, got, copy.done, 0), copy.done);
	assert_memory_equal(got, expected, copy.done);
	free(got);
	close(copy.out);
}

static void stopped_copy_does_not_wait(void **state)
{
	atomic_bool stop = false;
	struct kcs_copy copy = {
		.in = core, .out = make_file(), .sink = KCS_SINK_STREAM,
		.size = CORE_SIZE, .rate = 1024 * 1024, .stop = &stop,
		.tick = stop_at_half, .arg = &stop,
	};

	/* It would be interrupted, and not be able to write, for ever. */
	faults.interrupt_every = 1;
	atomic_store(&stop, true);
	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_STOPPED);
	assert_int_equal(copy.done, 0);
	close(copy.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sparse_copy_is_equal, behave),
		cmocka_unit_test_setup(sparse_copy_begins_anywhere, behave),
		cmocka_unit_test_setup(sparse_copy_leaves_zeros_out, behave),
		cmocka_unit_test_setup(sparse_copy_stands_short_calls, behave),
		cmocka_unit_test_setup(file_without_holes_is_all_data, behave),
		cmocka_unit_test_setup(all_holes_make_an_empty_file, behave),
		cmocka_unit_test_setup(pipe_is_spliced, behave),
		cmocka_unit_test_setup(spliced_pipe_stands_short_calls, behave),
		cmocka_unit_test_setup(pipe_is_written_where_splice_fails,
				       behave),
		cmocka_unit_test_setup(stream_gets_every_byte, behave),
		cmocka_unit_test_setup(stream_stands_short_calls, behave),
		cmocka_unit_test_setup(full_disk_is_the_outputs_fault, behave),
		cmocka_unit_test_setup(what_was_written_is_counted, behave),
		cmocka_unit_test_setup(dropped_snapshot_is_the_inputs_fault,
				       behave),
		cmocka_unit_test_setup(early_end_is_a_fault, behave),
		cmocka_unit_test_setup(closed_pipe_is_the_outputs_fault, behave),
		cmocka_unit_test_setup(ticks_go_forward, behave),
		cmocka_unit_test_setup(compressed_copy_is_equal, behave),
		cmocka_unit_test_setup(compressed_copy_stands_short_calls,
				       behave),
		cmocka_unit_test_setup(tidy_copy_is_equal, behave),
		cmocka_unit_test_setup(what_the_disk_lost_is_the_outputs_fault,
				       behave),
		cmocka_unit_test_setup(tidying_may_be_interrupted_or_forbidden,
				       behave),
		cmocka_unit_test_setup(what_was_appended_is_tidied_up, behave),
		cmocka_unit_test_setup(stopped_copy_keeps_what_it_has, behave),
		cmocka_unit_test_setup(stopped_copy_does_not_wait, behave),
	};

	return cmocka_run_group_tests(tests, make_core, close_core);
}
