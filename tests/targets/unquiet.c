// SPDX-License-Identifier: GPL-2.0
/*
 * unquiet PARAMETER: writes to shared memory without a pause, from threads that spin and from
 * a storm of short-lived ones: threads, vfork children and processes that share the memory.
 *
 * Writes the memory's address and size in pages to the file PARAMETER, see tests/witness, and
 * prints "ready". The kernel itself never writes there.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 128UL
#define SPAWNERS 8U
#define SHARERS 4U
#define STACK_SIZE (64UL << 10)
/* Long enough to be seen, short enough for births to be frequent. */
#define BORN_ROUNDS 400U

static uint8_t *memory;

/* Each in its own words, on all pages. */
static void scribble(unsigned int who, unsigned int rounds)
{
	volatile uint64_t *word = (uint64_t *)memory + who;

	for (unsigned int i = 0; !rounds || i < rounds; i++)
		word[(i % PAGES) * (PAGE / sizeof(*word))]++;
}

static void start(void *(*fn)(void *), unsigned int arg, pthread_t *thread)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	errno = pthread_create(thread, &attr, fn, (void *)(uintptr_t)arg);
	if (errno)
		err(1, "pthread_create");
	pthread_attr_destroy(&attr);
}

static void *spin(void *arg)
{
	scribble((uintptr_t)arg, 0);
	return NULL;
}

static void *live_shortly(void *arg)
{
	scribble((uintptr_t)arg, BORN_ROUNDS);
	return NULL;
}

static void *spawn(void *arg)
{
	pthread_t thread;

	for (;;) {
		start(live_shortly, (uintptr_t)arg, &thread);
		pthread_join(thread, NULL);
	}
	return NULL;
}

static int share_shortly(void *arg)
{
	scribble((uintptr_t)arg, BORN_ROUNDS);
	return 0;
}

static void *share(void *arg)
{
	unsigned int who = (uintptr_t)arg;
	uint8_t *stack = malloc(STACK_SIZE);

	if (!stack)
		err(1, "malloc");
	for (unsigned int n = 0;; n++) {
		int flags = CLONE_VM | (n % 2 ? CLONE_VFORK : 0) | SIGCHLD;
		pid_t pid = clone(share_shortly, stack + STACK_SIZE, flags, arg);

		if (pid < 0 || waitpid(pid, NULL, __WALL) != pid)
			err(1, "clone by %u", who);
	}
	return NULL;
}

static void announce(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char text[64];
	int len = snprintf(text, sizeof(text), "%lx %lu", (unsigned long)memory, PAGES);

	if (fd < 0 || write(fd, text, len) != len)
		err(1, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int spinners = sysconf(_SC_NPROCESSORS_ONLN), who = 0;
	pthread_t thread;

	if (argc != 2)
		errx(2, "usage: unquiet PARAMETER");
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	memset(memory, 0, PAGES * PAGE);
	announce(argv[1]);

	for (unsigned int i = 0; i < spinners; i++)
		start(spin, ++who, &thread);
	for (unsigned int i = 0; i < SPAWNERS; i++)
		start(spawn, ++who, &thread);
	for (unsigned int i = 0; i < SHARERS; i++)
		start(share, ++who, &thread);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
