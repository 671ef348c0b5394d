// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "copy.h"
#include "cut.h"

#define PIECE_SIZE (1024 * 1024)
/* Read and written before splicing is tried again. */
#define UNSPLICED_SIZE (64 * 1024)

/* A rate is kept to over as long. */
#define PIECES_PER_SEC 16
#define NAP_NS (NSEC_PER_SEC / PIECES_PER_SEC)

/**
 * struct run - a copy under way
 * @copy: it
 * @writer: its output
 * @from: the next byte of the input
 * @spliced: splicing has worked
 * @start_ns: when it began
 * @paid: bytes that count for the rate
 */
struct run {
	struct kcs_copy *copy;
	struct kcs_writer writer;
	uint64_t from;
	bool spliced;
	uint64_t start_ns;
	double paid;
};

static char buffer[PIECE_SIZE] __attribute__((aligned(KCS_BLOCK_SIZE)));

static bool is_stopped(const struct kcs_copy *copy)
{
	return copy->stop && atomic_load(copy->stop);
}

static enum kcs_copy_result fail(struct kcs_copy *copy,
				 enum kcs_copy_result side, int err)
{
	copy->err = err;
	return is_stopped(copy) && (err == EINTR || err == EAGAIN) ?
		KCS_COPY_STOPPED : side;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void tick(struct run *run)
{
	run->copy->done = run->writer.put;
	if (run->copy->tick)
		run->copy->tick(run->copy, run->copy->arg);
}

/* Sleeps until @len bytes more would not be too fast. */
static enum kcs_copy_result pace(struct run *run, size_t len)
{
	uint64_t rate = run->copy->rate, due_ns, now;
	struct timespec nap = { 0 };

	if (rate) {
		run->paid += (double)len;
		due_ns = run->start_ns +
			 (uint64_t)(run->paid / (double)rate * NSEC_PER_SEC);
		while ((now = kcs_now_ns()) < due_ns && !is_stopped(run->copy)) {
			nap.tv_nsec = (long)min_u64(due_ns - now, NAP_NS);
			nanosleep(&nap, NULL);
			tick(run);
		}
	}
	return is_stopped(run->copy) ? KCS_COPY_STOPPED : KCS_COPY_OK;
}

static size_t piece_size(const struct run *run)
{
	uint64_t size = run->copy->rate / PIECES_PER_SEC;

	if (!run->copy->rate || size > PIECE_SIZE)
		return PIECE_SIZE;
	return size < KCS_BLOCK_SIZE ? KCS_BLOCK_SIZE :
				       size - size % KCS_BLOCK_SIZE;
}

static enum kcs_copy_result put(struct run *run, const char *data, size_t len)
{
	int ret = kcs_writer_put(&run->writer, data, len);

	if (ret)
		return fail(run->copy, KCS_COPY_OUT_FAILED, -ret);
	run->copy->data += len;
	return KCS_COPY_OK;
}

/* Zeros cost nothing where they are left out, and little where compressed. */
static enum kcs_copy_result copy_hole(struct run *run, uint64_t end)
{
	bool free = run->writer.sink == KCS_SINK_SPARSE || run->writer.zstd;
	enum kcs_copy_result ret = KCS_COPY_OK;
	int64_t n;

	while (!ret && run->from < end) {
		n = kcs_writer_zeros(&run->writer, end - run->from);
		if (n < 0)
			return fail(run->copy, KCS_COPY_OUT_FAILED, (int)-n);
		run->from += n;
		tick(run);
		ret = pace(run, free ? 0 : n);
	}
	return ret;
}

static enum kcs_copy_result copy_piece(struct run *run, size_t len)
{
	enum kcs_copy_result ret;
	ssize_t n;

	do {
		n = pread(run->copy->in, buffer, len, (off_t)run->from);
	} while (n < 0 && errno == EINTR && !is_stopped(run->copy));
	if (n < 0)
		return fail(run->copy, KCS_COPY_IN_FAILED, errno);
	if (!n)
		return fail(run->copy, KCS_COPY_IN_FAILED, ENODATA);

