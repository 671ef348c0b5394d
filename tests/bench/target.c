// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: target MIB 4k|thp|sparse THREADS
 *
 * A process with that much memory written ("sparse": mapped, and one page of it
 * written) and that many threads asleep. Answers on stdout, a line each, what it
 * reads on stdin: "fork", the nanoseconds a fork(2) took; "reset" (0), and "gap",
 * the longest time since then in which a thread of it did not run.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gap.h"

#define MIB (1UL << 20)
#define PAGE 4096UL
#define STACK_SIZE (64UL << 10)

static void map_memory(size_t size, const char *kind)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int advice = strcmp(kind, "thp") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE;
	size_t i;

	if (memory == MAP_FAILED)
		err(1, "mmap");
	madvise(memory, size, advice);
	if (!strcmp(kind, "sparse"))
		size = PAGE;
	for (i = 0; i < size; i += PAGE)
		memory[i] = (char)(i / PAGE) | 1;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void start_threads(long count)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (count-- > 0)
		if (pthread_create(&thread, &attr, sleep_on, NULL))
			errx(1, "pthread_create");
}

static uint64_t time_fork(void)
{
	uint64_t start = kcs_now_ns(), end;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	end = kcs_now_ns();
	if (child < 0 || waitpid(child, NULL, 0) != child)
		err(1, "fork");
	return end - start;
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 4)
		errx(2, "Usage: target MIB 4k|thp|sparse THREADS");
	map_memory(strtoul(argv[1], NULL, 10) * MIB, argv[2]);
	start_threads(strtol(argv[3], NULL, 10));
	if (kcs_gap_start(KCS_ANY_CPU))
		errx(1, "pthread_create");
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");

	while (fgets(line, sizeof(line), stdin)) {
		uint64_t answer = 0;

		if (!strcmp(line, "fork\n"))
			answer = time_fork();
		else if (!strcmp(line, "gap\n"))
			answer = kcs_gap_longest();
		else
			kcs_gap_reset();
		printf("%llu\n", (unsigned long long)answer);
	}
	return 0;
}
