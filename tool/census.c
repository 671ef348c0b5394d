// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "census.h"
#include "cleanup.h"
#include "proc.h"
#include "say.h"

#define GROWTH 64

static int grow(void *array, size_t count, size_t size)
{
	void **old = array, *new;

	if (count % GROWTH)
		return 0;
	new = reallocarray(*old, count + GROWTH, size);
	if (!new)
		return -ENOMEM;
	*old = new;
	return 0;
}

/* Return: its index, or -errno. */
static ssize_t find_container(struct kcs_census *census,
			      const struct kcs_container *id)
{
	size_t i;
	int ret;

	for (i = 0; i < census->container_count; i++)
		if (!strcmp(census->containers[i].id.runtime, id->runtime) &&
		    !strcmp(census->containers[i].id.id, id->id))
			return i;
	ret = grow(&census->containers, i, sizeof(*census->containers));
	if (ret)
		return ret;
	census->containers[i] = (struct kcs_housing){
		.id = *id,
		.main = KCS_NO_MAIN,
	};
	census->container_count++;
	return i;
}

static bool is_rather_main(const struct kcs_process *a,
			   const struct kcs_process *b)
{
	if (a->first != b->first)
		return a->first;
	if (a->stat.start_time != b->stat.start_time)
		return a->stat.start_time < b->stat.start_time;
	return a->pid < b->pid;
}

static int house(struct kcs_census *census, struct kcs_process *process,
		 const char *cgroups)
{
	struct kcs_container found[KCS_CONTAINER_LEVELS];
	struct kcs_housing *own;
	ssize_t index;
	size_t i;

	process->depth = kcs_container_parse(cgroups, found);
	for (i = 0; i < process->depth; i++) {
		kcs_printable(found[i].id);
		index = find_container(census, &found[i]);
		if (index < 0)
			return (int)index;
		process->inside[i] = index;
	}
	if (!process->depth)
		return 0;
	own = &census->containers[process->inside[process->depth - 1]];
	if (own->main == KCS_NO_MAIN ||
	    is_rather_main(process, &census->processes[own->main]))
		own->main = process - census->processes;
	return 0;
}

/* A process that went away meanwhile is none. */
static int count_process(pid_t pid, void *arg)
{
	int proc KCS_CLEANUP(kcs_close) = kcs_proc_open(pid);
	struct kcs_process process = { .pid = pid };
	struct kcs_census *census = arg;
	pid_t pids[KCS_PID_LEVELS];
	char text[KCS_PROC_TEXT_SIZE];
	int ret, levels;

	if (proc < 0 || kcs_proc_read(proc, "stat", text) ||
	    kcs_stat_parse(text, &process.stat) || process.stat.kernel ||
	    kcs_stat_is_dead(&process.stat) ||
	    kcs_proc_read(proc, "status", text))
		return 0;
	kcs_printable(process.stat.comm);
	process.rss = process.stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	levels = kcs_status_nspids(text, pids);
	process.first = levels > 1 && pids[levels - 1] == 1;
	if (kcs_proc_read(proc, "cgroup", text))
		return 0;

	ret = grow(&census->processes, census->count,
		   sizeof(*census->processes));
	if (ret)
		return ret;
	census->processes[census->count] = process;
	ret = house(census, &census->processes[census->count], text);
	census->count++;
	return ret;
}

static int open_uts(pid_t pid, struct stat *st)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, st)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * A container has its host name in the kernel: files in it could be anything. Who
 * may not look goes without names.
 */
static void name_containers(struct kcs_census *census)
{
	int own KCS_CLEANUP(kcs_close) = -1;
	struct stat here, there;
	struct utsname names;
	size_t i;

	own = open_uts(getpid(), &here);
	for (i = 0; own >= 0 && i < census->container_count; i++) {
		struct kcs_housing *container = &census->containers[i];
		int uts KCS_CLEANUP(kcs_close) = -1;

		if (container->main == KCS_NO_MAIN)
			continue;
		uts = open_uts(census->processes[container->main].pid, &there);
		if (uts < 0 || there.st_ino == here.st_ino ||
		    setns(uts, CLONE_NEWUTS))
			continue;
		if (!uname(&names))
			snprintf(container->name, sizeof(container->name), "%s",
				 names.nodename);
		kcs_printable(container->name);
		if (setns(own, CLONE_NEWUTS))
			break;
	}
}

int kcs_census_take(struct kcs_census *census)
{
	int ret = kcs_proc_each(AT_FDCWD, "/proc", count_process, census);

	if (!ret)
		name_containers(census);
	return ret;
}

void kcs_census_free(struct kcs_census *census)
{
	free(census->processes);
	free(census->containers);
	*census = (struct kcs_census){ 0 };
}

bool kcs_census_is_named(const struct kcs_housing *container,
			 const char *wanted, bool whole)
{
	size_t len = strlen(wanted);

	if (whole)
		return !strcmp(container->id.id, wanted) ||
		       !strcmp(container->name, wanted);
	return !strncmp(container->id.id, wanted, len) ||
	       !strncmp(container->name, wanted, len);
}

bool kcs_census_is_in(const struct kcs_process *process, size_t container)
{
	size_t i;

	for (i = 0; i < process->depth; i++)
		if (process->inside[i] == container)
			return true;
	return false;
}
