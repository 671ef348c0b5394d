/* SPDX-License-Identifier: GPL-2.0 */
/* Moving the core from the snapshot to the output. Says nothing to people. */
#ifndef KCS_COPY_H
#define KCS_COPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sink.h"

struct kcs_cut;
struct kcs_zstd;

/** enum kcs_copy_result - how it ended, and which side failed */
enum kcs_copy_result {
	KCS_COPY_OK,
	KCS_COPY_IN_FAILED,
	KCS_COPY_OUT_FAILED,
	KCS_COPY_STOPPED,
};

/**
 * struct kcs_copy - one copy
 * @in: the snapshot: a file that is read forward only
 * @out: the output
 * @sink: how @out may be written
 * @base: offset in @out of the first byte; KCS_SINK_SPARSE only
 * @tidy: see struct kcs_writer
 * @zstd: compressor, NULL for none
 * @cut: what is left out, NULL for nothing; what it has read is not read again
 * @size: bytes of @in
 * @rate: bytes per second that are moved at most, holes that take no bytes not
 *	counted; 0 for any
 * @stop: set when the copy is to end, may be NULL
 * @tick: called after each piece, may be NULL
 * @arg: for @tick
 * @done: bytes of the core dealt with so far, out of @size or of what @cut leaves
 * @data: of these, bytes that @in did not report as holes
 * @written: bytes that @out got, after compression; holes that are left out count
 * @err: errno of the side that failed; ENODATA if @in ended before @size
 *
 * The caller fills the fields up to @arg and zeroes the rest.
 */
struct kcs_copy {
	int in;
	int out;
	enum kcs_sink sink;
	uint64_t base;
	bool tidy;
	struct kcs_zstd *zstd;
	const struct kcs_cut *cut;
	uint64_t size;
	uint64_t rate;
	const atomic_bool *stop;
	void (*tick)(const struct kcs_copy *copy, void *arg);
	void *arg;
	uint64_t done;
	uint64_t data;
	uint64_t written;
	int err;
};

/**
 * kcs_copy_run() - copy @size bytes
 * @copy: see there
 *
 * An output in non-blocking mode is waited for. With KCS_SINK_SPARSE @out ends
 * as a file of base + done bytes and its file position does not move. What was
 * compressed is ended in order even if @in failed.
 *
 * Return: KCS_COPY_OK, or the side that failed and @err.
 */
enum kcs_copy_result kcs_copy_run(struct kcs_copy *copy);

#endif /* KCS_COPY_H */
