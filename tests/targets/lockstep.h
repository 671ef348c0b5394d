/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lockstep keeps in its memory, for lockcheck to look for in a core.
 *
 * A writer stores n into its cells, first to last, then n + 1, and so on. So in
 * any single instant the cells are, in their order, some of the value n and the
 * rest n - 1. While it does so its register rbx is that n, r12 is LOCK_MAGIC and
 * r13 the address of its struct lock_writer.
 *
 * A link of the chain reads the one before it and stores what it read. The first
 * only grows, so no link is ever beyond the one before it.
 */
#ifndef LOCKSTEP_H
#define LOCKSTEP_H

#include <stdint.h>

#define LOCK_MAGIC 0x6c6f636b73746570
#define LOCK_CELLS 6
#define LOCK_WRITERS 32
#define LOCK_LINKS 4

/**
 * struct lock_writer - one writer, or one after the other
 * @cell: addresses of the cells, in the order of the stores
 */
struct lock_writer {
	uint64_t cell[LOCK_CELLS];
};

/**
 * struct lock_table - where everything is
 * @magic: LOCK_MAGIC
 * @writers: how many of @writer are in use
 * @permanent: of these, how many belong to threads that write all the time; these come first
 * @links: length of the chain
 * @link: addresses of the links' values, first to last
 */
struct lock_table {
	uint64_t magic;
	uint64_t writers;
	uint64_t permanent;
	uint64_t links;
	struct lock_writer writer[LOCK_WRITERS];
	uint64_t link[LOCK_LINKS];
};

#endif
