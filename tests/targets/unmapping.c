// SPDX-License-Identifier: GPL-2.0
/*
 * unmapping SECONDS
 *
 * Reads the core, by mode live, of a process that maps and unmaps all the time
 * what is being read. Its page tables are freed, and become memory that holds
 * what would be entries of page tables, to nowhere. Prints "LOOKED UNMAPPED",
 * how often each was done.
 */
#include <elf.h>
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "netlink.h"
#include "random.h"

#define GIB (1UL << 30)
#define PARTS 512UL		/* each takes a table of pmds and one of ptes */
#define LEN (PARTS * GIB)
#define FILLED (4UL << 20)
/* Present, no huge page, and of an address that no machine has. */
#define WRONG_ENTRY 0x000fedcba9876067UL

static char *region;
static atomic_ulong *unmapped;

static void map_region(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *p = mmap(region, LEN, PROT_READ | PROT_WRITE, flags | (region ? MAP_FIXED : 0),
		       -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	madvise(p, LEN, MADV_NOHUGEPAGE);
	region = p;
}

static void touch_region(void)
{
	for (unsigned long i = 0; i < PARTS; i++)
		region[i * GIB] = 1;
}

static void *fill(void *unused)
{
	unsigned long *p = mmap(NULL, FILLED, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	/* Nothing is mapped here: it might get the region's place. */
	for (;;) {
		for (unsigned long i = 0; i < FILLED / sizeof(*p); i++)
			p[i] = WRONG_ENTRY;
		madvise(p, FILLED, MADV_DONTNEED);
	}
	return unused;
}

static void __attribute__((noreturn)) unmap_again_and_again(int parent)
{
	pthread_t thread;
	char byte;

	touch_region();
	if (pthread_create(&thread, NULL, fill, NULL) || write(parent, "", 1) != 1 ||
	    read(parent, &byte, 1) != 1)
		_exit(1);
	for (;;) {
		munmap(region, LEN);
		atomic_fetch_add(unmapped, 1);
		map_region();
		touch_region();
	}
}

static off_t offset_of_region(int fd)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr))
		err(1, "pread");
	for (int i = 0; i < ehdr.e_phnum; i++) {
		if (pread(fd, &phdr, sizeof(phdr), ehdr.e_phoff + i * sizeof(phdr)) != sizeof(phdr))
			err(1, "pread");
		if (phdr.p_type == PT_LOAD && phdr.p_vaddr <= (uintptr_t)region &&
		    phdr.p_vaddr + phdr.p_filesz >= (uintptr_t)region + LEN)
			return (off_t)(phdr.p_offset + (uintptr_t)region - phdr.p_vaddr);
	}
	errx(1, "the core has no segment of what is unmapped");
}

/* Returns how often. */
static unsigned long look(int fd, time_t seconds)
{
	time_t end = time(NULL) + seconds;
	off_t offset = offset_of_region(fd);
	struct kcs_random random;
	unsigned long looked = 0;
	char byte;

	kcs_random_seed(&random, 1, 0);
	for (; time(NULL) < end; looked++) {
		off_t pos = offset + (off_t)(kcs_random_below(&random, PARTS) * GIB);

		if (lseek(fd, pos, looked % 2 ? SEEK_DATA : SEEK_HOLE) < 0 && errno != ENXIO)
			err(1, "lseek");
		if (pread(fd, &byte, 1, pos) != 1)
			err(1, "pread");
	}
	return looked;
}

int main(int argc, char **argv)
{
	static struct kcs_client client;
	unsigned long looked;
	int pair[2], fd = -1, error;
	pid_t pid;
	char byte;

	unmapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 2 || unmapped == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 2;
	map_region();
	pid = fork();
	if (pid == 0)
		unmap_again_and_again(pair[1]);
	close(pair[1]);
	if (read(pair[0], &byte, 1) != 1)
		errx(1, "the process that unmaps can't be started");
	error = kcs_open(&client) ?: kcs_snapshot_as(&client, pid, KCORESNAP_MODE_LIVE, false, &fd);
	if (error)
		errx(1, "no snapshot: %s %s", strerror(error), client.sentence);
	if (write(pair[0], "", 1) != 1)
		err(1, "write");
	looked = look(fd, atoi(argv[1]));
	if (waitpid(pid, NULL, WNOHANG))
		errx(1, "the process is gone");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%lu %lu\n", looked, atomic_load(unmapped));
	return 0;
}
