/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pause looks like from inside: the longest time between two looks at the
 * clock. A thread that only spins would do as well, but take a CPU from whoever
 * else runs on so small a machine.
 */
#ifndef KCS_DEMO_GAP_H
#define KCS_DEMO_GAP_H

#include <stdint.h>

#define KCS_GAP_INTERVAL_NS 1000000 /* between two looks, so the shortest gap */

/**
 * kcs_now_ns() - CLOCK_MONOTONIC
 *
 * Return: nanoseconds
 */
uint64_t kcs_now_ns(void);

/**
 * kcs_go_first() - give the calling thread the highest ordinary priority
 *
 * A time slice that another thread had is then no gap, while the scheduling
 * policy stays that of any other program.
 */
void kcs_go_first(void);

#define KCS_ANY_CPU (-1)

/**
 * kcs_gap_start() - start a thread that watches for gaps
 * @cpu: where it runs, or KCS_ANY_CPU
 *
 * Return: 0, or an error number
 */
int kcs_gap_start(int cpu);

/**
 * kcs_gap_note() - add a gap that was seen elsewhere
 * @ns: how long it was
 */
void kcs_gap_note(uint64_t ns);

/** kcs_gap_reset() - forget the longest gap */
void kcs_gap_reset(void);

/**
 * kcs_gap_longest() - the longest gap since the last reset
 *
 * Return: nanoseconds
 */
uint64_t kcs_gap_longest(void);

#endif /* KCS_DEMO_GAP_H */
