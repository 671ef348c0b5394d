// SPDX-License-Identifier: GPL-2.0
/*
 * states KIND [ARGUMENT]: a process in some state, whose memory and registers
 * statecheck knows (see states.h), and its parent. The process has threads:
 * the main one, asleep; one that counts; and what the kind says.
 *
 *	plain
 *	running		the one that counts never sleeps
 *	longcall	is in a system call that takes long and does not sleep
 *	vfork		sleeps until a vfork child, which counts, is gone
 *	sharer		a process that shares the memory counts
 *	forks		two threads fork all the time
 *	read FILE	reads from it
 *	touch FILE	reads from a mapping of it
 *	used FILE	reads from it, and has used 32 MiB
 *	strict		reads from a pipe under strict seccomp
 *	filter		any system call but a few would kill the process
 *	uring		polls a pipe through an io_uring
 *	aio		polls a pipe through an AIO context
 *	fifo		the one that counts never sleeps, has a CPU, and SCHED_FIFO
 *	rr		likewise, but SCHED_RR
 *	uffd		is told of forks by a userfaultfd
 *	fuse DIR FILE [DEVICE]
 *			serves a file system that is mounted there, see fuse.h
 *	swapped		its pages were swapped out
 *	nproc		nobody's, who can't have another process
 *	init		is process 1 of a pid namespace
 *	self FILE	writes its own core to it
 *
 * Prints "ready PID", or "unavailable" and why; then "child WHAT" for each thing
 * the parent is told of. SIGTERM to the parent lets the process look whether all
 * is as it left it; what is not it says on stderr. Its exit status is then 0 or
 * 1, and the parent's too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "armed.h"
#include "fenced.h"
#include "fuse.h"
#include "netlink.h"
#include "oversee.h"
#include "plant.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define NOBODY 65534
#define FILLER_SIZE (16UL << 20)
#define USED_SIZE (32UL << 20)
/* A GiB in a call, without a GiB of memory. */
#define LONG_PIECE (4UL << 20)
#define LONG_PIECES 256

static const struct timespec nap = { .tv_nsec = 1000000 };
static const char *arguments[3];

static void *count_thread(void *arg)
{
	prctl(PR_SET_NAME, "counter");
	state_count(arg);
}

/* Each kind: what makes it, and what looks at it in the end. */

static struct iovec *long_iov;

static void *long_thread(void *arg)
{
	prctl(PR_SET_NAME, "subject");
	for (;;) {
		make_call(subject);
		if (subject->result != (long)(LONG_PIECE * LONG_PIECES))
			complain("the long call was cut short");
	}
	return arg;
}

static void make_longcall(void)
{
	char *buf = mmap(NULL, LONG_PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), i;

	need(buf != MAP_FAILED && zero >= 0, "/dev/zero");
	memset(buf, 1, LONG_PIECE);
	long_iov = calloc(LONG_PIECES, sizeof(*long_iov));
	for (i = 0; i < LONG_PIECES; i++)
		long_iov[i] = (struct iovec) { buf, LONG_PIECE };
	subject = new_call(SYS_readv, zero, ADDRESS(long_iov), LONG_PIECES, 0);
	start(long_thread, NULL);
	while (!subject->calls)
		usleep(1000);
}

static struct state_role *child_role;
static volatile pid_t child_pid;

static void __attribute__((noreturn)) child_main(void)
{
	child_pid = syscall(SYS_getpid);
	child_role->tgid = child_pid;
	state_count(child_role);
}

/* @child_stack: for state_call() to return to child_main() from */
static void share_memory(unsigned long flags)
{
	static uint64_t child_stack[STACK_SIZE / 8] __attribute__((aligned(16)));
	uint64_t *top = &child_stack[STACK_SIZE / 8 - 16];

	memset(map_at(STATE_FILLER, FILLER_SIZE), 'f', FILLER_SIZE);
	top[6] = ADDRESS(child_main);
	child_role = new_role(STATE_COUNTS);
	subject = new_call(SYS_clone, CLONE_VM | flags | SIGCHLD, ADDRESS(top), 0, 0);
	start_subject(subject);
	while (!child_role->alive)
		usleep(1000);
}

static void make_vfork(void)
{
	share_memory(CLONE_VFORK);
}

static void make_sharer(void)
{
	share_memory(0);
}

static void check_child(void)
{
	int status;

	if (waitpid(child_pid, &status, WNOHANG) != 0)
		complain("the child has ended");
	kill(child_pid, SIGKILL);
	waitpid(child_pid, &status, 0);
}

