// SPDX-License-Identifier: GPL-2.0
/*
 * scale mappings COUNT DIRECTORY: a process with that many mappings, of single pages
 * of a file made below DIRECTORY, with a path so long that their names take MiBs.
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
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096UL
#define TIB (1UL << 40)
#define WRITTEN_EACH 5000	/* mappings */
#define DEPTH 3
#define NAME_LEN 60

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

static int long_name(const char *directory)
{
	char name[NAME_LEN + 1];
	int i, fd;

	memset(name, 'd', NAME_LEN);
	name[NAME_LEN] = '\0';
	if (chdir(directory))
		err(1, "%s", directory);
	for (i = 0; i < DEPTH; i++)
		if (mkdir(name, 0755) || chdir(name))
			err(1, "%s", name);
	fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		err(1, "file");
	return fd;
}

/* Every other page of the file, so that no two neighbours can become one. */
static void mappings(long count, const char *directory)
{
	int fd = long_name(directory);
	long i;

	if (ftruncate(fd, 2 * count * PAGE))
		err(1, "ftruncate");
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
		errx(2, "usage: scale mappings COUNT DIRECTORY | reserve | sparse");
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
