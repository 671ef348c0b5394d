/* SPDX-License-Identifier: GPL-2.0 */
/* From what the command line names to processes. */
#ifndef KCS_CHOOSE_H
#define KCS_CHOOSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "census.h"
#include "cmd.h"
#include "exit.h"

/**
 * struct kcs_choice - one process that is meant
 * @pid: any thread of it
 * @start_time: of its thread group leader when it was chosen; 0 if it was named by
 *	its pid, and whatever has the pid is meant
 */
struct kcs_choice {
	pid_t pid;
	uint64_t start_time;
};

/**
 * kcs_choose() - find the processes that the command line names
 * @args: the command line
 * @choices: an array, to be freed
 * @count: how many, at least 1
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_choose(const struct kcs_args *args,
			 struct kcs_choice **choices, size_t *count);

/**
 * kcs_choose_container() - find the container that is meant
 * @census: where
 * @wanted: begin of its ID or name, or of "RUNTIME://ID"; an ID or name that is
 *	equal comes before those that only begin so
 * @index: of the container
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_choose_container(const struct kcs_census *census,
				   const char *wanted, size_t *index);

#endif /* KCS_CHOOSE_H */
