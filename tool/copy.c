// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "copy.h"

#define PIECE_SIZE (1024 * 1024)
/* The unit in which file systems allocate; smaller holes save nothing. */
#define BLOCK_SIZE 4096

/* Read and written before splicing is tried again. */
#define UNSPLICED_SIZE (64 * 1024)

static char buffer[PIECE_SIZE] __attribute__((aligned(BLOCK_SIZE)));
static const char zeros[BLOCK_SIZE * 16];

static enum kcs_copy_result fail(struct kcs_copy *copy,
				 enum kcs_copy_result side, int err)
{
	copy->err = err;
	return side;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_zero(const char *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static void wait_writable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	poll(&poll_fd, 1, -1);
}

/* Whether a write that failed with errno may be tried again. */
static bool may_retry(int fd)
{
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	wait_writable(fd);
	return true;
}

static enum kcs_copy_result put_stream(struct kcs_copy *copy, const char *data,
				       size_t len)
{
	while (len) {
		ssize_t n = write(copy->out, data, len);

		if (n < 0) {
			if (may_retry(copy->out))
				continue;
			return fail(copy, KCS_COPY_OUT_FAILED, errno);
		}
		data += n;
		len -= n;
	}
	return KCS_COPY_OK;
}

static enum kcs_copy_result put_at(struct kcs_copy *copy, const char *data,
				   size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(copy->out, data, len, (off_t)offset);

		if (n < 0) {
			if (may_retry(copy->out))
				continue;
			return fail(copy, KCS_COPY_OUT_FAILED, errno);
		}
		data += n;
		len -= n;
		offset += n;
	}
	return KCS_COPY_OK;
}

/* Blocks are those of the output, whose base need not be aligned. */
static enum kcs_copy_result put_sparse(struct kcs_copy *copy, const char *data,
				       size_t len)
{
	uint64_t offset = copy->base + copy->done;
	size_t run = 0, pos = 0;
	enum kcs_copy_result ret;

	while (pos < len) {
		size_t block = BLOCK_SIZE - (offset + pos) % BLOCK_SIZE;

		if (block > len - pos)
			block = len - pos;
		if (is_zero(data + pos, block)) {
			ret = put_at(copy, data + run, pos - run, offset + run);
			if (ret)
				return ret;
			run = pos + block;
		}
		pos += block;
	}
	return put_at(copy, data + run, len - run, offset + run);
}

static enum kcs_copy_result copy_hole(struct kcs_copy *copy, uint64_t end)
{
	enum kcs_copy_result ret;
	size_t len;

	if (copy->sink == KCS_SINK_SPARSE) {
		copy->done = end;
		return KCS_COPY_OK;
	}

	while (copy->done < end) {
		len = min_u64(end - copy->done, sizeof(zeros));
		ret = put_stream(copy, zeros, len);
		if (ret)
			return ret;
		copy->done += len;
		if (copy->tick)
			copy->tick(copy, copy->arg);
	}
	return KCS_COPY_OK;
}

static enum kcs_copy_result copy_piece(struct kcs_copy *copy, size_t len)
{
	enum kcs_copy_result ret;
	ssize_t n;

	do {
		n = pread(copy->in, buffer, len, (off_t)copy->done);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(copy, KCS_COPY_IN_FAILED, errno);
	if (!n)
		return fail(copy, KCS_COPY_IN_FAILED, ENODATA);

	if (copy->sink == KCS_SINK_SPARSE)
		ret = put_sparse(copy, buffer, n);
	else
		ret = put_stream(copy, buffer, n);
	if (ret)
		return ret;
	copy->done += n;
	copy->data += n;
	return KCS_COPY_OK;
}

/*
 * EINVAL is how a file system, or a pipe opened in append mode, says that it
 * can't splice: then all is read and written. The snapshot says so of a piece
 * that it would have to wait for, never of the first, which are headers.
 */
static enum kcs_copy_result splice_piece(struct kcs_copy *copy, size_t len)
{
	off_t offset = (off_t)copy->done;
	ssize_t n;

	n = splice(copy->in, &offset, copy->out, NULL, len, SPLICE_F_MORE);
	if (n < 0) {
		if (errno == EINVAL) {
			if (!copy->done)
				copy->sink = KCS_SINK_STREAM;
			return copy_piece(copy, min_u64(len, UNSPLICED_SIZE));
		}
		if (may_retry(copy->out))
			return KCS_COPY_OK;
		return fail(copy, errno == EPIPE ? KCS_COPY_OUT_FAILED :
			    KCS_COPY_IN_FAILED, errno);
	}
	if (!n)
		return fail(copy, KCS_COPY_IN_FAILED, ENODATA);
	copy->done += n;
	copy->data += n;
	return KCS_COPY_OK;
}

static enum kcs_copy_result copy_data(struct kcs_copy *copy, uint64_t end)
{
	enum kcs_copy_result ret;

	while (copy->done < end) {
		size_t len = min_u64(end - copy->done, PIECE_SIZE);

		if (copy->sink == KCS_SINK_PIPE)
			ret = splice_piece(copy, len);
		else
			ret = copy_piece(copy, len);
		if (ret)
			return ret;
		if (copy->tick)
			copy->tick(copy, copy->arg);
	}
	return KCS_COPY_OK;
}

/* A file that knows no holes is all data, as lseek(2) has it. */
static enum kcs_copy_result find_data(struct kcs_copy *copy, uint64_t *start,
				      uint64_t *end)
{
	off_t data, hole;

	*start = copy->done;
	*end = copy->size;
	data = lseek(copy->in, (off_t)copy->done, SEEK_DATA);
	if (data < 0) {
		if (errno == EINVAL)
			return KCS_COPY_OK;
		if (errno != ENXIO)
			return fail(copy, KCS_COPY_IN_FAILED, errno);
		*start = copy->size;
		return KCS_COPY_OK;
	}
	*start = min_u64(data, copy->size);

	hole = lseek(copy->in, data, SEEK_HOLE);
	if (hole < 0 && errno != ENXIO)
		return fail(copy, KCS_COPY_IN_FAILED, errno);
	if (hole >= 0)
		*end = min_u64(hole, copy->size);
	return KCS_COPY_OK;
}

static enum kcs_copy_result set_size(struct kcs_copy *copy)
{
	int ret;

	do {
		ret = ftruncate(copy->out, (off_t)(copy->base + copy->size));
	} while (ret && errno == EINTR);
	return ret ? fail(copy, KCS_COPY_OUT_FAILED, errno) : KCS_COPY_OK;
}

enum kcs_copy_result kcs_copy_run(struct kcs_copy *copy)
{
	uint64_t start, end;
	enum kcs_copy_result ret;

	while (copy->done < copy->size) {
		ret = find_data(copy, &start, &end);
		if (ret)
			return ret;
		ret = copy_hole(copy, start);
		if (ret)
			return ret;
		ret = copy_data(copy, end);
		if (ret)
			return ret;
	}
	return copy->sink == KCS_SINK_SPARSE ? set_size(copy) : KCS_COPY_OK;
}
