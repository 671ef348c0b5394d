// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "nest.h"
#include "proc.h"
#include "say.h"
#include "stat.h"

#define FOUND 1

/**
 * struct search - one search
 * @dev: of the pid namespace
 * @ino: the same
 * @level: how many namespaces are around it, that of /proc included
 * @inner: pid in it
 * @threads: look among threads that are not the first of their process
 * @proc: /proc/PID of the process at hand
 * @pid: result
 * @start_time: result
 */
struct search {
	dev_t dev;
	ino_t ino;
	int level;
	pid_t inner;
	bool threads;
	int proc;
	pid_t pid;
	uint64_t start_time;
};

static int read_nspids(int dir, const char *name, pid_t *pids)
{
	char text[KCS_PROC_TEXT_SIZE];
	int ret = kcs_proc_read(dir, name, text);

	return ret ? ret : kcs_status_nspids(text, pids);
}

/* Is the namespace, @up levels above that of the process, the one that is meant? */
static bool is_below(int proc, int up, const struct search *search)
{
	int ns KCS_CLEANUP(kcs_close) = openat(proc, "ns/pid",
					       O_RDONLY | O_CLOEXEC);
	struct stat st;
	int parent;

	for (; ns >= 0 && up > 0; up--) {
		parent = ioctl(ns, NS_GET_PARENT);
		close(ns);
		ns = parent;
	}
	return ns >= 0 && !fstat(ns, &st) && st.st_dev == search->dev &&
	       st.st_ino == search->ino;
}

static int try_thread(pid_t tid, void *arg)
{
	struct search *search = arg;
	pid_t pids[KCS_PID_LEVELS];
	char name[32];
	int count;

	snprintf(name, sizeof(name), "task/%d/status", tid);
	count = read_nspids(search->proc, name, pids);
	if (count <= search->level || pids[search->level] != search->inner)
		return 0;
	search->pid = tid;
	return FOUND;
}

static int try_process(pid_t pid, void *arg)
{
	int proc KCS_CLEANUP(kcs_close) = kcs_proc_open(pid);
	struct search *search = arg;
	pid_t pids[KCS_PID_LEVELS];
	char text[KCS_PROC_TEXT_SIZE];
	struct kcs_stat stat;
	int count;

	if (proc < 0 || kcs_proc_read(proc, "stat", text) ||
	    kcs_stat_parse(text, &stat))
		return 0;
	count = read_nspids(proc, "status", pids);
	if (count <= search->level ||
	    (!search->threads && pids[search->level] != search->inner) ||
	    !is_below(proc, count - 1 - search->level, search))
		return 0;
	search->pid = pid;
	search->start_time = stat.start_time;
	if (!search->threads)
		return FOUND;
	search->proc = proc;
	return kcs_proc_each(proc, "task", try_thread, search) == FOUND ? FOUND : 0;
}

/* Return: 0, or the -errno of what could not be read of the process. */
static int look_at(pid_t of, struct search *search)
{
	int proc KCS_CLEANUP(kcs_close) = kcs_proc_open(of);
	pid_t pids[KCS_PID_LEVELS];
	struct stat st;
	int count;

	if (proc < 0)
		return proc;
	count = read_nspids(proc, "status", pids);
	if (count < 0)
		return count;
	if (fstatat(proc, "ns/pid", &st, 0))
		return -errno;
	search->level = count - 1;
	search->dev = st.st_dev;
	search->ino = st.st_ino;
	return 0;
}

enum kcs_exit kcs_nest_find(pid_t of, pid_t inner, pid_t *pid,
			    uint64_t *start_time)
{
	struct search search = { .inner = inner };
	int ret = look_at(of, &search);

	if (ret == -EACCES || ret == -EPERM) {
		kcs_say("the pid namespace of process %d can't be seen (%s): run as root",
			of, strerror(-ret));
		return KCS_EXIT_PERMISSION;
	}
	if (ret) {
		kcs_say("there is no process %d whose pid namespace could be meant: check the pid given with --ns",
			of);
		return KCS_EXIT_NO_TARGET;
	}
	ret = kcs_proc_each(AT_FDCWD, "/proc", try_process, &search);
	if (!ret) {
		search.threads = true;
		ret = kcs_proc_each(AT_FDCWD, "/proc", try_process, &search);
	}
	if (ret != FOUND) {
		kcs_say("there is no process %d in the pid namespace of process %d: check the pid, it is the one seen inside",
			inner, of);
		return KCS_EXIT_NO_TARGET;
	}
	*pid = search.pid;
	*start_time = search.start_time;
	return KCS_EXIT_OK;
}
