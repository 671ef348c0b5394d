// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "facts.h"
#include "proc.h"
#include "say.h"

#define FIELD_STATE 3
#define FIELD_PROCESSOR 39

static long first_number(const char *text, const char *label, long otherwise)
{
	const char *line = kcs_proc_find(text, label);

	return line ? strtol(line, NULL, 10) : otherwise;
}

/* The innermost pid namespace comes last. */
static long last_number(const char *text, const char *label, long otherwise)
{
	const char *line = kcs_proc_find(text, label);
	long number = otherwise;
	char *end;

	while (line && *line == '\t') {
		number = strtol(line, &end, 10);
		line = end;
	}
	return number;
}

static int read_status(struct kcs_facts *facts, int task)
{
	char text[KCS_PROC_TEXT_SIZE];
	int ret = kcs_proc_read(task, "status", text);

	if (ret)
		return ret;
	facts->pid = (pid_t)first_number(text, "Tgid:", facts->tid);
	facts->inner_pid = (pid_t)last_number(text, "NStgid:", facts->pid);
	facts->inner_tid = (pid_t)last_number(text, "NSpid:", facts->tid);
	facts->uid = (uid_t)first_number(text, "Uid:", 0);
	facts->gid = (gid_t)first_number(text, "Gid:", 0);
	return 0;
}

static int read_stat(struct kcs_facts *facts, struct kcs_fact_text *text,
		     int task)
{
	char line[KCS_PROC_TEXT_SIZE];
	struct kcs_stat stat;
	const char *p;
	int field;
	int ret;

	ret = kcs_proc_read(task, "stat", line);
	if (!ret)
		ret = kcs_stat_parse(line, &stat);
	if (ret)
		return ret;
	snprintf(text->comm, sizeof(text->comm), "%s", stat.comm);
	facts->comm = text->comm;

	p = strrchr(line, ')') + 2;
	for (field = FIELD_STATE; p && field < FIELD_PROCESSOR; field++) {
		p = strchr(p, ' ');
		p += !!p;
	}
	facts->cpu = p ? atoi(p) : 0;
	return 0;
}

static int read_limit(struct kcs_facts *facts, int task)
{
	char text[KCS_PROC_TEXT_SIZE];
	const char *line;
	int ret = kcs_proc_read(task, "limits", text);

	if (ret)
		return ret;
	line = kcs_proc_find(text, "Max core file size");
	if (!line || sscanf(line, "%" SCNu64, &facts->core_limit) != 1)
		facts->core_limit = UINT64_MAX;
	return 0;
}

static void read_exe(struct kcs_facts *facts, struct kcs_fact_text *text,
		     int task)
{
	ssize_t len = readlinkat(task, "exe", text->exe, sizeof(text->exe) - 1);

	if (len < 0)
		return;
	text->exe[len] = '\0';
	facts->exe = text->exe;
}

/* What belongs to root in /proc though the process doesn't, is not dumpable. */
static void read_dumpable(struct kcs_facts *facts, int task)
{
	char text[KCS_PROC_TEXT_SIZE];
	struct stat dir, file;
	int sysctl KCS_CLEANUP(kcs_close) = open("/proc/sys/fs", O_PATH |
						 O_DIRECTORY | O_CLOEXEC);

	facts->dumpable = 1;
	if (fstat(task, &dir) || fstatat(task, "stat", &file, 0) ||
	    dir.st_uid == file.st_uid)
		return;
	facts->dumpable = sysctl >= 0 &&
			  !kcs_proc_read(sysctl, "suid_dumpable", text) ?
			  atoi(text) : 0;
}

/**
 * struct host_search - for the host name of another UTS namespace
 * @ns: the namespace
 * @name: filled
 */
struct host_search {
	int ns;
	struct utsname name;
};

/* A thread enters a namespace without the others. */
static void *ask_host(void *arg)
{
	struct host_search *search = arg;

	if (setns(search->ns, CLONE_NEWUTS))
		return NULL;
	uname(&search->name);
	return NULL;
}

static bool is_own_namespace(int ns)
{
	struct stat own, st;

	return !stat("/proc/self/ns/uts", &own) && !fstat(ns, &st) &&
	       own.st_ino == st.st_ino && own.st_dev == st.st_dev;
}

static void read_host(struct kcs_facts *facts, struct kcs_fact_text *text,
		      int task)
{
	int ns KCS_CLEANUP(kcs_close) = openat(task, "ns/uts",
					       O_RDONLY | O_CLOEXEC);
	struct host_search search = { .ns = ns };
	pthread_t thread;

	uname(&search.name);
	if (ns >= 0 && !is_own_namespace(ns) &&
	    !pthread_create(&thread, NULL, ask_host, &search))
		pthread_join(thread, NULL);
	snprintf(text->host, sizeof(text->host), "%s", search.name.nodename);
	facts->host = text->host;
}

static int check_leader(const struct kcs_facts *facts,
			const struct kcs_target *target)
{
	int leader KCS_CLEANUP(kcs_close) = kcs_proc_open(facts->pid);
	char text[KCS_PROC_TEXT_SIZE];
	struct kcs_stat stat;
	int ret;

	if (leader < 0)
		return leader;
	ret = kcs_proc_read(leader, "stat", text);
	if (!ret)
		ret = kcs_stat_parse(text, &stat);
	if (ret)
		return ret;
	return stat.start_time == target->leader.start_time ? 0 : -ESRCH;
}

static int read_facts(struct kcs_facts *facts, struct kcs_fact_text *text,
		      const struct kcs_target *target)
{
	int task KCS_CLEANUP(kcs_close) = kcs_proc_open(target->pid);
	int ret;

	if (task < 0)
		return task;
	ret = read_status(facts, task);
	if (!ret)
		ret = read_stat(facts, text, task);
	if (!ret)
		ret = read_limit(facts, task);
	if (ret)
		return ret;
	read_exe(facts, text, task);
	read_dumpable(facts, task);
	read_host(facts, text, task);
	return check_leader(facts, target);
}

enum kcs_exit kcs_facts_read(struct kcs_facts *facts,
			     struct kcs_fact_text *text,
			     const struct kcs_target *target)
{
	int ret;

	*facts = (struct kcs_facts){
		.tid = target->pid,
		.time = (uint64_t)time(NULL),
	};
	ret = read_facts(facts, text, target);
	if (!ret)
		return KCS_EXIT_OK;
	if (ret == -ENOENT || ret == -ESRCH) {
		kcs_say("process %d has exited: check the pid", target->pid);
		return KCS_EXIT_NO_TARGET;
	}
	kcs_say("/proc/%d can't be read (%s): run as root", target->pid,
		strerror(-ret));
	return KCS_EXIT_PERMISSION;
}
