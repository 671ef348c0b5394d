/* SPDX-License-Identifier: GPL-2.0 */
/* For memory_kinds.c: mappings that not every program has, or not on every kernel. */
#ifndef KINDS_RARE_H
#define KINDS_RARE_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "kinds.h"
#include "uring.h"

/* Where the C library or its headers are older than the kernel. */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define PATIENCE 2000		/* tries, of which each takes 10 ms or more */
#define PAGEMAP_SWAPPED (1ULL << 62)
#define BIOS_ROM 0xf0000	/* what /dev/mem lets everybody map */

static inline long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static inline bool is_swapped(const char *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	check(fd < 0, "/proc/self/pagemap");
	check(pread(fd, &entry, sizeof(entry), (uintptr_t)p / PAGE * sizeof(entry)) !=
	      sizeof(entry), "/proc/self/pagemap");
	close(fd);
	return entry & PAGEMAP_SWAPPED;
}

static inline bool has_swap(void)
{
	FILE *f = fopen("/proc/swaps", "r");
	int lines = 0, c;

	while (f && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f)
		fclose(f);
	return lines > 1;
}

/* All of it is, in the end: what was just written may be on its way to the LRU still. */
static inline void swap_out(const char *name, char *p, size_t len)
{
	size_t i = 0;
	int try;

	for (try = 0; try < PATIENCE && i < len; try++) {
		madvise(p, len, MADV_PAGEOUT);
		for (i = 0; i < len && is_swapped(p + i); )
			i += PAGE;
		if (i < len)
			usleep(10000);
	}
	if (i < len)
		unavailable(name, "it is not swapped out");
}

