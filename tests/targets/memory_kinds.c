// SPDX-License-Identifier: GPL-2.0
/*
 * memory_kinds DIRECTORY [KIND]: a process with every kind of mapping that a
 * core treats in its own way, and two threads beside the main one, all blocked.
 * With a KIND, one of those of which a clone may be refused: uffd, io-uring or
 * poisoned.
 *
 * Prints what is where, a line "NAME START LENGTH CONTENT" per range, CONTENT
 * being "filled" (each 8-byte word as word_at() has it), "zero", "Z" (that
 * letter), "absent" (a segment of which the core holds nothing by the default
 * filter) or "mapping" (of that kind, whatever a core has of it); a line
 * "NAME - - unavailable: WHY" for what can't be had here; and then "ready".
 * Its files are made in DIRECTORY.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "kinds.h"
#include "kinds_rare.h"

static void anonymous_memory(void)
{
	char *p = anon("sparse", 1024 * MIB);

	fill("sparse-first", p, PAGE);
	fill("sparse-middle", p + 512 * MIB, PAGE);
	fill("sparse-last", p + 1024 * MIB - PAGE, PAGE);
	say("sparse-hole", p + 100 * MIB, 8 * PAGE, "zero");
	say("sparse-beside", p + 512 * MIB + PAGE, 2 * PAGE, "zero");

	p = anon("never-touched", MIB);
	say("never-touched", p, MIB, "absent");

	p = anon("no-access", MIB);
	fill("no-access", p, 2 * PAGE);
	say("no-access-hole", p + 4 * PAGE, 4 * PAGE, "zero");
	mprotect(p, MIB, PROT_NONE);

	p = map("guard", MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	kind("guard", p, MIB);
	say("guard", p, MIB, "absent");

	p = anon("read-only", MIB);
	fill("read-only", p, 2 * PAGE);
	mprotect(p, MIB, PROT_READ);

	p = anon("huge-space", 3 * HUGE);
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	kind("huge-pages", p, 2 * HUGE);
	madvise(p, 2 * HUGE, MADV_HUGEPAGE);
	fill("huge-pages", p, HUGE + PAGE);

	p = map("dev-zero", MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, open("/dev/zero", O_RDWR), 0);
	kind("dev-zero", p, MIB);
	fill("dev-zero", p, PAGE);
	say("dev-zero-hole", p + 2 * PAGE, PAGE, "zero");
}

static void advised_memory(void)
{
	char *p;

	p = anon("dontfork", MIB);
	fill("dontfork", p, 3 * PAGE);
	say("dontfork-hole", p + 8 * PAGE, PAGE, "zero");
	check(madvise(p, MIB, MADV_DONTFORK), "MADV_DONTFORK");

	p = anon("wipeonfork", MIB);
	fill("wipeonfork", p, 3 * PAGE);
	say("wipeonfork-hole", p + 8 * PAGE, PAGE, "zero");
	check(madvise(p, MIB, MADV_WIPEONFORK), "MADV_WIPEONFORK");

	p = anon("dontdump", MIB);
	put(p, PAGE);
	check(madvise(p, MIB, MADV_DONTDUMP), "MADV_DONTDUMP");
	say("dontdump", p, MIB, "absent");
}

static void shared_memory(void)
{
	int id, fd;
	char *p;

	p = map("shared", MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kind("shared", p, MIB);
	fill("shared", p, 2 * PAGE);
	say("shared-hole", p + 16 * PAGE, 4 * PAGE, "zero");

	fd = memfd_create("memory_kinds", MFD_CLOEXEC);
	check(fd < 0 || ftruncate(fd, MIB), "memfd");
	p = map("memfd", MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	kind("memfd", p, MIB);
	fill("memfd", p + PAGE, PAGE);
	say("memfd-hole", p, PAGE, "zero");
	p = map("memfd-at-offset", 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 64 * PAGE);
	kind("memfd-at-offset", p, 4 * PAGE);
	fill("memfd-at-offset", p + PAGE, PAGE);

	fd = memfd_create("memory_kinds_private", MFD_CLOEXEC);
	check(fd < 0 || ftruncate(fd, MIB), "memfd");
	p = map("memfd-private", MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	kind("memfd-private", p, MIB);
	fill("memfd-private", p + 3 * PAGE, PAGE);
	say("memfd-private-hole", p + 8 * PAGE, PAGE, "zero");

	id = shmget(IPC_PRIVATE, MIB, IPC_CREAT | 0600);
	check(id < 0, "shmget");
	p = shmat(id, NULL, 0);
	check(p == (char *)-1, "shmat");
	printf("shmid %d - note\n", id);
	kind("sysv", p, MIB);
	check(shmctl(id, IPC_RMID, NULL), "shmctl");
	fill("sysv", p, 2 * PAGE);
	say("sysv-hole", p + 16 * PAGE, 4 * PAGE, "zero");
}

/* A file whose bytes are as word_at() has them for a mapping at @addr. */
static int make_file(const char *name, uintptr_t addr, size_t len)
{
	static uint64_t words[64 * PAGE / 8];
	size_t i;
	int fd;

	for (i = 0; i < len / 8; i++)
		words[i] = word_at(addr + 8 * i);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd < 0 || write(fd, words, len) != (ssize_t)len, name);
	return fd;
}