	ret = put(run, buffer, n);
	if (ret)
		return ret;
	run->from += n;
	tick(run);
	return pace(run, n);
}

/*
 * EINVAL is how a file system, or a pipe opened in append mode, says that it
 * can't splice: then all is read and written. The snapshot says so of a piece
 * that it would have to wait for, never of the first, which are headers.
 */
static enum kcs_copy_result splice_piece(struct run *run, size_t len)
{
	off_t offset = (off_t)run->from;
	ssize_t n;

	n = splice(run->copy->in, &offset, run->copy->out, NULL, len,
		   SPLICE_F_MORE);
	if (n < 0) {
		if (errno == EINVAL) {
			if (!run->spliced)
				run->writer.sink = KCS_SINK_STREAM;
			return copy_piece(run, min_u64(len, UNSPLICED_SIZE));
		}
		if (kcs_writer_retry(&run->writer))
			return KCS_COPY_OK;
		return fail(run->copy, errno == EPIPE ? KCS_COPY_OUT_FAILED :
			    KCS_COPY_IN_FAILED, errno);
	}
	if (!n)
		return fail(run->copy, KCS_COPY_IN_FAILED, ENODATA);
	run->spliced = true;
	run->from += n;
	run->copy->data += n;
	kcs_writer_moved(&run->writer, n);
	tick(run);
	return pace(run, n);
}

static enum kcs_copy_result copy_data(struct run *run, uint64_t end)
{
	enum kcs_copy_result ret = KCS_COPY_OK;

	while (!ret && run->from < end) {
		size_t len = min_u64(end - run->from, piece_size(run));

		if (run->writer.sink == KCS_SINK_PIPE)
			ret = splice_piece(run, len);
		else
			ret = copy_piece(run, len);
	}
	return ret;
}

/* What is left of the extent, in pairs of a hole and data. */
static enum kcs_copy_result copy_extent(struct run *run, uint64_t end)
{
	uint64_t data = 0, hole = 0;
	enum kcs_copy_result ret = KCS_COPY_OK;
	int err;

	while (!ret && run->from < end) {
		err = kcs_find_data(run->copy->in, run->from, end, &data, &hole);
		if (err)
			return fail(run->copy, KCS_COPY_IN_FAILED, -err);
		ret = copy_hole(run, data);
		if (!ret)
			ret = copy_data(run, hole);
	}
	return ret;
}

static enum kcs_copy_result copy_cut(struct run *run, const struct kcs_cut *cut)
{
	enum kcs_copy_result ret = put(run, cut->head.bytes, cut->head.size);
	size_t i;

	for (i = 0; !ret && i < cut->count; i++) {
		run->from = cut->extents[i].from;
		ret = copy_extent(run, cut->extents[i].to);
	}
	return ret;
}

/* What is changed on the way can't be spliced. */
static enum kcs_sink choose_sink(const struct kcs_copy *copy)
{
	if (copy->zstd || (copy->cut && copy->sink == KCS_SINK_PIPE))
		return KCS_SINK_STREAM;
	return copy->sink;
}

enum kcs_copy_result kcs_copy_run(struct kcs_copy *copy)
{
	struct run run = {
		.copy = copy,
		.writer = {
			.fd = copy->out,
			.sink = choose_sink(copy),
			.base = copy->base,
			.tidy = copy->tidy,
			.stop = copy->stop,
			.zstd = copy->zstd,
		},
		.start_ns = kcs_now_ns(),
	};
	enum kcs_copy_result ret;
	uint64_t start;
	int err = 0;

	if (is_stopped(copy))
		return KCS_COPY_STOPPED;
	kcs_writer_start(&run.writer);
	start = run.writer.pos;
	if (copy->cut)
		ret = copy_cut(&run, copy->cut);
	else
		ret = copy_extent(&run, copy->size);
	copy->done = run.writer.put;
	if (ret != KCS_COPY_OUT_FAILED || !copy->zstd)
		err = kcs_writer_end(&run.writer);
	copy->written = run.writer.pos - start;
	return err && !ret ? fail(copy, KCS_COPY_OUT_FAILED, -err) : ret;
}
