/* SPDX-License-Identifier: GPL-2.0 */
/* How far a long copy is, on stderr. */
#ifndef KCS_PROGRESS_H
#define KCS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "copy.h"

/** enum kcs_when - whether progress is told */
enum kcs_when {
	/** @KCS_WHEN_AUTO: where stderr is a terminal */
	KCS_WHEN_AUTO,
	/** @KCS_WHEN_ALWAYS: elsewhere too, as lines of text */
	KCS_WHEN_ALWAYS,
	KCS_WHEN_NEVER,
};

/**
 * struct kcs_progress - state of the line
 * @when: of the user's
 * @data_bytes: how many bytes of the core are about to be read
 * @pause_ns: how long the process was paused
 * @on: progress is told
 * @terminal: by a line that is replaced
 * @start_ns: CLOCK_MONOTONIC when the copy began
 * @next_ns: when the line is due again
 *
 * The caller fills the first three.
 */
struct kcs_progress {
	enum kcs_when when;
	uint64_t data_bytes;
	uint64_t pause_ns;
	bool on;
	bool terminal;
	uint64_t start_ns;
	uint64_t next_ns;
};

void kcs_progress_start(struct kcs_progress *progress);

/** kcs_progress_tick() - for struct kcs_copy, with a struct kcs_progress */
void kcs_progress_tick(const struct kcs_copy *copy, void *progress);

void kcs_progress_end(struct kcs_progress *progress);

#endif /* KCS_PROGRESS_H */
