// SPDX-License-Identifier: GPL-2.0
/*
 * oracle [OPTION...] PID COMMAND [ARGUMENT...]: ptrace-stop every thread of the
 * process, run COMMAND, which takes a core, and then let one thread take
 * SIGABRT while the others stay stopped, so that the kernel writes its own core
 * of the same state: no instruction of the process runs in between.
 *
 * What a stopped thread has to be in, which is waited for by letting all go on
 * for a moment:
 *
 *   -c N		in a system call, N threads at least
 *   -v N		in code of the vdso
 *   -b N		in a handler of SIGUSR1, which blocks it
 *
 * and:
 *
 *   -i			take one thread to the first instruction of its handler of
 *			SIGUSR1
 *   -l			a thread that is not the leader takes SIGABRT, if there is one
 *   -n			do not kill it: let it go on
 *
 * Prints "threads N in-call N in-vdso N in-handler N". Exits with 0 if COMMAND
 * did and the process dumped core.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 2000
#define MOMENT_US 2000

static struct thread {
	pid_t tid;
	int signal;		/* it is about to be delivered */
	bool in_call;
	bool goes;
	bool gone;
} *threads;
static size_t nr, room;

static pid_t pid;
static unsigned long vdso, vdso_end;

static struct wanted {
	long in_call, in_vdso, in_handler;
} wanted;

static struct thread *find(pid_t tid)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (threads[i].tid == tid)
			return &threads[i];
	return NULL;
}

static void resume(struct thread *t, int request, int sig)
{
	if (ptrace(request, t->tid, NULL, (long)sig) && errno != ESRCH)
		err(2, "thread %d does not go on", t->tid);
}

/* Whatever stops it: a signal that is about to be delivered will do as well. */
static void await_stop(struct thread *t)
{
	int status;

	if (waitpid(t->tid, &status, __WALL) < 0)
		err(2, "waiting for thread %d", t->tid);
	t->gone = !WIFSTOPPED(status);
	t->goes = false;
	t->signal = !t->gone && !(status >> 16) ? WSTOPSIG(status) : 0;
}

/* One that has just gone is left out. */
static void seize(pid_t tid)
{
	if (nr == room) {
		room = room ? 2 * room : 64;
		threads = realloc(threads, room * sizeof(*threads));
		if (!threads)
			err(2, "threads");
	}
	if (ptrace(PTRACE_SEIZE, tid, NULL, (long)PTRACE_O_EXITKILL)) {
		if (errno == ESRCH)
			return;
		err(2, "PTRACE_SEIZE %d", tid);
	}
	threads[nr++] = (struct thread) { .tid = tid, .goes = true };
}

static void interrupt(struct thread *t)
{
	if (!t->gone && t->goes && ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) && errno != ESRCH)
		err(2, "PTRACE_INTERRUPT %d", t->tid);
}

/* All are told before the first is waited for. */
static void stop_from(size_t first)
{
	size_t i;

	for (i = first; i < nr; i++)
		interrupt(&threads[i]);
	for (i = first; i < nr; i++)
		if (!threads[i].gone && threads[i].goes)
			await_stop(&threads[i]);
}

/* Return: how many there were that were not known. */
static size_t stop_new(void)
{
	size_t known = nr;
	char path[64];
	struct dirent *de;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		err(2, "%s", path);
	while ((de = readdir(dir))) {
		pid_t tid = atoi(de->d_name);

		if (tid && !find(tid))
			seize(tid);
	}
	closedir(dir);
	stop_from(known);
	return nr - known;
}

static void stop_all(void)
{
	stop_from(0);
	while (stop_new())
		;
}

/* Return: how many. */
static size_t let_go(bool in_calls_too)
{
	size_t i, count = 0;

	for (i = 0; i < nr; i++) {
		struct thread *t = &threads[i];

		if (t->gone || (t->in_call && !in_calls_too))
			continue;
		resume(t, PTRACE_CONT, t->signal);
		t->goes = true;
		count++;
	}
	return count;
}

static void find_vdso(void)
{
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]"))
			sscanf(line, "%lx-%lx", &vdso, &vdso_end);
	fclose(maps);
}

static struct wanted look(void)
{
	struct wanted is = {};
	size_t i;

	for (i = 0; i < nr; i++) {
		struct user_regs_struct regs;
		uint64_t mask;

		if (threads[i].gone)
			continue;
		if (ptrace(PTRACE_GETREGS, threads[i].tid, NULL, &regs) ||
		    ptrace(PTRACE_GETSIGMASK, threads[i].tid, sizeof(mask), &mask))
			err(2, "registers of thread %d", threads[i].tid);
		threads[i].in_call = (int)regs.orig_rax >= 0;
		is.in_call += threads[i].in_call;
		is.in_vdso += regs.rip >= vdso && regs.rip < vdso_end;
		is.in_handler += mask >> (SIGUSR1 - 1) & 1;
	}
	return is;
}

