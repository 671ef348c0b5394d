// SPDX-License-Identifier: GPL-2.0
/*
 * threads SLEEPING SPINNING [MIB]: a process with that many threads, the main thread counted as
 * sleeping, and with at least that much memory. Prints "ready".
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_SIZE (32UL << 10)

static atomic_int started;
static char *ballast;

static void *sleeping_thread(void *arg)
{
	started++;
	for (;;)
		pause();
	return arg;
}

static void *spinning_thread(void *arg)
{
	volatile uint64_t n = 0;

	started++;
	for (;;)
		n++;
	return arg;
}

static void start(void *(*fn)(void *), int count)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (count--) {
		errno = pthread_create(&thread, &attr, fn, NULL);
		if (errno)
			err(1, "pthread_create");
	}
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	int sleeping, spinning;
	size_t memory;

	if (argc < 3 || argc > 4)
		errx(2, "usage: threads SLEEPING SPINNING [MIB]");
	sleeping = atoi(argv[1]);
	spinning = atoi(argv[2]);
	memory = (argc > 3 ? atol(argv[3]) : 0) << 20;
	ballast = malloc(memory + 1);
	if (!ballast)
		err(1, "malloc");
	memset(ballast, 0x55, memory + 1);
	start(sleeping_thread, sleeping - 1);
	start(spinning_thread, spinning);
	while (started < sleeping - 1 + spinning)
		usleep(1000);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
