/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What states keeps in its memory and its registers, for statecheck to look for
 * in a core. It is all at fixed addresses.
 *
 * A thread whose register r12 is STATE_MAGIC plays the role that r13 points to;
 * a role that is alive is played. Those that count store n to @before, then to
 * what @after points to, and so on with n + 1, n being in rbx. The others have
 * registers that follow from their role while they are in a system call, or in
 * a page fault.
 */
#ifndef STATES_H
#define STATES_H

#include <stdint.h>

#define STATE_MAGIC	0x5374617465732121
#define STATE_ROLES	8
#define STATE_PAGE	4096UL

/* The witness, and behind it pages: the even ones hold a pattern, the odd ones are holes. */
#define STATE_WITNESS	0x100000000UL
#define STATE_PAGES	64UL
/* What lies between the stores of those that count, if that should take long to copy. */
#define STATE_FILLER	0x108000000UL
#define STATE_AFTER	0x110000000UL

#define STATE_COUNTS	1
#define STATE_CALLS	2
#define STATE_TOUCHES	3

/**
 * struct state_role - one role
 * @alive: it is played
 * @before: count
 * @nap: of those that count: address of the struct timespec for which they sleep each time, or 0
 * @nr: of those that call: system call
 * @args: its arguments
 * @after: address of the count's second copy
 * @kind: STATE_COUNTS etc.
 * @tgid: process whose thread plays it, as it sees itself
 * @calls: system calls begun
 * @returned: and ended
 * @result: of the last
 */
struct state_role {
	uint64_t alive;
	uint64_t before;
	uint64_t nap;
	uint64_t nr;
	uint64_t args[6];
	uint64_t after;
	uint64_t kind;
	uint64_t tgid;
	uint64_t calls;
	uint64_t returned;
	int64_t result;
};

/**
 * struct state_witness - at STATE_WITNESS
 * @magic: STATE_MAGIC
 * @called: address behind the system call
 * @touching: address of the instruction that faults
 * @again: addresses in the counting loop: the copies are n; also up to here, from where the
 *	registers are set up
 * @begun: they are n - 1
 * @half: the first is n, the second is n - 1
 * @done: they are n
 * @end: the loop's end
 */
struct state_witness {
	uint64_t magic;
	uint64_t called;
	uint64_t touching;
	uint64_t again;
	uint64_t begun;
	uint64_t half;
	uint64_t done;
	uint64_t end;
	struct state_role role[STATE_ROLES];
};

static inline uint64_t state_pattern(unsigned long page, unsigned long word)
{
	return STATE_MAGIC ^ (page << 40 | word << 8 | (page + word) % 251);
}

#endif
