/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A target that is watched: is it as it was, and is nothing left of a snapshot? Threads that
 * count, in memory that is shared with who started it, and threads that sleep.
 */
#ifndef KCS_TESTS_WATCHED_H
#define KCS_TESTS_WATCHED_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_COUNTING 2
#define WATCHED_SLEEPING 6
#define WATCHED_SECONDS 60	/* a busy machine may be slow */

/**
 * struct watched - one target, shared with it
 * @pid: its process
 * @count: what its counting threads count
 * @asleep: how many threads are about to sleep
 * @die: a thread ends the process with status 42
 */
struct watched {
	pid_t pid;
	volatile uint64_t count[WATCHED_COUNTING];
	volatile int asleep;
	volatile int die;
};

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static inline void spin_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

static inline void *shared_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		exit(2);
	/* Not in cores, where it would change from one read to the next. */
	madvise(at, size, MADV_DONTDUMP);
	return at;
}

static struct watched *watched_self;
static char *watched_memory;

static inline void *watched_counts(void *arg)
{
	volatile uint64_t *count = arg;

	/* So that who watches need not wait for a CPU. */
	setpriority(PRIO_PROCESS, 0, 19);
	for (;;) {
		(*count)++;
		if (watched_self->die)
			_exit(42);
	}
	return arg;
}

static inline void *watched_sleeps(void *arg)
{
	__atomic_add_fetch(&watched_self->asleep, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return arg;
}

static inline void watched_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	if (pthread_create(&thread, &attr, fn, arg))
		_exit(2);
	pthread_attr_destroy(&attr);
}

/* Starts one with that much memory and, if it is not NULL, a thread that runs @extra. */
static inline void watched_start(struct watched *w, size_t mib, void *(*extra)(void *))
{
	pid_t pid;
	int i;

	memset((void *)w, 0, sizeof(*w));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		watched_self = w;
		/* GCC 16 leaves a malloc() out that nobody reads from. */
		watched_memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(watched_memory, 0x55, mib << 20);
		/* Nobody reads it, which the compiler must not know. */
		asm volatile("" : : "r"(watched_memory) : "memory");
		for (i = 0; i < WATCHED_COUNTING; i++)
			watched_thread(watched_counts, (void *)&w->count[i]);
		for (i = 0; i < WATCHED_SLEEPING; i++)
			watched_thread(watched_sleeps, NULL);
		if (extra)
			watched_thread(extra, NULL);
		for (;;)
			pause();
	}
	w->pid = pid;
	while (pid > 0 && (w->asleep < WATCHED_SLEEPING || !w->count[0] || !w->count[1]))
		usleep(200);
}

static inline void watched_end(struct watched *w)
{
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
}

static inline size_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : 0;
}

/* Threads of the process that are in a function of the module's. */
static inline int threads_in_module(pid_t pid)
{
	char path[300], text[8192];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid, entry->d_name);
		read_text(path, text, sizeof(text));
		found += !!strstr(text, "[kcoresnap]");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* References on the module: its snapshots, its threads, works that are queued. */
static inline int module_references(void)
{
	char text[32];

	return read_text("/sys/module/kcoresnap/refcnt", text, sizeof(text)) ? atoi(text) : 0;
}

/*
 * Says what is wrong, or NULL: each counting thread goes on, none is parked, and the module is as
 * unused as it was before.
 */
static inline const char *watched_harm(struct watched *w)
{
	uint64_t end = now_ns() + WATCHED_SECONDS * 1000000000ULL, before[WATCHED_COUNTING];
	const char *harm;
	int i;

	for (i = 0; i < WATCHED_COUNTING; i++)
		before[i] = w->count[i];
	do {
		harm = NULL;
		for (i = 0; i < WATCHED_COUNTING; i++)
			if (w->count[i] == before[i])
				harm = "a thread of the target does not run";
		if (threads_in_module(w->pid))
			harm = "a thread of the target is parked";
		if (module_references())
			harm = "the module is still referred to";
		if (!harm)
			return NULL;
		usleep(500);
	} while (now_ns() < end);
	return harm;
}

#endif /* KCS_TESTS_WATCHED_H */
