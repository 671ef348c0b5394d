/* SPDX-License-Identifier: GPL-2.0 */
/* pids of other pid namespaces. */
#ifndef KCS_NEST_H
#define KCS_NEST_H

#include <stdint.h>
#include <sys/types.h>

#include "exit.h"

/**
 * kcs_nest_find() - who has a pid in the pid namespace of a process?
 * @of: pid of that process, here
 * @inner: the pid as seen inside, of a process or a thread
 * @pid: the pid of the same, here
 * @start_time: of its thread group leader
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_nest_find(pid_t of, pid_t inner, pid_t *pid,
			    uint64_t *start_time);

#endif /* KCS_NEST_H */
