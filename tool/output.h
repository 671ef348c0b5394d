/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the core goes: standard output, or a file that has no name, or only a
 * temporary one, until it is complete and on disk.
 */
#ifndef KCS_OUTPUT_H
#define KCS_OUTPUT_H

#include <stdint.h>

#include "copy.h"
#include "exit.h"

/* ".kcoresnap." and 64 random bits in hexadecimal */
#define KCS_TEMP_NAME_SIZE 32

/**
 * struct kcs_output - an open output
 * @fd: to be written
 * @sink: how
 * @base: where in @fd, for KCS_SINK_SPARSE
 * @path: as given, for messages; NULL is standard output
 * @dirfd: directory of the file
 * @name: final name in @dirfd, points into @path
 * @temp: temporary name in @dirfd; empty if there is none
 */
struct kcs_output {
	int fd;
	enum kcs_sink sink;
	uint64_t base;
	const char *path;
	int dirfd;
	const char *name;
	char temp[KCS_TEMP_NAME_SIZE];
};

#define KCS_OUTPUT_INIT { .fd = -1, .dirfd = -1 }

/**
 * kcs_output_open() - open the output
 * @out: filled
 * @path: the file, to be created with mode 0600; NULL for standard output
 *
 * A file that exists, whatever it is, is refused; so is a terminal.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_output_open(struct kcs_output *out, const char *path);

/**
 * kcs_output_commit() - give a completely written output its name
 * @out: open
 * @size: bytes that were written
 *
 * What was created under the name meanwhile is not replaced.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_output_commit(struct kcs_output *out, uint64_t size);

/**
 * kcs_output_close() - let go of the output; without a commit, remove the file
 * @out: open or KCS_OUTPUT_INIT
 */
void kcs_output_close(struct kcs_output *out);

/**
 * kcs_output_fail() - say that writing failed
 * @out: open
 * @err: positive errno
 *
 * Return: the exit code.
 */
enum kcs_exit kcs_output_fail(const struct kcs_output *out, int err);

#endif /* KCS_OUTPUT_H */
