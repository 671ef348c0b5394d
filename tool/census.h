/* SPDX-License-Identifier: GPL-2.0 */
/* Every process there is, and the containers they are in. */
#ifndef KCS_CENSUS_H
#define KCS_CENSUS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "container.h"
#include "stat.h"

#define KCS_HOST_NAME_SIZE 65

/**
 * struct kcs_process - one process
 * @pid: in the pid namespace of /proc
 * @stat: of its thread group leader, with a name that can be printed
 * @rss: bytes
 * @first: it has pid 1 in a pid namespace below that of /proc
 * @depth: how many containers it is in
 * @inside: indices of these in struct kcs_census, the outermost first
 */
struct kcs_process {
	pid_t pid;
	struct kcs_stat stat;
	uint64_t rss;
	bool first;
	size_t depth;
	size_t inside[KCS_CONTAINER_LEVELS];
};

/**
 * struct kcs_housing - one container that has a process
 * @id: its runtime and ID
 * @name: its host name where it has a UTS namespace of its own, else empty
 * @main: index of its main process, or KCS_NO_MAIN where all of its processes are
 *	in containers within
 *
 * The main process is the one that has pid 1 in a pid namespace below that of
 * /proc; where there are several or none, of these or of all the one that started
 * first.
 */
struct kcs_housing {
	struct kcs_container id;
	char name[KCS_HOST_NAME_SIZE];
	size_t main;
};

#define KCS_NO_MAIN SIZE_MAX

/**
 * struct kcs_census - all of them
 *
 * Threads of the kernel and processes that have exited are left out.
 */
struct kcs_census {
	struct kcs_process *processes;
	size_t count;
	struct kcs_housing *containers;
	size_t container_count;
};

/**
 * kcs_census_take() - read /proc
 * @census: zeroed
 *
 * Return: 0 or -errno; kcs_census_free() in any case.
 */
int kcs_census_take(struct kcs_census *census);

void kcs_census_free(struct kcs_census *census);

/**
 * kcs_census_is_named() - does the ID or name of a container begin so?
 * @container: the container
 * @wanted: the begin
 * @whole: it is to be all of it
 */
bool kcs_census_is_named(const struct kcs_housing *container,
			 const char *wanted, bool whole);

/**
 * kcs_census_is_in() - is a process in a container, or in one within it?
 * @process: the process
 * @container: index of the container
 */
bool kcs_census_is_in(const struct kcs_process *process, size_t container);

#endif /* KCS_CENSUS_H */
