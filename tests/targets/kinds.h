/* SPDX-License-Identifier: GPL-2.0 */
/* For memory_kinds.c: mappings whose content is known, and saying what is where. */
#ifndef KINDS_H
#define KINDS_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define HUGE (2 * MIB)

/* tests/core/check_memory.py has the same. */
static inline uint64_t word_at(uintptr_t addr)
{
	return (addr >> 3) * 0x9e3779b97f4a7c15 + 1;
}

static inline void say(const char *name, const char *start, size_t len, const char *content)
{
	printf("%s %#lx %#lx %s\n", name, (unsigned long)start, (unsigned long)len, content);
}

static inline void put(char *start, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += 8)
		*(uint64_t *)(start + i) = word_at((uintptr_t)start + i);
}

static inline void fill(const char *name, char *start, size_t len)
{
	put(start, len);
	say(name, start, len, "filled");
}

static inline void check(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "memory_kinds: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline char *map(const char *name, size_t len, int prot, int flags, int fd, off_t offset)
{
	char *p = mmap(NULL, len, prot, flags, fd, offset);

	if (p == MAP_FAILED) {
		printf("%s - - unavailable: %s\n", name, strerror(errno));
		return NULL;
	}
	return p;
}

/* The kind of a whole mapping: what its header in a core should be is for the kernel to say. */
static inline void kind(const char *name, const char *start, size_t len)
{
	say(name, start, len, "mapping");
}

/* Between two pages without access, so that it stays a mapping of its own. */
static inline char *anon(const char *name, size_t len)
{
	char *p = map(name, len + 2 * PAGE, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(!p || mprotect(p + PAGE, len, PROT_READ | PROT_WRITE), name);
	kind(name, p + PAGE, len);
	return p + PAGE;
}

static inline void unavailable(const char *name, const char *why)
{
	printf("%s - - unavailable: %s\n", name, why);
}

#endif
