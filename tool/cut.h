/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A core that holds less than its snapshot. What is left out is told by its
 * program headers: a segment has a smaller p_filesz than p_memsz.
 */
#ifndef KCS_CUT_H
#define KCS_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct kcs_extent - bytes of the snapshot that are kept
 * @from: first byte
 * @to: behind the last one
 */
struct kcs_extent {
	uint64_t from;
	uint64_t to;
};

/**
 * struct kcs_cut - what is left
 * @head: what stands before memory, with its program headers changed
 * @head_size: bytes of it
 * @extents: what follows @head, in this order and without a gap
 * @count: how many
 * @size: bytes of the core that is left
 * @left_out: bytes that are no holes and were left out
 * @segments: from how many segments
 */
struct kcs_cut {
	char *head;
	size_t head_size;
	struct kcs_extent *extents;
	size_t count;
	uint64_t size;
	uint64_t left_out;
	size_t segments;
};

#define KCS_CUT_INIT { 0 }

/**
 * struct kcs_segment - one segment of memory
 * @data: bytes that are no holes
 * @stack: a stack pointer leads into it
 * @below: its length below the lowest stack pointer and its red zone, in pages;
 *	of a stack alone, all that is not in use
 * @unused: bytes of @data that are there
 * @skip: what is below is left out, and the segment begins behind it
 * @keep: bytes of @data that are kept
 */
struct kcs_segment {
	uint64_t data;
	bool stack;
	uint64_t below;
	uint64_t unused;
	bool skip;
	uint64_t keep;
};

/**
 * kcs_cut_choose() - choose what to leave out
 * @segments: filled up to @unused; the rest is set
 * @count: how many
 * @limit: what may be kept
 *
 * The biggest go first, what is unused of a stack as if it were a segment; stacks
 * go when nothing else is left. The last one to go is kept in part. Pure function.
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_cut_choose(struct kcs_segment *segments, size_t count, uint64_t limit);

/**
 * kcs_cut_plan() - plan a core of a limited size
 * @cut: filled; to be freed in any case
 * @in: the snapshot, of which nothing was read; then its headers and notes were
 * @size: its size
 * @limit: bytes that are no holes which the core may have. Headers and notes are
 *	kept whatever it is
 *
 * Return: 0 or -errno; -ENOEXEC for what is no core.
 */
int kcs_cut_plan(struct kcs_cut *cut, int in, uint64_t size, uint64_t limit);
void kcs_cut_free(struct kcs_cut *cut);

/**
 * kcs_find_data() - find what is not a hole
 * @in: the file; one that knows no holes is all data
 * @from: where to begin
 * @end: where to end
 * @data: set to its first byte, @end if there is none
 * @hole: set to what is behind it, at most @end
 *
 * Return: 0 or -errno.
 */
int kcs_find_data(int in, uint64_t from, uint64_t end, uint64_t *data,
		  uint64_t *hole);

#endif /* KCS_CUT_H */
