/* SPDX-License-Identifier: GPL-2.0 */
/* Moving the core from the snapshot to the output. Says nothing to people. */
#ifndef KCS_COPY_H
#define KCS_COPY_H

#include <stdbool.h>
#include <stdint.h>

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

/** enum kcs_copy_result - which side failed */
enum kcs_copy_result {
	KCS_COPY_OK,
	KCS_COPY_IN_FAILED,
	KCS_COPY_OUT_FAILED,
};

/**
 * struct kcs_copy - one copy
 * @in: the snapshot: a file that is read forward only
 * @out: the output
 * @sink: how @out may be written
 * @base: offset in @out of the first byte; KCS_SINK_SPARSE only
 * @size: bytes to copy
 * @tick: called after each piece, may be NULL
 * @arg: for @tick
 * @done: bytes of @size dealt with so far
 * @data: of these, bytes that @in did not report as holes
 * @err: errno of the side that failed; ENODATA if @in ended before @size
 *
 * The caller fills the fields up to @arg and zeroes the rest.
 */
struct kcs_copy {
	int in;
	int out;
	enum kcs_sink sink;
	uint64_t base;
	uint64_t size;
	void (*tick)(const struct kcs_copy *copy, void *arg);
	void *arg;
	uint64_t done;
	uint64_t data;
	int err;
};

/**
 * kcs_copy_run() - copy @size bytes
 * @copy: see there
 *
 * An output in non-blocking mode is waited for. With KCS_SINK_SPARSE @out ends
 * as a file of base + size bytes and its file position does not move.
 *
 * Return: KCS_COPY_OK, or the side that failed and @err.
 */
enum kcs_copy_result kcs_copy_run(struct kcs_copy *copy);

#endif /* KCS_COPY_H */
