/* SPDX-License-Identifier: GPL-2.0 */
/* What became of one core, for --json. */
#ifndef KCS_REPORT_H
#define KCS_REPORT_H

#include "exit.h"
#include "module.h"
#include "target.h"

/**
 * struct kcs_report - filled as far as it came
 * @pid: as it was chosen
 * @target: whose core it is, once the process was found; else NULL
 * @asked: the module answered, by @taken
 * @dry_run: with a prediction
 * @taken: see there
 * @file: where the core or a part of it is; NULL for standard output, or nowhere
 * @counted: the module told how it was read, in @entry
 * @entry: its last figures
 * @written_bytes: what was written that is not a hole
 * @left_out_bytes: what was left out as asked
 * @elapsed_ns: from the snapshot to the end
 */
struct kcs_report {
	pid_t pid;
	const struct kcs_target *target;
	bool asked;
	bool dry_run;
	struct kcs_taken taken;
	const char *file;
	bool counted;
	struct kcs_entry entry;
	uint64_t written_bytes;
	uint64_t left_out_bytes;
	uint64_t elapsed_ns;
};

/**
 * kcs_report_print() - print it as JSON
 * @report: filled
 * @ret: how it ended
 *
 * Return: @ret, or KCS_EXIT_OUTPUT where only printing failed.
 */
enum kcs_exit kcs_report_print(const struct kcs_report *report,
			       enum kcs_exit ret);

#endif /* KCS_REPORT_H */