static volatile bool forks_end;
static volatile unsigned long forks;
static pthread_t forkers[2];

static void *fork_thread(void *arg)
{
	while (!forks_end) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(7);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			complain("a fork did not end well");
		forks++;
	}
	return arg;
}

static void make_forks(void)
{
	forkers[0] = start(fork_thread, NULL);
	forkers[1] = start(fork_thread, NULL);
}

static void check_forks(void)
{
	unsigned long before = forks;

	while (forks < before + 2)
		usleep(1000);
	forks_end = true;
	pthread_join(forkers[0], NULL);
	pthread_join(forkers[1], NULL);
}

static void make_read(void)
{
	static char buf[FUSE_HUNG_SIZE];
	int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);

	need(fd >= 0, arguments[0]);
	subject = new_call(SYS_read, fd, ADDRESS(buf), sizeof(buf), 0);
	start_subject(subject);
}

static void make_used(void)
{
	char *p = mmap(NULL, USED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED, "mmap");
	memset(p, 'u', USED_SIZE);
	make_read();
}

static void make_touch(void)
{
	int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);
	void *p = mmap(NULL, FUSE_HUNG_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

	need(fd >= 0 && p != MAP_FAILED, arguments[0]);
	subject = new_role(STATE_TOUCHES);
	subject->args[0] = ADDRESS(p);
	start_subject(subject);
}

static void check_read(void)
{
	int i;

	for (i = 0; i < 5000 && !subject->returned; i++)
		usleep(1000);
	if (!subject->returned)
		complain("the read does not end");
	else if (subject->result != (subject->kind == STATE_TOUCHES ? 'h' : (int)FUSE_HUNG_SIZE))
		complain("the read failed");
}

static struct fuse_server fuse;

static void *fuse_thread(void *arg)
{
	prctl(PR_SET_NAME, "server");
	for (;;) {
		make_call(arg);
		if (subject->result > 0)
			fuse_handle(&fuse);
		else if (subject->result != -EINTR && subject->result != -EAGAIN)
			break;
	}
	complain("reading from /dev/fuse failed");
	return NULL;
}

static void make_fuse(void)
{
	need(!fuse_open(&fuse, arguments[0], arguments[1], arguments[2]), "mount");
	subject = new_call(SYS_read, fuse.fd, ADDRESS(fuse.request), sizeof(fuse.request), 0);
	start(fuse_thread, subject);
}

static void make_swapped(void)
{
	need(!madvise(witness, STATE_PAGES * STATE_PAGE, MADV_PAGEOUT), "MADV_PAGEOUT");
}

static int can_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0;
}

/* As many as there are threads of this process. */
static void set_nproc(unsigned int more)
{
	struct rlimit limit = { .rlim_cur = 2 + more, .rlim_max = 1000 };

	if (setrlimit(RLIMIT_NPROC, &limit))
		complain("RLIMIT_NPROC could not be set");
}

static void make_nproc(void)
{
	struct rlimit limit = { .rlim_cur = 1000, .rlim_max = 1000 };

	need(!setrlimit(RLIMIT_NPROC, &limit) && !setgid(NOBODY) && !setuid(NOBODY), "setuid");
	set_nproc(0);
	errno = 0;
	need(!can_fork() && errno == EAGAIN, "RLIMIT_NPROC");
}

static void check_nproc(void)
{
	if (can_fork())
		complain("there is room for a process");
	set_nproc(1);
	if (!can_fork())
		complain("there is no room for the one more that is allowed");
}

