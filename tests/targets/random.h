/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that are the same for the same seed (xorshift64*). */
#ifndef KCS_TESTS_RANDOM_H
#define KCS_TESTS_RANDOM_H

#include <stdint.h>

struct kcs_random {
	uint64_t state;
};

/** kcs_random_seed() - @stream tells generators of one seed apart */
static inline void kcs_random_seed(struct kcs_random *random, uint64_t seed, uint64_t stream)
{
	random->state = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (stream + 1) * 0xbf58476d1ce4e5b9ULL;
	if (!random->state)
		random->state = 1;
}

static inline uint64_t kcs_random(struct kcs_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dULL;
}

/** kcs_random_below() - 0 to @limit - 1; @limit is less than 2^32 */
static inline uint32_t kcs_random_below(struct kcs_random *random, uint32_t limit)
{
	return (kcs_random(random) >> 32) * limit >> 32;
}

/** kcs_one_in() - true once in so many times */
static inline int kcs_one_in(struct kcs_random *random, uint32_t times)
{
	return kcs_random_below(random, times) == 0;
}

#endif /* KCS_TESTS_RANDOM_H */
