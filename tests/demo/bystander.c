// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: bystander
 *
 * A process that nobody dumps, with a thread on each CPU that watches for gaps:
 * what it sees at the time of a dump is the machine's doing, not the dump's.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "control.h"
#include "gap.h"
#include "wire.h"

static void report(char *line, size_t size)
{
	snprintf(line, size, "gap_ns=%ju", (uintmax_t)kcs_gap_longest());
}

static const struct kcs_control control = {
	.reset = kcs_gap_reset,
	.report = report,
};

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus; cpu++)
		if (kcs_gap_start(cpu))
			errx(1, "starting a thread");
	if (kcs_control_start(&control, KCS_BYSTANDER_CONTROL_PORT))
		errx(1, "starting a thread");
	for (;;)
		pause();
}
