// SPDX-License-Identifier: GPL-2.0
/*
 * mapper DIRECTORY: a process that maps files of each kind, to be looked at
 * from outside while it does nothing.
 *
 * Its files are "private", "shared", "read-only", "leased", "locked" and
 * "unread" in DIRECTORY, which it makes unless they are there, a memfd with
 * holes and another that is "sealable". Besides it has a System V segment with holes, of
 * key KEY, and memory that is locked, of huge pages, and to be merged (KSM).
 *
 * Prints "ready PID"; then each line of its input is answered by one, "ok" or
 * what is wrong:
 *
 *	check	all of it holds what was written there
 *	lease	take leases on "leased" (F_WRLCK) and "read-only" (F_RDLCK)
 *	leases	they are held, and no signal came for them
 *	seal	unmap the memfd and seal it against writing (F_SEAL_WRITE)
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY 0x6b637364
#define PAGE 4096UL
#define MIB (1UL << 20)
#define HUGE (2 * MIB)
#define FILE_SIZE (64 * PAGE)
#define RANGES 16

static struct range {
	char *start;
	size_t len;
} ranges[RANGES];
static int nranges;
static int leased, read_only, sealable;
static char *sealable_memory;
static volatile sig_atomic_t signals;

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	printf("unavailable %s: %s\n", what, strerror(errno));
	exit(1);
}

static void fill(char *start, size_t len)
{
	memset(start, 'm', len);
	ranges[nranges++] = (struct range) { start, len };
}

static const char *find_wrong(void)
{
	size_t at;
	int i;

	for (i = 0; i < nranges; i++)
		for (at = 0; at < ranges[i].len; at++)
			if (ranges[i].start[at] != 'm')
				return "a byte has changed";
	return NULL;
}

static char *map(size_t len, int prot, int flags, int fd)
{
	char *p = mmap(NULL, len, prot, flags, fd, 0);

	check(p == MAP_FAILED, "mmap");
	return p;
}

static int open_file(const char *name, int flags)
{
	static char bytes[FILE_SIZE];
	struct stat st;
	int fd;

	if (stat(name, &st) || st.st_size < (off_t)FILE_SIZE) {
		memset(bytes, 'm', sizeof(bytes));
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		check(fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes), name);
		close(fd);
	}
	fd = open(name, flags | O_CLOEXEC);
	check(fd < 0, name);
	lseek(fd, 12345, SEEK_SET);
	return fd;
}

static void map_file(const char *name, int mode, int prot, int flags, int *fd)
{
	char *p;

	*fd = open_file(name, mode);
	p = map(FILE_SIZE, prot, flags, *fd);
	/* All its pages: what others bring in must not show. */
	ranges[nranges++] = (struct range) { p, FILE_SIZE };
	check(!!find_wrong(), name);
}

static void map_files(void)
{
	int fd;

	map_file("private", O_RDWR, PROT_READ | PROT_WRITE, MAP_PRIVATE, &fd);
	ranges[nranges - 1].start[0] = 'm';
	map_file("shared", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, &fd);
	map_file("read-only", O_RDONLY, PROT_READ, MAP_SHARED, &read_only);
	map_file("leased", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, &leased);
	map_file("locked", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, &fd);
	check(flock(fd, LOCK_EX | LOCK_NB), "flock");
	map(FILE_SIZE, PROT_READ, MAP_SHARED, open_file("unread", O_RDONLY));
}

static int holey_memfd(char **p)
{
	int fd = memfd_create("mapper", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	check(fd < 0 || ftruncate(fd, MIB), "memfd");
	*p = map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	lseek(fd, 12345, SEEK_SET);
	return fd;
}

static void map_memory(void)
{
	char *p;
	int id;

	holey_memfd(&p);
	fill(p + 3 * PAGE, PAGE);
	sealable = holey_memfd(&sealable_memory);
	sealable_memory[5 * PAGE] = 'm';

	id = shmget(KEY, MIB, IPC_CREAT | 0600);
	p = shmat(id, NULL, 0);
	check(id < 0 || p == (char *)-1, "System V memory");
	fill(p + 7 * PAGE, 2 * PAGE);

	p = map(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	check(mlock(p, 16 * PAGE), "mlock");
	fill(p, 16 * PAGE);

	p = map(2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	p = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	madvise(p, HUGE, MADV_HUGEPAGE);
	fill(p, HUGE);

	p = map(32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	madvise(p, 32 * PAGE, MADV_MERGEABLE);
	fill(p, 32 * PAGE);
}

static void count_signal(int signal)
{
	signals++;
}

static const char *take_leases(void)
{
	signal(SIGIO, count_signal);
	if (fcntl(leased, F_SETLEASE, F_WRLCK) || fcntl(read_only, F_SETLEASE, F_RDLCK))
		return strerror(errno);
	return NULL;
}

static const char *check_leases(void)
{
	if (signals)
		return "a signal came";
	if (fcntl(leased, F_GETLEASE) != F_WRLCK || fcntl(read_only, F_GETLEASE) != F_RDLCK)
		return "a lease was broken";
	return NULL;
}

static const char *seal(void)
{
	if (munmap(sealable_memory, MIB) || fcntl(sealable, F_ADD_SEALS, F_SEAL_WRITE))
		return strerror(errno);
	return NULL;
}

static const char *obey(const char *command)
{
	if (!strcmp(command, "check"))
		return find_wrong();
	if (!strcmp(command, "lease"))
		return take_leases();
	if (!strcmp(command, "leases"))
		return check_leases();
	if (!strcmp(command, "seal"))
		return seal();
	return "what?";
}

int main(int argc, char **argv)
{
	const char *wrong;
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	check(argc < 2 || chdir(argv[1]), "chdir");
	map_files();
	map_memory();
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		wrong = obey(line);
		puts(wrong ? wrong : "ok");
	}
	return 0;
}
