/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the core goes: standard output, or a file that has no name until it is
 * complete and on disk. Where a file must have a name, it is that of an
 * incomplete core from the start.
 */
#ifndef KCS_OUTPUT_H
#define KCS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy.h"
#include "exit.h"

/* What an incomplete core has behind its name. */
#define KCS_INCOMPLETE ".incomplete"

/**
 * struct kcs_output - an open output
 * @fd: to be written
 * @sink: how
 * @base: where in @fd, for KCS_SINK_SPARSE
 * @file: it is a regular file
 * @direct: what is written does not go through the page cache
 * @path: the file, for messages; NULL is standard output
 * @dirfd: directory of the file
 * @name: final name in @dirfd, points into @path
 * @partial: name in @dirfd of an incomplete core
 * @named: the file has the name @partial already
 * @force: a regular file that has one of the names is replaced
 * @kept: what the file is called beside @path: "" once the core is complete,
 *	KCS_INCOMPLETE once it was kept as such, NULL where there is none
 */
struct kcs_output {
	int fd;
	enum kcs_sink sink;
	uint64_t base;
	bool file;
	bool direct;
	char *path;
	int dirfd;
	const char *name;
	char *partial;
	bool named;
	bool force;
	const char *kept;
};

#define KCS_OUTPUT_INIT { .fd = -1, .dirfd = -1 }

/**
 * kcs_output_open() - open the output
 * @out: filled
 * @path: the file, to be created with mode 0600; NULL for standard output
 * @force: whether a regular file may be replaced
 *
 * A terminal is refused, and so is what exists under either name, whatever it is,
 * save a regular file by @force.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_output_open(struct kcs_output *out, const char *path,
			      bool force);

/**
 * kcs_output_room() - bytes that may still be written
 * @out: open
 *
 * Return: free space of the file system; UINT64_MAX where it isn't known.
 */
uint64_t kcs_output_room(const struct kcs_output *out);

/**
 * kcs_output_commit() - give a completely written output its name
 * @out: open
 * @size: bytes that were written
 *
 * What was created under the name meanwhile is not replaced without @force, and
 * then only if it is a regular file. Where a file system has neither links nor
 * RENAME_NOREPLACE, that holds until right before the file is moved.
 *
 * Return: 0 or -errno; -EEXIST for a name that was taken meanwhile.
 */
int kcs_output_commit(struct kcs_output *out, uint64_t size);

/**
 * kcs_output_keep() - keep what was written as an incomplete core
 * @out: open; @out->kept is set where it got that name
 *
 * Return: 0, for standard output too, or -errno.
 */
int kcs_output_keep(struct kcs_output *out);

/**
 * kcs_output_close() - let go of the output; remove a file that was neither
 *	committed nor kept
 * @out: open or KCS_OUTPUT_INIT
 */
void kcs_output_close(struct kcs_output *out);

/**
 * kcs_output_remedy() - what to do about an error of the output
 * @err: positive errno
 *
 * Return: the end of a sentence.
 */
const char *kcs_output_remedy(int err);

/**
 * kcs_output_fail() - say that writing failed
 * @out: open, or given up by kcs_output_open()
 * @err: positive errno
 *
 * Return: the exit code.
 */
enum kcs_exit kcs_output_fail(const struct kcs_output *out, int err);

#endif /* KCS_OUTPUT_H */