static char *map_file(const char *name, int flags, int *fd)
{
	size_t len = 16 * PAGE;
	char *p = anon(name, len);

	*fd = make_file(name, (uintptr_t)p, len);
	p = mmap(p, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, *fd, 0);
	check(p == MAP_FAILED, name);
	return p;
}

static void files(void)
{
	char *p;
	int fd;

	p = map_file("file-clean", MAP_PRIVATE, &fd);
	say("file-clean", p, 16 * PAGE, "absent");

	p = map_file("file-written", MAP_PRIVATE, &fd);
	memset(p + PAGE, 0, PAGE);
	say("file-written-page", p + PAGE, PAGE, "zero");
	say("file-clean-page", p + 2 * PAGE, 14 * PAGE, "filled");

	p = map_file("file-shared", MAP_SHARED, &fd);
	say("file-shared", p, 16 * PAGE, "absent");

	p = map_file("deleted-written", MAP_PRIVATE, &fd);
	memset(p, 0, PAGE);
	unlink("deleted-written");
	say("deleted-written-page", p, PAGE, "zero");
	say("deleted-clean-page", p + PAGE, 15 * PAGE, "filled");

	p = map_file("deleted-shared", MAP_SHARED, &fd);
	unlink("deleted-shared");
	say("deleted-shared", p, 16 * PAGE, "filled");

	p = map_file("truncated-written", MAP_PRIVATE, &fd);
	memset(p, 0, PAGE);
	p[8 * PAGE] = 1;
	check(ftruncate(fd, 4 * PAGE), "ftruncate");
	say("truncated-kept", p + PAGE, 3 * PAGE, "filled");
	say("truncated-away", p + 4 * PAGE, 12 * PAGE, "zero");

	p = map_file("truncated-shared", MAP_SHARED, &fd);
	unlink("truncated-shared");
	check(ftruncate(fd, 4 * PAGE), "ftruncate");
	say("truncated-shared-kept", p, 4 * PAGE, "filled");
	say("truncated-shared-away", p + 4 * PAGE, 12 * PAGE, "zero");
}