static struct wanted stop_where_wanted(void)
{
	struct wanted is;
	bool others;
	int i;

	for (i = 0; i < TRIES; i++) {
		stop_all();
		is = look();
		if (is.in_call >= wanted.in_call && is.in_vdso >= wanted.in_vdso &&
		    is.in_handler >= wanted.in_handler)
			return is;
		/* Who is in a call does not come to the vdso soon. */
		others = is.in_call < wanted.in_call || is.in_handler < wanted.in_handler;
		if (!let_go(others))
			let_go(true);
		usleep(MOMENT_US);
	}
	errx(2, "in the end %ld were in a call, %ld in the vdso, %ld in a handler",
	     is.in_call, is.in_vdso, is.in_handler);
}

/* Continues @t until it is about to be given @sig. */
static void await_signal(struct thread *t, int sig)
{
	if (syscall(SYS_tgkill, pid, t->tid, sig))
		err(2, "tgkill %d", t->tid);
	do {
		resume(t, PTRACE_CONT, 0);
		await_stop(t);
		if (t->gone)
			errx(2, "thread %d is gone", t->tid);
	} while (t->signal != sig);
}

/*
 * A thread that is killed where it is about to enter a handler still has the number
 * of its CPU written into its memory (rseq), before the kernel dumps that. So it
 * stays on one.
 */
static void stay_on_cpu(const struct thread *t)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(t->tid, sizeof(cpus), &cpus))
		err(2, "thread %d does not stay on a CPU", t->tid);
}

static void step_into_handler(struct thread *t)
{
	stay_on_cpu(t);
	await_signal(t, SIGUSR1);
	resume(t, PTRACE_SINGLESTEP, SIGUSR1);
	await_stop(t);
	if (t->signal != SIGTRAP)
		errx(2, "thread %d did not come to its handler", t->tid);
	t->signal = 0;
}

static int run(char **argv)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		err(2, "fork");
	if (!child) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(child, &status, 0) != child)
		err(2, "waiting for %s", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Return: was a core dumped? */
static bool dump_core(struct thread *t)
{
	int status;
	pid_t tid;

	await_signal(t, SIGABRT);
	resume(t, PTRACE_CONT, SIGABRT);
	do {
		tid = waitpid(-1, &status, __WALL);
		if (tid < 0)
			err(2, "waiting for the end of %d", pid);
	} while (tid != pid || WIFSTOPPED(status));
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && WCOREDUMP(status);
}

/* One that blocks a signal would go on first; runtimes do, while they make a thread. */
static bool takes(const struct thread *t, int sig)
{
	uint64_t mask;

	return !t->gone && !ptrace(PTRACE_GETSIGMASK, t->tid, sizeof(mask), &mask) &&
	       !(mask >> (sig - 1) & 1);
}

/* The leader, or rather another one. */
static struct thread *who_takes(int sig, bool other)
{
	size_t i;

	if (!other && takes(find(pid), sig))
		return find(pid);
	for (i = nr; i--; )
		if (threads[i].tid != pid && takes(&threads[i], sig))
			return &threads[i];
	if (!takes(find(pid), sig))
		errx(2, "no thread takes signal %d", sig);
	return find(pid);
}

/* What is wanted of the run as a whole. */
static struct options {
	bool into_handler, other, spare;
	int status;
} options;

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+c:v:b:ilnx:")) != -1) {
		switch (opt) {
		case 'c':
			wanted.in_call = atol(optarg);
			break;
		case 'v':
			wanted.in_vdso = atol(optarg);
			break;
		case 'b':
			wanted.in_handler = atol(optarg);
			break;
		case 'i':
			options.into_handler = true;
			break;
		case 'l':
			options.other = true;
			break;
		case 'n':
			options.spare = true;
			break;
		case 'x':
			options.status = atoi(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (argc < optind + 2)
		errx(2, "usage: oracle [-c N] [-v N] [-b N] [-iln] [-x STATUS] PID COMMAND...");
}

int main(int argc, char **argv)
{
	struct wanted is;
	int status;

	parse(argc, argv);
	pid = atoi(argv[optind]);
	find_vdso();
	is = stop_where_wanted();
	if (options.into_handler)
		step_into_handler(who_takes(SIGUSR1, true));
	printf("threads %zu in-call %ld in-vdso %ld in-handler %ld\n", nr, is.in_call, is.in_vdso,
	       is.in_handler + options.into_handler);
	fflush(stdout);
	status = run(argv + optind + 1);
	if (status != options.status)
		return status ? status : 1;
	if (options.spare) {
		let_go(true);
		return 0;
	}
	if (!dump_core(who_takes(SIGABRT, options.other)))
		errx(2, "process %d has dumped no core", pid);
	return 0;
}
