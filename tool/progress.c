// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "cut.h"
#include "format.h"
#include "progress.h"
#include "say.h"

#define FIRST_NS (1 * NSEC_PER_SEC)
#define REPEAT_NS (NSEC_PER_SEC / 5)
#define REPEAT_LINE_NS NSEC_PER_SEC

void kcs_progress_start(struct kcs_progress *progress)
{
	progress->terminal = isatty(STDERR_FILENO);
	progress->on = progress->when == KCS_WHEN_ALWAYS ||
		       (progress->when == KCS_WHEN_AUTO && progress->terminal);
	progress->start_ns = kcs_now_ns();
	progress->next_ns = progress->start_ns +
			    (progress->when == KCS_WHEN_ALWAYS ? 0 : FIRST_NS);
}

/* Holes take next to no time, so what is left is told by the data. */
static void format_left(char *buf, const struct kcs_progress *progress,
			const struct kcs_copy *copy, uint64_t elapsed_ns)
{
	uint64_t left = progress->data_bytes > copy->data ?
			progress->data_bytes - copy->data : 0;
	uint64_t seconds;

	buf[0] = '\0';
	if (!copy->data || !progress->data_bytes)
		return;
	seconds = (uint64_t)((double)elapsed_ns / (double)copy->data *
			     (double)left / NSEC_PER_SEC);
	if (seconds >= 3600)
		snprintf(buf, KCS_FORMAT_SIZE, ", %u h %u min left",
			 (unsigned int)(seconds / 3600),
			 (unsigned int)(seconds / 60 % 60));
	else if (seconds >= 60)
		snprintf(buf, KCS_FORMAT_SIZE, ", %u min %u s left",
			 (unsigned int)(seconds / 60),
			 (unsigned int)(seconds % 60));
	else
		snprintf(buf, KCS_FORMAT_SIZE, ", %u s left",
			 (unsigned int)seconds);
}

void kcs_progress_tick(const struct kcs_copy *copy, void *arg)
{
	struct kcs_progress *progress = arg;
	char done[KCS_FORMAT_SIZE], size[KCS_FORMAT_SIZE], rate[KCS_FORMAT_SIZE];
	char pause[KCS_FORMAT_SIZE], left[KCS_FORMAT_SIZE];
	uint64_t now, elapsed_ns;

	if (!progress->on)
		return;
	now = kcs_now_ns();
	if (now < progress->next_ns)
		return;
	progress->next_ns = now + (progress->terminal ? REPEAT_NS :
				   REPEAT_LINE_NS);
	elapsed_ns = now - progress->start_ns;
	format_left(left, progress, copy, elapsed_ns);
	kcs_say_progress(progress->terminal, "%s of %s, %s%s, pause %s",
			 kcs_format_bytes(done, copy->done),
			 kcs_format_bytes(size, copy->cut ? copy->cut->size :
							    copy->size),
			 kcs_format_rate(rate, copy->data, elapsed_ns), left,
			 kcs_format_ns(pause, progress->pause_ns));
}

void kcs_progress_end(struct kcs_progress *progress)
{
	if (progress->on && progress->terminal)
		kcs_say_progress_end();
}
