// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "compress.h"
#include "sink.h"

/*
 * One window is on its way to the disk while the next is filled: what may be
 * dirty is bounded, and the disk is never idle.
 */
#define WINDOW_SIZE (8 * 1024 * 1024)

static const char zeros[KCS_BLOCK_SIZE * 16];

static bool is_stopped(const struct kcs_writer *writer)
{
	return writer->stop && atomic_load(writer->stop);
}

bool kcs_writer_retry(const struct kcs_writer *writer)
{
	struct pollfd poll_fd = { .fd = writer->fd, .events = POLLOUT };

	if (errno == EAGAIN && !is_stopped(writer)) {
		poll(&poll_fd, 1, -1);
		return true;
	}
	return errno == EINTR && !is_stopped(writer);
}

/*
 * What waits here is also told what could not be written, and fsync(2) is not told
 * again (file_fdatawait_range(), mm/filemap.c). Where the call itself is not to be
 * had, nothing was lost.
 */
static int sync_window(struct kcs_writer *writer, off_t start, unsigned int flags)
{
	int ret;

	do {
		ret = sync_file_range(writer->fd, start, WINDOW_SIZE, flags);
	} while (ret && errno == EINTR && !is_stopped(writer));
	if (!ret || errno == EINVAL || errno == ENOSYS || errno == EPERM)
		return 0;
	return -errno;
}

/*
 * The last window is waited for, so that its pages are clean and can go; the
 * current one is only started.
 */
static int tidy_up(struct kcs_writer *writer)
{
	off_t clean = (off_t)writer->clean;
	int ret;

	while (writer->tidy && writer->pos - writer->clean >= 2 * WINDOW_SIZE) {
		ret = sync_window(writer, clean + WINDOW_SIZE,
				  SYNC_FILE_RANGE_WRITE);
		if (!ret)
			ret = sync_window(writer, clean,
					  SYNC_FILE_RANGE_WAIT_BEFORE |
					  SYNC_FILE_RANGE_WRITE |
					  SYNC_FILE_RANGE_WAIT_AFTER);
		if (ret)
			return ret;
		posix_fadvise(writer->fd, clean, WINDOW_SIZE,
			      POSIX_FADV_DONTNEED);
		clean += WINDOW_SIZE;
		writer->clean = clean;
	}
	return 0;
}

void kcs_writer_moved(struct kcs_writer *writer, size_t len)
{
	writer->put += len;
	writer->pos += len;
}

static int put_stream(void *arg, const void *data, size_t len)
{
	struct kcs_writer *writer = arg;
	const char *next = data;

	while (len) {
		ssize_t n = write(writer->fd, next, len);

		if (n < 0) {
			if (kcs_writer_retry(writer))
				continue;
			return -errno;
		}
		next += n;
		len -= n;
		writer->pos += n;
	}
	return tidy_up(writer);
}

static int put_here(struct kcs_writer *writer, const char *data, size_t len)
{
	while (len) {
		ssize_t n = pwrite(writer->fd, data, len, (off_t)writer->pos);

		if (n < 0) {
			if (kcs_writer_retry(writer))
				continue;
			return -errno;
		}
		data += n;
		len -= n;
		writer->pos += n;
	}
	return 0;
}

static bool is_zero(const char *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

/* Blocks are those of the output, whose base need not be aligned. */
static int put_sparse(struct kcs_writer *writer, const char *data, size_t len)
{
	uint64_t start = writer->pos;
	size_t run = 0, pos = 0;
	int ret;

	while (pos < len) {
		size_t block = KCS_BLOCK_SIZE - (start + pos) % KCS_BLOCK_SIZE;

		if (block > len - pos)
			block = len - pos;
		if (is_zero(data + pos, block)) {
			ret = put_here(writer, data + run, pos - run);
			if (ret)
				return ret;
			run = pos + block;
			writer->pos = start + run;
		}
		pos += block;
	}
	ret = put_here(writer, data + run, len - run);
	return ret ? ret : tidy_up(writer);
}

/* In append mode the position is not where the next byte goes. */
static uint64_t find_pos(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	off_t pos = lseek(fd, 0, flags >= 0 && flags & O_APPEND ? SEEK_END :
								  SEEK_CUR);

	return pos < 0 ? 0 : pos;
}

int kcs_writer_start(struct kcs_writer *writer)
{
	writer->put = 0;
	writer->pos = writer->base;
	if (writer->sink != KCS_SINK_SPARSE && writer->tidy)
		writer->pos = find_pos(writer->fd);
	writer->clean = writer->pos - writer->pos % KCS_BLOCK_SIZE;
	return 0;
}

int kcs_writer_put(struct kcs_writer *writer, const void *data, size_t len)
{
	uint64_t start = writer->pos;
	int ret;

	if (writer->zstd) {
		ret = kcs_zstd_put(writer->zstd, data, len, put_stream, writer);
		writer->put += ret ? 0 : len;
		return ret;
	}
	if (writer->sink == KCS_SINK_SPARSE)
		ret = put_sparse(writer, data, len);
	else
		ret = put_stream(writer, data, len);
	writer->put += writer->pos - start;
	return ret;
}

int64_t kcs_writer_zeros(struct kcs_writer *writer, uint64_t len)
{
	int ret;

	if (writer->sink == KCS_SINK_SPARSE && !writer->zstd) {
		writer->pos += len;
		writer->put += len;
		return (int64_t)len;
	}
	if (len > sizeof(zeros))
		len = sizeof(zeros);
	ret = kcs_writer_put(writer, zeros, len);
	return ret ? ret : (int64_t)len;
}

static int set_size(struct kcs_writer *writer)
{
	int ret;

	do {
		ret = ftruncate(writer->fd, (off_t)writer->pos);
	} while (ret && errno == EINTR && !is_stopped(writer));
	return ret ? -errno : 0;
}

int kcs_writer_end(struct kcs_writer *writer)
{
	if (writer->zstd)
		return kcs_zstd_end(writer->zstd, put_stream, writer);
	return writer->sink == KCS_SINK_SPARSE ? set_size(writer) : 0;
}
