/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCS_CLOCK_H
#define KCS_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_USEC 1000ULL

/** kcs_now_ns() - Return: CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t kcs_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

#endif /* KCS_CLOCK_H */
