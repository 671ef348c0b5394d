// SPDX-License-Identifier: GPL-2.0
/*
 * scale mappings COUNT FILE: a process with that many mappings, of single pages of a
 * file that it makes.
 * scale reserve: 16 TiB without access, three pages of which were written to before.
 * scale sparse: 1 TiB, a few pages of which are written to.
 *
 * Prints what is where, as memory_kinds does, and then "ready".
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define TIB (1UL << 40)
#define WRITTEN_EACH 5000	/* mappings */

static void fill(const char *name, char *start)
{
	size_t i;

	/* As memory_kinds' word_at(). */
	for (i = 0; i < PAGE; i += 8)
		*(uint64_t *)(start + i) = (((uintptr_t)start + i) >> 3) * 0x9e3779b97f4a7c15 + 1;
	printf("%s %#lx %#lx filled\n", name, (unsigned long)start, PAGE);
}

static void zeros(const char *name, char *start)
{
	printf("%s %#lx %#lx zero\n", name, (unsigned long)start, PAGE);
}

static char *map(size_t size, int prot, int flags, int fd, off_t offset)
{
	char *start = mmap(NULL, size, prot, flags, fd, offset);

	if (start == MAP_FAILED)
		err(1, "mmap");
	return start;
}

static char *reserve(size_t size)
{
	return map(size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Every other page of the file, so that no two neighbours can become one. */
static void mappings(long count, const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL, 0644);
	long i;

	if (fd < 0 || ftruncate(fd, 2 * count * PAGE))
		err(1, "%s", file);
	for (i = 0; i < count; i++) {
		char *page = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
				 2 * i * PAGE);

		if (i % WRITTEN_EACH == 0)
			fill("written", page);
	}
	close(fd);
}

static void without_access(void)
{
	char *start = reserve(16 * TIB);

	madvise(start, 16 * TIB, MADV_NOHUGEPAGE);
	fill("first", start);
	fill("middle", start + 8 * TIB);
	fill("last", start + 16 * TIB - PAGE);
	zeros("hole", start + 5 * TIB);
	if (mprotect(start, 16 * TIB, PROT_NONE))
		err(1, "mprotect");
}

static void sparse(void)
{
	char *start = reserve(TIB);
	int i;

	madvise(start, TIB, MADV_NOHUGEPAGE);
	for (i = 0; i < 16; i++)
		fill("page", start + i * (TIB / 16) + i * PAGE);
	fill("last", start + TIB - PAGE);
	zeros("beside", start + PAGE);
	zeros("hole", start + TIB / 2 + 300 * PAGE);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "mappings"))
		mappings(atol(argv[2]), argv[3]);
	else if (argc == 2 && !strcmp(argv[1], "reserve"))
		without_access();
	else if (argc == 2 && !strcmp(argv[1], "sparse"))
		sparse();
	else
		errx(2, "usage: scale mappings COUNT FILE | reserve | sparse");
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
