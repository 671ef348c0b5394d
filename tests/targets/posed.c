// SPDX-License-Identifier: GPL-2.0
/*
 * posed WHERE THREADS: a process whose threads are all where one would look for
 * them. WHERE is
 *
 *   syscall	in system calls of several kinds
 *   vdso	a few ask for the time all the time
 *   handler	in a handler of SIGUSR1, on a stack of its own
 *   user	a few compute all the time
 *
 * Prints "ready". The Makefile builds it in each way that a program is linked.
 */
#include <asm/ldt.h>
#include <err.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (64UL << 10)
#define ALT_STACK_SIZE (16UL << 10)
#define BUSY_EACH 256	/* of that many threads one is busy, where some are */

static __thread long mark;

static int pipe_fds[2];
static int futex_word;
static atomic_int started;
static void (*pose)(int);

static void wait_once(int i)
{
	struct pollfd pfd = { .fd = pipe_fds[0], .events = POLLIN };
	struct timespec ts = { .tv_sec = 100000 };
	sigset_t none;
	char byte;

	switch (i % 6) {
	case 0:
		pause();
		break;
	case 1:
		(void)!read(pipe_fds[0], &byte, 1);
		break;
	case 2:
		syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL, NULL, 0);
		break;
	case 3:
		nanosleep(&ts, NULL);
		break;
	case 4:
		poll(&pfd, 1, -1);
		break;
	default:
		sigemptyset(&none);
		sigtimedwait(&none, NULL, &ts);
	}
}

static void block(int i)
{
	for (;;)
		wait_once(i);
}

static void ask_for_time(int i)
{
	struct timespec ts;

	while (i % BUSY_EACH == 0)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	block(i);
}

static void handle_signal(int sig)
{
	block(mark);
}

static void raise_signal(int i)
{
	stack_t stack = { .ss_sp = malloc(ALT_STACK_SIZE), .ss_size = ALT_STACK_SIZE };

	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		err(1, "sigaltstack");
	pthread_kill(pthread_self(), SIGUSR1);
}

/* With values of its own in the registers that only a busy thread has in the CPU. */
static void compute(int i)
{
	uint32_t words[8][4];

	if (i % BUSY_EACH)
		block(i);
	memset(words, 0x40 + (i & 0x3f), sizeof(words));
	asm volatile("fldpi\n fld1\n movups 0(%0), %%xmm0\n movups 16(%0), %%xmm1\n"
		     "movups 96(%0), %%xmm6\n movups 112(%0), %%xmm7\n"
		     : : "r" (words) : "memory", "xmm0", "xmm1", "xmm6", "xmm7");
	if (__builtin_cpu_supports("avx"))
		asm volatile("vmovups %0, %%ymm3" : : "m" (words));
	asm volatile("1: pause\n jmp 1b");
	__builtin_unreachable();
}

#ifdef __x86_64__
static void use_legacy(int i)
{
	struct user_desc desc = {
		.entry_number = i,
		.base_addr = 0x10000 * (i + 1),
		.limit = 0xfff,
		.seg_32bit = 1,
	};

	if (syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)))
		err(1, "modify_ldt");
	asm volatile("mov %0, %%gs" : : "r" (i << 3 | 7));	/* of the LDT, for user mode */
	if (i % 3 == 1 && ioperm(0x80, 8 * i, 1))
		err(1, "ioperm");
	block(i);
}
#endif

static const struct {
	const char *name;
	void (*pose)(int i);
} poses[] = {
	{ "syscall", block },
	{ "vdso", ask_for_time },
	{ "handler", raise_signal },
	{ "user", compute },
#ifdef __x86_64__
	{ "legacy", use_legacy },
#endif
};

static void strike(int i)
{
	char name[16];

	mark = i;
	snprintf(name, sizeof(name), "pose %d", i);
	prctl(PR_SET_NAME, name);
	pose(i);
}

static void *run(void *arg)
{
	started++;
	strike((intptr_t)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = handle_signal, .sa_flags = SA_ONSTACK };
	pthread_attr_t attr;
	pthread_t thread;
	size_t p;
	int i, nr;

	for (p = 0; argc == 3 && p < sizeof(poses) / sizeof(poses[0]); p++)
		if (!strcmp(argv[1], poses[p].name))
			pose = poses[p].pose;
	if (!pose)
		errx(2, "usage: posed syscall|vdso|handler|user|legacy THREADS");
	nr = atoi(argv[2]);
	if (pipe(pipe_fds) || sigaction(SIGUSR1, &sa, NULL))
		err(1, "setting up");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (i = 1; i < nr; i++) {
		errno = pthread_create(&thread, &attr, run, (void *)(intptr_t)i);
		if (errno)
			err(1, "pthread_create");
	}
	while (started < nr - 1)
		usleep(1000);
	puts("ready");
	fflush(stdout);
	strike(0);
}
