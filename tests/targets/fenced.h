/* SPDX-License-Identifier: GPL-2.0 */
/* Processes of states that seccomp keeps from system calls. */
#ifndef KCS_TESTS_FENCED_H
#define KCS_TESTS_FENCED_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "armed.h"

static void *strict_thread(void *arg)
{
	prctl(PR_SET_NAME, "subject");
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), "PR_SET_SECCOMP");
	make_call(arg);
	complain("the read under seccomp returned");
	return NULL;
}

static void make_sleeping_read(void)
{
	static char byte;

	need(!pipe(sleeping_fds), "pipe");
	subject = new_call(SYS_read, sleeping_fds[0], ADDRESS(&byte), 1, 0);
}

static void make_strict(void)
{
	make_sleeping_read();
	start(strict_thread, subject);
	while (!subject->calls)
		usleep(1000);
}

#define ALLOW(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void make_filter(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read), ALLOW(SYS_write), ALLOW(SYS_nanosleep),
		ALLOW(SYS_exit_group), ALLOW(SYS_mincore),
		ALLOW(SYS_wait4), ALLOW(SYS_rt_sigpending), ALLOW(SYS_restart_syscall),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	make_sleeping_read();
	start_subject(subject);
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	need(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program),
	     "seccomp");
}

static void check_never_returned(void)
{
	if (subject->returned)
		complain("the system call returned");
}

#endif