static void make_self(void)
{
	static struct kcs_client client;
	static char buf[65536];
	int fd = -1, out = open(arguments[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = -1;

	need(out >= 0, arguments[0]);
	errno = kcs_open(&client);
	need(!errno, "netlink");
	errno = kcs_snapshot(&client, getpid(), &fd);
	need(!errno, client.sentence);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			break;
	need(!n, "the core");
	close(fd);
	close(out);
}

#define SPINS 1
#define NAMESPACE 2

static const struct kind {
	const char *name;
	void (*make)(void);
	void (*check)(void);
	int flags;
	int policy;		/* SCHED_OTHER is 0 */
} kinds[] = {
	{ .name = "plain" },
	{ .name = "running", .flags = SPINS },
	{ .name = "longcall", .make = make_longcall },
	{ .name = "vfork", .make = make_vfork, .check = check_child },
	{ .name = "sharer", .make = make_sharer, .check = check_child },
	{ .name = "forks", .make = make_forks, .check = check_forks },
	{ .name = "read", .make = make_read, .check = check_read },
	{ .name = "touch", .make = make_touch, .check = check_read },
	{ .name = "used", .make = make_used, .check = check_read },
	{ .name = "strict", .make = make_strict, .check = check_never_returned },
	{ .name = "filter", .make = make_filter, .check = check_never_returned },
	{ .name = "uring", .make = make_uring, .check = check_uring },
	{ .name = "aio", .make = make_aio, .check = check_aio },
	{ .name = "fifo", .flags = SPINS, .policy = SCHED_FIFO },
	{ .name = "rr", .flags = SPINS, .policy = SCHED_RR },
	{ .name = "uffd", .make = make_uffd, .check = check_uffd },
	{ .name = "fuse", .make = make_fuse },
	{ .name = "swapped", .make = make_swapped },
	{ .name = "nproc", .make = make_nproc, .check = check_nproc },
	{ .name = "init", .flags = NAMESPACE },
	{ .name = "self", .make = make_self },
};

/* There, timers expire in threads of SCHED_FIFO and the lowest priority. */
static void need_timers(void)
{
	struct utsname name;

	need(!uname(&name), "uname");
	if (strstr(name.version, "PREEMPT_RT")) {
		dprintf(report, "unavailable with PREEMPT_RT, no timer of its CPU would expire\n");
		exit(1);
	}
}

static void make_realtime(pthread_t thread, int policy)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	if (policy == SCHED_FIFO)
		need_timers();
	CPU_ZERO(&cpus);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
	errno = pthread_setaffinity_np(thread, sizeof(cpus), &cpus);
	need(!errno, "affinity");
	errno = pthread_setschedparam(thread, policy, &param);
	need(!errno, "a real-time policy");
}

static void check_signals(void)
{
	uint64_t pending = 0;

	if (syscall(SYS_rt_sigpending, &pending, sizeof(pending)) || pending)
		complain("a signal is pending");
	if (syscall(SYS_wait4, -1, NULL, __WALL | WNOHANG, NULL) != -1 || errno != ECHILD)
		complain("there is a child");
}

static void __attribute__((noreturn)) be(const struct kind *kind)
{
	struct signalfd_siginfo info;
	struct state_role *main_role, *count_role;
	pthread_t counter;
	sigset_t term;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_witness();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	fd = signalfd(-1, &term, SFD_CLOEXEC);
	need(fd >= 0, "signalfd");
	/* A call that goes on after whatever stops and continues the process. */
	main_role = new_call(SYS_read, fd, ADDRESS(&info), sizeof(info), 0);
	count_role = new_role(STATE_COUNTS);
	count_role->nap = kind->flags & SPINS ? 0 : ADDRESS(&nap);
	counter = start(count_thread, count_role);
	if (kind->policy)
		make_realtime(counter, kind->policy);
	while (!count_role->alive)
		usleep(1000);
	if (kind->make)
		kind->make();
	need(write(report, "ready", 5) == 5, "report");
	make_call(main_role);
	if (main_role->result != sizeof(info) || info.ssi_signo != SIGTERM)
		complain("the main thread's sleep was disturbed");
	check_witness();
	if (kind->check)
		kind->check();
	check_signals();
	/* Other threads may be in calls that can't be cancelled at all. */
	syscall(SYS_exit_group, wrong);
	__builtin_unreachable();
}

int main(int argc, char **argv)
{
	const struct kind *kind = kinds, *end = kinds + sizeof(kinds) / sizeof(kinds[0]);
	sigset_t signals;
	int ends[2], i;
	pid_t child;

	while (kind < end && (argc < 2 || strcmp(kind->name, argv[1])))
		kind++;
	if (kind == end) {
		fprintf(stderr, "usage: states KIND [ARGUMENT]...\n");
		return 2;
	}
	for (i = 2; i < argc && i < 5; i++)
		arguments[i - 2] = argv[i];
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (pipe2(ends, O_CLOEXEC) || (kind->flags & NAMESPACE && unshare(CLONE_NEWPID))) {
		perror("states");
		return 2;
	}
	child = fork();
	if (child == 0) {
		report = ends[1];
		close(ends[0]);
		sigdelset(&signals, SIGTERM);
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		be(kind);
	}
	close(ends[1]);
	return oversee(child, ends[0], &signals);
}
