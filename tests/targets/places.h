/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces and credentials for tests of who may: made once, entered by whoever
 * is to be somewhere. All by root, in the initial namespaces.
 */
#ifndef KCS_TESTS_PLACES_H
#define KCS_TESTS_PLACES_H

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#define UID_ROOT 0
#define UID_OWNER 1000
#define UID_OTHER 2000

enum place_user { USER_INIT, USER_CHILD, USER_GRANDCHILD, USER_SIBLING, USER_COUNT };
enum place_caps { CAPS_NONE, CAPS_PTRACE, CAPS_PERMITTED, CAPS_ALL };

/**
 * struct places - descriptors of namespaces
 * @user: by enum place_user. The child and the sibling are children of the
 *	initial one, made by UID_OWNER and UID_OTHER; the grandchild is the
 *	child's, made by root. Each has the ids of its parent.
 * @pid_init: initial
 * @pid_own: another
 * @net_own: another, of the initial user namespace
 */
struct places {
	int user[USER_COUNT];
	int pid_init;
	int pid_own;
	int net_own;
};

static inline void __attribute__((noreturn)) give_up(const char *what)
{
	perror(what);
	exit(1);
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		give_up(path);
	close(fd);
}

static inline int open_ns(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		give_up(path);
	return fd;
}

static inline void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline void wait_ready(const int ready[2])
{
	char c;

	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		exit(1);
	close(ready[0]);
}

/* In a process of its own; says so in @ready, and stays. */
static inline void __attribute__((noreturn)) make_user_ns(uid_t owner, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Keeps the capabilities, which a distribution may ask for. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) ||
	    syscall(SYS_setresuid, -1, owner, -1) || unshare(CLONE_NEWUSER))
		give_up("making a user namespace");
	/* Not kept over a change of the effective uid. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready, "", 1) != 1)
		give_up("pipe");
	for (;;)
		pause();
}

/* The same, from the parent namespace's side: only from there can ids be mapped. */
static inline void __attribute__((noreturn))
map_user_ns(int parent, uid_t owner, int told)
{
	char path[64];
	int ready[2];
	pid_t pid;

	if (parent >= 0 && setns(parent, CLONE_NEWUSER))
		give_up("setns");
	if (pipe(ready))
		give_up("pipe");
	pid = fork();
	if (!pid)
		make_user_ns(owner, ready[1]);
	wait_ready(ready);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_text(path, "0 0 65536");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_text(path, "0 0 65536");
	if (write(told, &pid, sizeof(pid)) != sizeof(pid))
		give_up("pipe");
	for (;;)
		pause();
}

static inline int new_user_ns(int parent, uid_t owner)
{
	pid_t mapper, maker;
	int told[2], fd;

	if (pipe(told))
		give_up("pipe");
	mapper = fork();
	if (!mapper)
		map_user_ns(parent, owner, told[1]);
	close(told[1]);
	if (read(told[0], &maker, sizeof(maker)) != sizeof(maker))
		exit(1);
	close(told[0]);
	fd = open_ns(maker, "user");
	end_process(mapper);
	return fd;
}

/* The first process there, which must stay. No pid there is to be one in use outside. */
static inline void __attribute__((noreturn)) reap(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	write_text("/proc/sys/kernel/ns_last_pid", "25000");
	if (write(ready, "", 1) != 1)
		give_up("pipe");
	for (;;)
		pause();
}

static inline void places_make(struct places *places)
{
	int ready[2], net;
	pid_t pid;

	places->user[USER_INIT] = open_ns(getpid(), "user");
	places->user[USER_CHILD] = new_user_ns(-1, UID_OWNER);
	places->user[USER_SIBLING] = new_user_ns(-1, UID_OTHER);
	places->user[USER_GRANDCHILD] = new_user_ns(places->user[USER_CHILD], UID_ROOT);

	places->pid_init = open_ns(getpid(), "pid");
	if (pipe(ready) || unshare(CLONE_NEWPID))
		give_up("unshare");
	pid = fork();
	if (!pid)
		reap(ready[1]);
	wait_ready(ready);
	places->pid_own = open_ns(pid, "pid");
	if (setns(places->pid_init, CLONE_NEWPID))
		give_up("setns");

	net = open_ns(getpid(), "net");
	if (unshare(CLONE_NEWNET))
		give_up("unshare");
	places->net_own = open_ns(getpid(), "net");
	if (setns(net, CLONE_NEWNET))
		give_up("setns");
	close(net);
}

/* As fork(2), the child being in the other pid namespace if @own. */
static inline pid_t fork_in(const struct places *places, bool own)
{
	pid_t pid;

	if (own && setns(places->pid_own, CLONE_NEWPID))
		give_up("setns");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid && own && setns(places->pid_init, CLONE_NEWPID))
		give_up("setns");
	return pid;
}

/* All rights there, whoever one is. */
static inline void enter_user(const struct places *places, enum place_user user)
{
	if (user != USER_INIT && setns(places->user[user], CLONE_NEWUSER))
		give_up("setns");
}

static inline void become(uid_t uid)
{
	if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, uid, uid, uid) ||
	    syscall(SYS_setresuid, uid, uid, uid))
		give_up("setresuid");
}

static inline void become_with(uid_t uid, enum place_caps caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP))
		give_up("securebits");
	become(uid);
	if (caps == CAPS_ALL)
		return;
	if (caps == CAPS_PTRACE)
		data[0].effective = 1 << CAP_SYS_PTRACE;
	if (caps == CAPS_PTRACE || caps == CAPS_PERMITTED)
		data[0].permitted = 1 << CAP_SYS_PTRACE;
	if (syscall(SYS_capset, &header, data))
		give_up("capset");
}

#endif /* KCS_TESTS_PLACES_H */
