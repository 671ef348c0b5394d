/* SPDX-License-Identifier: GPL-2.0 */
/* Writing the core, as it is or compressed. Says nothing to people. */
#ifndef KCS_SINK_H
#define KCS_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kcs_zstd;

/* The unit in which file systems allocate; smaller holes save nothing. */
#define KCS_BLOCK_SIZE 4096

/** enum kcs_sink - how the output may be written */
enum kcs_sink {
	/** @KCS_SINK_STREAM: from front to back, holes as zeros */
	KCS_SINK_STREAM,
	/** @KCS_SINK_PIPE: the same, and splice(2) may work */
	KCS_SINK_PIPE,
	/**
	 * @KCS_SINK_SPARSE: a regular file with nothing behind the base: holes
	 * and blocks of zeros are left out
	 */
	KCS_SINK_SPARSE,
};

/**
 * struct kcs_writer - an output that is being written
 * @fd: the output; where it is in non-blocking mode it is waited for
 * @sink: how it may be written
 * @base: offset of the first byte; KCS_SINK_SPARSE only
 * @tidy: a regular file that is not to fill the page cache: what was written
 *	goes to disk soon and leaves the cache then
 * @stop: set when waiting is to end
 * @zstd: compressor, NULL for none
 * @put: bytes of the core that were put
 * @pos: where the next byte goes; only its differences count if not KCS_SINK_SPARSE
 * @clean: what lies before it is on disk and out of the cache
 *
 * The caller fills the fields up to @zstd and zeroes the rest.
 */
struct kcs_writer {
	int fd;
	enum kcs_sink sink;
	uint64_t base;
	bool tidy;
	const atomic_bool *stop;
	struct kcs_zstd *zstd;
	uint64_t put;
	uint64_t pos;
	uint64_t clean;
};

/*
 * All return 0 or -errno; -EINTR when they were stopped. The error may be one of
 * bytes that were put before.
 */

/** kcs_writer_start() - call it first */
int kcs_writer_start(struct kcs_writer *writer);

/** kcs_writer_put() - write the next bytes of the core */
int kcs_writer_put(struct kcs_writer *writer, const void *data, size_t len);

/**
 * kcs_writer_zeros() - the next bytes are zeros
 *
 * Into a stream it writes as many as it likes in one call, not more than @len.
 * Return: how many were dealt with, at least one.
 */
int64_t kcs_writer_zeros(struct kcs_writer *writer, uint64_t len);

/** kcs_writer_moved() - @len bytes got to the output by other means */
void kcs_writer_moved(struct kcs_writer *writer, size_t len);

/** kcs_writer_retry() - may a call on the output that failed with errno be repeated? */
bool kcs_writer_retry(const struct kcs_writer *writer);

/**
 * kcs_writer_end() - nothing more will be put
 *
 * Ends the compressed stream. With KCS_SINK_SPARSE the file ends as one of base +
 * put bytes and its position did not move. Also to be called for a core that is
 * not complete.
 */
int kcs_writer_end(struct kcs_writer *writer);

#endif /* KCS_SINK_H */
