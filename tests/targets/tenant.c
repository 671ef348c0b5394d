// SPDX-License-Identifier: GPL-2.0
/*
 * tenant KIND MIB [FILE [MAPPINGS]]: a process that has so much memory, uses it as
 * it is told, and can tell whether it still holds what it should. FILE is mapped too,
 * and never touched, and so are as many other mappings that have nothing in a core.
 *
 *	anon			private and anonymous
 *	hugetlb			private huge pages that it has reserved
 *	hugetlb-noreserve	not reserved
 *	hugetlb-inherited	reserved by its parent, which is gone
 *	hugetlb-shared		shared huge pages
 *
 * Prints "memory START LENGTH filled" (see memory_kinds) and "ready PID". Then
 * each line of its input is answered by one, "ok" or what is wrong:
 *
 *	check		all of it holds what was last written there
 *	rewrite		write to each page, as fast as it can be done
 *	grow MIB	use so much more for a moment, and free it again
 *	map MIB		mmap(2) and malloc(3) so much, and free it again
 *	swapped		how many KiB of it are
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define TOUCHERS 2
#define HOLD_US 200000

static char *memory;
static size_t size;
static uint64_t rewritten;	/* times */

/* tests/core/check_memory.py has the same. */
static uint64_t word_at(uintptr_t addr)
{
	return (addr >> 3) * 0x9e3779b97f4a7c15 + 1;
}

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	printf("unavailable %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(size_t len, int flags)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);
}

static void fill(void)
{
	size_t i;

	for (i = 0; i < size; i += 8)
		*(uint64_t *)(memory + i) = word_at((uintptr_t)memory + i);
}

/* The first word of each page says how often it was rewritten. */
static const char *find_wrong(void)
{
	size_t i;

	for (i = 0; i < size; i += 8)
		if (*(uint64_t *)(memory + i) !=
		    word_at((uintptr_t)memory + i) + (i % PAGE ? 0 : rewritten))
			return memory + i;
	return NULL;
}

struct range {
	pthread_t thread;
	char *start;
	size_t len;
	uint64_t add;
};

static void *touch_range(void *arg)
{
	const struct range *range = arg;
	char *p;

	for (p = range->start; p < range->start + range->len; p += PAGE)
		*(volatile uint64_t *)p = word_at((uintptr_t)p) + range->add;
	return NULL;
}

static void touch(char *start, size_t len)
{
	struct range ranges[TOUCHERS];
	int i;

	for (i = 0; i < TOUCHERS; i++) {
		ranges[i] = (struct range) { .start = start + i * (len / TOUCHERS),
					     .len = len / TOUCHERS };
		check(pthread_create(&ranges[i].thread, NULL, touch_range, &ranges[i]),
		      "pthread_create");
	}
	for (i = 0; i < TOUCHERS; i++)
		pthread_join(ranges[i].thread, NULL);
}

/* By one thread: with more, each page that is copied is an interrupt to the others. */
static void rewrite(void)
{
	struct range all = { .start = memory, .len = size, .add = ++rewritten };

	touch_range(&all);
}

static void become(const char *kind)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	if (!strncmp(kind, "hugetlb", 7))
		flags |= MAP_HUGETLB;
	if (!strcmp(kind, "hugetlb-noreserve"))
		flags |= MAP_NORESERVE;
	if (!strcmp(kind, "hugetlb-shared"))
		flags ^= MAP_PRIVATE | MAP_SHARED;
	memory = map(size, flags);
	check(memory == MAP_FAILED, "mmap");
	fill();
	if (!strcmp(kind, "hugetlb-inherited")) {
		pid_t parent = getpid();

		if (fork())
			_exit(0);
		while (getppid() == parent)
			usleep(1000);
	}
}

static void map_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	check(fd < 0 || mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED, file);
	close(fd);
}

/* Single pages, so that no two neighbours can become one. */
static void map_nothing(long mappings)
{
	size_t len = 2 * PAGE * mappings;
	char *start = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	check(start == MAP_FAILED, "mmap");
	for (p = start; p < start + len; p += 2 * PAGE)
		check(mprotect(p, PAGE, PROT_READ), "mprotect");
}

static size_t swapped_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	size_t kib = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmSwap: %zu", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib;
}

/* Returns what is wrong, or NULL. */
static const char *try_map(size_t len)
{
	char *p = map(len, MAP_PRIVATE | MAP_ANONYMOUS);

	if (p == MAP_FAILED)
		return "mmap failed";
	munmap(p, len);
	p = malloc(len);
	if (!p)
		return "malloc failed";
	/* Or the compiler leaves both out. */
	*(volatile char *)p = 1;
	free(p);
	return NULL;
}

static const char *grow(size_t len)
{
	char *p = map(len, MAP_PRIVATE | MAP_ANONYMOUS);

	if (p == MAP_FAILED)
		return "mmap failed";
	touch(p, len);
	/* Who watches must get to see it. */
	usleep(HOLD_US);
	munmap(p, len);
	return NULL;
}

static void obey(const char *command)
{
	const char *wrong = NULL;
	char text[64];
	size_t mib;

	if (!strcmp(command, "check")) {
		const char *at = find_wrong();

		snprintf(text, sizeof(text), "wrong at %p", at);
		wrong = at ? text : NULL;
	} else if (!strcmp(command, "rewrite")) {
		rewrite();
	} else if (sscanf(command, "grow %zu", &mib) == 1) {
		wrong = grow(mib * MIB);
	} else if (sscanf(command, "map %zu", &mib) == 1) {
		wrong = try_map(mib * MIB);
	} else if (!strcmp(command, "swapped")) {
		snprintf(text, sizeof(text), "%zu", swapped_kib());
		wrong = text;
	} else {
		wrong = "what?";
	}
	puts(wrong ? wrong : "ok");
}

int main(int argc, char **argv)
{
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 2;
	size = atol(argv[2]) * MIB;
	become(argv[1]);
	if (argc > 3)
		map_file(argv[3]);
	if (argc > 4)
		map_nothing(atol(argv[4]));
	printf("memory %#lx %#zx filled\n", (unsigned long)memory, size);
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	return 0;
}
