/* SPDX-License-Identifier: GPL-2.0 */
/* The progress line of a long copy, on a terminal only. */
#ifndef KCS_PROGRESS_H
#define KCS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "copy.h"

/**
 * struct kcs_progress - state of the line
 * @terminal: stderr is one
 * @start_ns: CLOCK_MONOTONIC when the copy began
 * @next_ns: when the line is due again
 */
struct kcs_progress {
	bool terminal;
	uint64_t start_ns;
	uint64_t next_ns;
};

/** kcs_now_ns() - Return: CLOCK_MONOTONIC in nanoseconds. */
uint64_t kcs_now_ns(void);

void kcs_progress_start(struct kcs_progress *progress);

/** kcs_progress_tick() - for struct kcs_copy, with a struct kcs_progress */
void kcs_progress_tick(const struct kcs_copy *copy, void *progress);

void kcs_progress_end(struct kcs_progress *progress);

#endif /* KCS_PROGRESS_H */
