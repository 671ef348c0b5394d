// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "proc.h"
#include "say.h"
#include "target.h"

static pid_t read_tgid(int proc)
{
	char text[KCS_PROC_TEXT_SIZE];
	int ret = kcs_proc_read(proc, "status", text);

	return ret ? ret : kcs_status_tgid(text);
}

static int read_leader(struct kcs_target *target)
{
	int thread KCS_CLEANUP(kcs_close) = kcs_proc_open(target->pid);
	int leader KCS_CLEANUP(kcs_close) = -1;
	char text[KCS_PROC_TEXT_SIZE];
	pid_t tgid;
	int ret;

	if (thread < 0)
		return thread;
	tgid = read_tgid(thread);
	if (tgid < 0)
		return tgid;

	leader = kcs_proc_open(tgid);
	if (leader < 0)
		return leader;
	ret = kcs_proc_read(leader, "stat", text);
	if (ret)
		return ret;
	ret = kcs_stat_parse(text, &target->leader);
	if (ret)
		return ret;

	/* Still alive, thus the leader was that of this thread. */
	return read_tgid(thread) == tgid ? 0 : -ESRCH;
}

enum kcs_exit kcs_target_pin(struct kcs_target *target, pid_t pid,
			     uint64_t start_time)
{
	int ret;

	target->pid = pid;
	ret = read_leader(target);
	if (!ret && start_time && target->leader.start_time != start_time)
		ret = -ESRCH;
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

/* Without memory it is empty: for an answer, the module is asked all the same. */
enum kcs_exit kcs_target_filter(const struct kcs_target *target,
				uint32_t *filter)
{
	int proc KCS_CLEANUP(kcs_close) = kcs_proc_open(target->pid);
	char text[KCS_PROC_TEXT_SIZE];
	int ret = proc;

	*filter = 0;
	if (proc >= 0)
		ret = kcs_proc_read(proc, "coredump_filter", text);
	if (ret == -ESRCH || ret == -ENOENT)
		return KCS_EXIT_OK;
	if (!ret) {
		text[strcspn(text, "\n")] = '\0';
		if (!*text || !kcs_parse_mask(text, filter))
			return KCS_EXIT_OK;
		ret = -EINVAL;
	}
	kcs_say("the coredump_filter of process %d can't be read (%s): give a --filter without '+' and '-'",
		target->pid, strerror(-ret));
	return KCS_EXIT_ERROR;
}