/* What fork leaves out is not always private, and not always mapped. */
static void unforked_memory(void)
{
	char *p;
	int fd;

	p = map("dontfork-shared", MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kind("dontfork-shared", p, MIB);
	fill("dontfork-shared", p, 2 * PAGE);
	check(madvise(p, MIB, MADV_DONTFORK), "MADV_DONTFORK");

	p = map_file("dontfork-file", MAP_PRIVATE, &fd);
	memset(p + PAGE, 0, PAGE);
	say("dontfork-file-page", p + PAGE, PAGE, "zero");
	say("dontfork-file-clean-page", p + 2 * PAGE, 14 * PAGE, "filled");
	check(madvise(p, 16 * PAGE, MADV_DONTFORK), "MADV_DONTFORK");

	p = map_file("dontfork-shared-file", MAP_SHARED, &fd);
	say("dontfork-shared-file", p, 16 * PAGE, "absent");
	check(madvise(p, 16 * PAGE, MADV_DONTFORK), "MADV_DONTFORK");
}

/* By the filter's bit for ELF headers the first page of these is dumped, or not. */
static void elf_files(void)
{
	static const char *const names[] = { "elf-file", "elf-executable", "elf-at-offset" };
	size_t i;
	char *p;
	int fd;

	for (i = 0; i < 3; i++) {
		fd = open(names[i], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, i == 1 ? 0700 : 0600);
		check(fd < 0 || ftruncate(fd, 16 * PAGE), names[i]);
		/* What may be executed is not looked into. */
		if (i != 1)
			check(pwrite(fd, ELFMAG, SELFMAG, i == 2 ? PAGE : 0) != SELFMAG, names[i]);
		p = map(names[i], 4 * PAGE, PROT_READ, MAP_PRIVATE, fd, i == 2 ? PAGE : 0);
		kind(names[i], p, 4 * PAGE);
		close(fd);
	}
}

static void huge_tlb(void)
{
	char *p;

	p = map("hugetlb", 2 * HUGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p) {
		kind("hugetlb", p, 2 * HUGE);
		fill("hugetlb", p, HUGE);
		say("hugetlb-hole", p + HUGE, HUGE, "zero");
	}
	p = map("hugetlb-shared", HUGE, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p) {
		put(p, HUGE);
		kind("hugetlb-shared", p, HUGE);
		say("hugetlb-shared", p, HUGE, "absent");
	}
}

/* One page is in the file alone, one is the process's own, one is nowhere. */
static void huge_tlb_file(void)
{
	const char *name = "hugetlb-file";
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_HUGETLB);
	char *p;

	if (fd < 0) {
		unavailable(name, strerror(errno));
		return;
	}
	check(ftruncate(fd, 3 * HUGE), name);
	p = map(name, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!p)
		return;
	put(p, HUGE);
	munmap(p, HUGE);
	p = map(name, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p) {
		kind(name, p, 3 * HUGE);
		fill(name, p + HUGE, HUGE);
		say(name, p + 2 * HUGE, HUGE, "zero");
	}
	close(fd);
}

/* In assembly, so that nothing on the stack changes if the call is restarted. */
static void block(void)
{
	for (;;) {
		long ret = SYS_pause;

#ifdef __x86_64__
		asm volatile("syscall" : "+a" (ret) : : "rcx", "r11", "memory");
#else
		asm volatile("int $0x80" : "+a" (ret) : : "memory");
#endif
	}
}

static void *run(void *arg)
{
	pthread_barrier_wait(arg);
	block();
	return NULL;
}

static void every_kind(void)
{
	anonymous_memory();
	advised_memory();
	shared_memory();
	files();
	unforked_memory();
	elf_files();
	huge_tlb();
	huge_tlb_file();
	rare_memory();
}

static void one_kind(const char *name)
{
	if (!strcmp(name, "uffd"))
		missing_memory();
	else if (!strcmp(name, "io-uring"))
		uring_memory();
	else
		poisoned_memory();
}

int main(int argc, char **argv)
{
	pthread_barrier_t barrier;
	pthread_t thread;
	int i;

	check(argc < 2 || chdir(argv[1]), "chdir");
	if (argc < 3)
		every_kind();
	else
		one_kind(argv[2]);
	pthread_barrier_init(&barrier, NULL, 3);
	for (i = 0; i < 2; i++)
		check(pthread_create(&thread, NULL, run, &barrier), "pthread_create");
	pthread_barrier_wait(&barrier);
	puts("ready");
	fflush(stdout);
	block();
}
