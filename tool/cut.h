/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A core that holds less than its snapshot. What is left out is told by its
 * program headers: a segment has a smaller p_filesz than p_memsz, and becomes
 * several where something is left out before other memory of it.
 */
#ifndef KCS_CUT_H
#define KCS_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "head.h"

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
 * @extents: what follows @head, in this order and without a gap
 * @count: how many
 * @size: bytes of the core that is left
 * @left_out: bytes that are no holes and were left out
 * @segments: from how many segments
 */
struct kcs_cut {
	struct kcs_head head;
	struct kcs_extent *extents;
	size_t count;
	uint64_t size;
	uint64_t left_out;
	size_t segments;
};

#define KCS_CUT_INIT { 0 }

enum kcs_use {
	KCS_MEMORY,
	KCS_UNUSED,	/* by a stack: below its pointer, or behind its end */
	KCS_STACK,	/* in use */
};

/**
 * struct kcs_piece - memory of a segment that has one use
 * @segment: the number of its program header
 * @use: what for
 * @from: its first byte in the snapshot
 * @to: behind its last one
 * @data: bytes of it that are no holes
 * @keep: of these, those that are kept
 */
struct kcs_piece {
	size_t segment;
	enum kcs_use use;
	uint64_t from;
	uint64_t to;
	uint64_t data;
	uint64_t keep;
};

/**
 * kcs_cut_choose() - choose what to leave out
 * @pieces: @keep is set
 * @count: how many
 * @limit: bytes that may be kept
 *
 * The biggest go first; stacks in use go when nothing else is left. The last one to
 * go is kept in part, from its front, unless it is unused. Pure function.
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_cut_choose(struct kcs_piece *pieces, size_t count, uint64_t limit);

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
