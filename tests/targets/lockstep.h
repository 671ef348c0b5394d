/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lockstep keeps in its memory, for lockcheck to look for in a core.
 *
 * A writer stores n into its cells, first to last, then n + 1, and so on. So in
 * any single instant the cells are, in their order, some of the value n and the
 * rest n - 1. While it does so its register rbx is that n, r12 is LOCK_MAGIC, r13
 * the address of its struct lock_writer, and rip says how many cells are n. It is
 * alive, as its struct says, only while its registers say so too.
 *
 * Some cells are in memory that fork leaves out: of that there is no copy on
 * write, and nothing stops a thread that escapes from writing to it.
 *
 * A link of the chain reads the one before it and stores what it read. The first
 * only grows, so no link is ever beyond the one before it.
 */
#ifndef LOCKSTEP_H
#define LOCKSTEP_H

#include <stdint.h>

#define LOCK_MAGIC 0x6c6f636b73746570
#define LOCK_CELLS 8
#define LOCK_WRITERS 32
#define LOCK_LINKS 4
#define LOCK_LOOPS 2

/**
 * struct lock_writer - one writer, or one after the other
 * @cell: addresses of the cells, in the order of the stores
 * @alive: there is a thread or process that writes
 * @nap: address of the struct timespec for which it sleeps now and then, or 0
 */
struct lock_writer {
	uint64_t cell[LOCK_CELLS];
	uint64_t alive;
	uint64_t nap;
};

/**
 * struct lock_loop - addresses in one of the loops that writers run
 * @enter: the registers are set up; up to @begun all cells are n
 * @begun: no cell is n
 * @stored: the cell is n, and those before it
 * @end: the registers are no longer what they were
 */
struct lock_loop {
	uint64_t enter;
	uint64_t begun;
	uint64_t stored[LOCK_CELLS];
	uint64_t end;
};

/**
 * struct lock_table - where everything is
 * @magic: LOCK_MAGIC
 * @writers: how many of @writer are in use
 * @threads: of these, how many belong to threads of the process; the rest, to others that share
 *	its memory
 * @links: length of the chain
 * @link: addresses of the links' values, first to last
 * @loop: the loops
 */
struct lock_table {
	uint64_t magic;
	uint64_t writers;
	uint64_t threads;
	uint64_t links;
	struct lock_writer writer[LOCK_WRITERS];
	uint64_t link[LOCK_LINKS];
	struct lock_loop loop[LOCK_LOOPS];
};

#endif