static inline void swapped_memory(void)
{
	size_t len = 16 * PAGE;
	char *p;

	if (!has_swap()) {
		unavailable("swapped", "there is no swap space");
		return;
	}
	p = anon("swapped", MIB);
	fill("swapped", p, len);
	swap_out("swapped", p, len);

	p = anon("dontfork-swapped", MIB);
	fill("dontfork-swapped", p, len);
	check(madvise(p, MIB, MADV_DONTFORK), "MADV_DONTFORK");
	swap_out("dontfork-swapped", p, len / 2);

	p = anon("wipeonfork-swapped", MIB);
	fill("wipeonfork-swapped", p, len);
	check(madvise(p, MIB, MADV_WIPEONFORK), "MADV_WIPEONFORK");
	swap_out("wipeonfork-swapped", p, len / 2);

	p = map("swapped-shared", MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kind("swapped-shared", p, MIB);
	fill("swapped-shared", p, len);
	/* Page tables do not tell of shared memory. */
	madvise(p, len, MADV_PAGEOUT);
}

#define KSM "/sys/kernel/mm/ksm/"

static inline void merged_memory(void)
{
	size_t len = 16 * PAGE;
	char *p = anon("merged", MIB);
	long before = read_number(KSM "pages_sharing");
	int try;

	memset(p, 0x5a, len);
	say("merged", p, len, "Z");
	if (read_number(KSM "run") != 1 || madvise(p, MIB, MADV_MERGEABLE)) {
		unavailable("merged", "there is no KSM, or it does not run");
		return;
	}
	for (try = 0; try < PATIENCE; try++) {
		if (read_number(KSM "pages_sharing") - before >= (long)(len / PAGE) - 1)
			return;
		usleep(10000);
	}
	unavailable("merged", "it is not merged");
}

static inline void guarded_memory(void)
{
	char *p = anon("guard-region", MIB);

	fill("guard-region", p, 2 * PAGE);
	fill("guard-region-behind", p + 8 * PAGE, 2 * PAGE);
	if (madvise(p + 2 * PAGE, 6 * PAGE, MADV_GUARD_INSTALL))
		unavailable("guard-region", "MADV_GUARD_INSTALL (from Linux 6.13 on)");
	else
		say("guard-region-itself", p + 2 * PAGE, 6 * PAGE, "zero");
}

/* What has been sealed can't be unmapped; whoever has a copy may have to. */
static inline void seal(const char *name, char *p)
{
	fill(name, p, 3 * PAGE);
	if (!syscall(SYS_mseal, p, MIB, 0))
		return;
	check(errno != ENOSYS, "mseal");
	unavailable(name, "mseal (from Linux 6.10 on)");
}

static inline void sealed_memory(void)
{
	char *shared = map("sealed-shared", MIB, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	kind("sealed-shared", shared, MIB);
	seal("sealed-shared", shared);
	seal("sealed", anon("sealed", MIB));
}

static inline void growing_memory(void)
{
	size_t room = 4 * MIB, grown = 8 * PAGE;
	char *p = map("growing", room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *top = p + room - PAGE, *low;

	munmap(p, room);
	p = mmap(top - PAGE, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	check(p == MAP_FAILED, "MAP_GROWSDOWN");
	for (low = top - PAGE; low > top - grown; low -= PAGE)
		*low = 1;
	fill("growing", low, grown);
	kind("growing", low, grown);
}

static inline void freed_memory(void)
{
	char *p = anon("freed", MIB);

	put(p, 16 * PAGE);
	if (madvise(p, 16 * PAGE, MADV_FREE))
		unavailable("freed", "MADV_FREE");
}

static inline void secret_memory(void)
{
	int fd = syscall(SYS_memfd_secret, 0);
	char *p;

	if (fd < 0) {
		unavailable("secret", "memfd_secret (before Linux 6.5 it takes a boot option)");
		return;
	}
	check(ftruncate(fd, MIB), "secret");
	p = map("secret", MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	put(p, 2 * PAGE);
	kind("secret", p, MIB);
	say("secret", p, MIB, "absent");
}

static inline void device_memory(void)
{
	int fd = open("/dev/mem", O_RDONLY);
	char *p = map("device", 4 * PAGE, PROT_READ, MAP_SHARED, fd, BIOS_ROM);

	if (!p)
		return;
	kind("device", p, 4 * PAGE);
	say("device", p, 4 * PAGE, "absent");
	p = map("dontfork-device", 4 * PAGE, PROT_READ, MAP_SHARED, fd, BIOS_ROM);
	kind("dontfork-device", p, 4 * PAGE);
	check(madvise(p, 4 * PAGE, MADV_DONTFORK), "MADV_DONTFORK");
}

/* Where nothing shares its page tables; the C library does without from now on. */
static inline char *move_vdso(char *vdso, size_t len)
{
#ifdef __x86_64__
	char *p = map("vdso", 3 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *to = (char *)(((uintptr_t)p + 2 * HUGE - 1) & ~(HUGE - 1));

	check(munmap(p, 3 * HUGE), "munmap");
	vdso = mremap(vdso, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	check(vdso == MAP_FAILED, "moving the vdso");
#endif
	return vdso;
}

static inline void kernels_memory(void)
{
	static const char *const names[] = { "vdso", "vvar", "vvar_vclock", "vsyscall" };
	bool found[4] = {};
	char line[512], name[64];
	unsigned long start, end;
	char *moved = NULL;
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t i;

	check(!maps, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		for (i = 0; i < 4; i++) {
			snprintf(name, sizeof(name), "[%s]\n", names[i]);
			if (!strstr(line, name) || sscanf(line, "%lx-%lx", &start, &end) != 2)
				continue;
			if (!i)
				moved = move_vdso((char *)start, end - start);
			kind(names[i], i ? (char *)start : moved, end - start);
			found[i] = true;
		}
	}
	fclose(maps);
	for (i = 0; i < 4; i++)
		if (!found[i])
			unavailable(names[i], "this kernel has none");
}

static inline void rare_memory(void)
{
	swapped_memory();
	merged_memory();
	guarded_memory();
	sealed_memory();
	growing_memory();
	freed_memory();
	secret_memory();
	device_memory();
	kernels_memory();
}

/* Of these a clone is refused, on some kernels or on all. */

static inline void missing_memory(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *p = anon("uffd-missing", MIB);

	fill("uffd-missing", p, 2 * PAGE);
	say("uffd-missing-itself", p + 2 * PAGE, 8 * PAGE, "zero");
	range.range.start = (uintptr_t)p;
	range.range.len = MIB;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		unavailable("uffd-missing", strerror(errno));
}

static inline void uring_memory(void)
{
	static struct kcs_ring ring;

	if (kcs_ring_open(&ring, 0)) {
		unavailable("io-uring-rings", strerror(errno));
		return;
	}
	kind("io-uring-rings", ring.sq, ring.sq_len);
	kind("io-uring-sqes", (char *)ring.sqes, ring.sqes_len);
}

static inline void hear_of_it(int sig)
{
}

/* The machine has one page less from now on; some kernels tell who asked for it at once. */
static inline void poisoned_memory(void)
{
	char *p = anon("poisoned", MIB);

	fill("poisoned-beside", p, PAGE);
	fill("poisoned-behind", p + 2 * PAGE, PAGE);
	put(p + PAGE, PAGE);
	signal(SIGBUS, hear_of_it);
	if (madvise(p + PAGE, PAGE, MADV_HWPOISON))
		unavailable("poisoned", strerror(errno));
	else
		say("poisoned-itself", p + PAGE, PAGE, "zero");
}

#endif
