// SPDX-License-Identifier: GPL-2.0
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "progress.h"
#include "say.h"

#define NSEC_PER_SEC 1000000000ULL
#define FIRST_NS (1 * NSEC_PER_SEC)
#define REPEAT_NS (NSEC_PER_SEC / 5)

uint64_t kcs_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void kcs_progress_start(struct kcs_progress *progress)
{
	progress->terminal = isatty(STDERR_FILENO);
	progress->start_ns = kcs_now_ns();
	progress->next_ns = progress->start_ns + FIRST_NS;
}

void kcs_progress_tick(const struct kcs_copy *copy, void *arg)
{
	struct kcs_progress *progress = arg;
	char done[KCS_FORMAT_SIZE], size[KCS_FORMAT_SIZE], rate[KCS_FORMAT_SIZE];
	uint64_t now;

	if (!progress->terminal)
		return;
	now = kcs_now_ns();
	if (now < progress->next_ns)
		return;
	progress->next_ns = now + REPEAT_NS;
	kcs_say_progress("%s of %s, %s", kcs_format_bytes(done, copy->done),
			 kcs_format_bytes(size, copy->size),
			 kcs_format_rate(rate, copy->data,
					 now - progress->start_ns));
}

void kcs_progress_end(struct kcs_progress *progress)
{
	if (progress->terminal)
		kcs_say_progress(NULL);
}
