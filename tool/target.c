// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "say.h"
#include "target.h"

#define PROC_TEXT_SIZE 8192

/*
 * The descriptor stands for this very process: once it is gone, everything under
 * it fails, whoever has its pid by then.
 */
static int open_proc(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_proc(int proc, const char *name, char *text)
{
	int fd KCS_CLEANUP(kcs_close) = openat(proc, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + len, PROC_TEXT_SIZE - 1 - len);
		if (n < 0)
			return -errno;
		len += n;
	} while (n && len < PROC_TEXT_SIZE - 1);
	text[len] = '\0';
	return 0;
}

static pid_t read_tgid(int proc)
{
	char text[PROC_TEXT_SIZE];
	int ret = read_proc(proc, "status", text);

	return ret ? ret : kcs_status_tgid(text);
}

static int read_leader(struct kcs_target *target)
{
	int thread KCS_CLEANUP(kcs_close) = open_proc(target->pid);
	int leader KCS_CLEANUP(kcs_close) = -1;
	char text[PROC_TEXT_SIZE];
	pid_t tgid;
	int ret;

	if (thread < 0)
		return thread;
	tgid = read_tgid(thread);
	if (tgid < 0)
		return tgid;

	leader = open_proc(tgid);
	if (leader < 0)
		return leader;
	ret = read_proc(leader, "stat", text);
	if (ret)
		return ret;
	ret = kcs_stat_parse(text, &target->leader);
	if (ret)
		return ret;

	/* Still alive, thus the leader was that of this thread. */
	return read_tgid(thread) == tgid ? 0 : -ESRCH;
}

enum kcs_exit kcs_target_pin(struct kcs_target *target, pid_t pid)
{
	int ret;

	target->pid = pid;
	ret = read_leader(target);
	if (!ret)
		kcs_printable(target->leader.comm);
	switch (ret) {
	case 0:
		return KCS_EXIT_OK;
	case -ENOENT:
	case -ESRCH:
		if (access("/proc/self/stat", R_OK)) {
			kcs_say("/proc is not mounted: mount it, it tells a process from a later one with the same pid");
			return KCS_EXIT_ERROR;
		}
		kcs_say("there is no process %d: check the pid, it may have exited",
			pid);
		return KCS_EXIT_NO_TARGET;
	case -EACCES:
	case -EPERM:
		kcs_say("/proc/%d can't be read (%s): run as root", pid,
			strerror(-ret));
		return KCS_EXIT_PERMISSION;
	default:
		kcs_say("/proc/%d can't be read (%s): check that /proc is the kernel's own",
			pid, strerror(-ret));
		return KCS_EXIT_ERROR;
	}
}
