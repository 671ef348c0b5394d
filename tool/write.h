/* SPDX-License-Identifier: GPL-2.0 */
/* From a snapshot that was taken to a core that is written. */
#ifndef KCS_WRITE_H
#define KCS_WRITE_H

#include "cmd.h"
#include "exit.h"
#include "module.h"
#include "nl.h"
#include "output.h"
#include "report.h"
#include "target.h"

/**
 * kcs_write_check() - before a snapshot is taken: will there be room?
 * @nl: connected
 * @args: the command line
 * @target: pinned
 * @wish: what will be asked for
 * @out: open
 *
 * A dry run tells what the core will hold at the least. How much it will be when
 * compressed nobody knows, so then all is well.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_write_check(struct kcs_nl *nl, const struct kcs_args *args,
			      const struct kcs_target *target,
			      const struct kcs_wish *wish,
			      const struct kcs_output *out);

/**
 * kcs_write_core() - write the core, and give the file its name
 * @nl: connected
 * @args: the command line
 * @target: pinned
 * @taken: the snapshot; its descriptor is closed as soon as it was read
 * @out: open
 * @report: what it comes to
 *
 * Return: the exit code, once everything has been said. A core that is incomplete
 * was kept as such.
 */
enum kcs_exit kcs_write_core(struct kcs_nl *nl, const struct kcs_args *args,
			     const struct kcs_target *target,
			     struct kcs_taken *taken, struct kcs_output *out,
			     struct kcs_report *report);

#endif /* KCS_WRITE_H */
