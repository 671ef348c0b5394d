/* SPDX-License-Identifier: GPL-2.0 */
/* Which process is meant. */
#ifndef KCS_TARGET_H
#define KCS_TARGET_H

#include <sys/types.h>

#include "exit.h"
#include "stat.h"

/**
 * struct kcs_target - a process, told from a later one with the same pid
 * @pid: any thread of it
 * @leader: its thread group leader, with a name that can be printed; the start
 *	time is what the module compares
 */
struct kcs_target {
	pid_t pid;
	struct kcs_stat leader;
};

/**
 * kcs_target_pin() - find a process
 * @target: filled on success
 * @pid: any thread of it
 * @start_time: of its thread group leader, another one means that the process is
 *	gone; 0 for whatever has the pid
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_target_pin(struct kcs_target *target, pid_t pid,
			     uint64_t start_time);

/**
 * kcs_target_filter() - the coredump_filter of a process
 * @target: found
 * @filter: filled on success
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_target_filter(const struct kcs_target *target,
				uint32_t *filter);

#endif /* KCS_TARGET_H */
