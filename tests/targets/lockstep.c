// SPDX-License-Identifier: GPL-2.0
/*
 * lockstep [storm]: threads that keep memory on many pages in step, see lockstep.h.
 *
 * Prints "ready ADDRESS", that of its struct lock_table. With "storm", further threads all the
 * time create short-lived writers: threads, and processes that share the memory; and one forks.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lockstep.h"

#define PAGE 4096UL
#define SMALL_PAGES 128UL		/* 4K pages in several mappings */
#define HUGE_SIZE (2UL << 20)		/* memory in huge pages, where there are any */
#define FILE_PAGES ((unsigned long)LOCK_WRITERS)
#define STACK_SIZE (64UL << 10)
#define BORN_STACK_SIZE (32UL << 10)
#define SPAWNERS 10
#define SHARERS 4
/* Births are frequent, and those born live for longer than page tables are copied. */
#define BORN_ROUNDS 96
#define NAP_NS 200000

static struct lock_table table __attribute__((aligned(4096)));
static uint8_t bss[LOCK_WRITERS][PAGE] __attribute__((aligned(4096)));
static uint8_t data[LOCK_WRITERS][PAGE] __attribute__((aligned(4096))) = { { 1 } };
static uint8_t *low, *huge, *file, *high, *not_copied, *wiped;

/*
 * void tick_...(const struct lock_writer *writer, uint64_t rounds). The system calls are getppid
 * and nanosleep.
 *
 * An emulator takes interrupts between blocks of code. In one of the loops each store ends a
 * block, so that it can be interrupted behind any; in the other one all stores are in a block,
 * which a CPU that the host had taken away completes, late, before it sees what it was interrupted
 * for.
 */
#define LOCK_STORE(name, cell, split)			\
	"	mov	" #cell "*8(%r13), %rax\n"	\
	"	mov	%rbx, (%rax)\n"			\
	#name "_stored_" #cell ":\n"			\
	split

#define LOCK_LOOP(name, split)				\
	asm("	.text\n"				\
	    #name ":\n"					\
	    "	push	%rbx\n"				\
	    "	push	%r12\n"				\
	    "	push	%r13\n"				\
	    "	push	%r14\n"				\
	    "	mov	%rdi, %r13\n"			\
	    "	mov	%rsi, %r14\n"			\
	    "	mov	(%r13), %rax\n"			\
	    "	mov	(%rax), %rbx\n"			\
	    "	movabs	$" LOCK_STRING(LOCK_MAGIC) ", %r12\n" \
	    #name "_enter:\n"				\
	    "	movq	$1, 8*8(%r13)\n"		\
	    "1:\n"					\
	    "	inc	%rbx\n"				\
	    #name "_begun:\n"				\
	    split					\
	    LOCK_STORE(name, 0, split)			\
	    LOCK_STORE(name, 1, split)			\
	    LOCK_STORE(name, 2, split)			\
	    LOCK_STORE(name, 3, split)			\
	    LOCK_STORE(name, 4, split)			\
	    LOCK_STORE(name, 5, split)			\
	    LOCK_STORE(name, 6, split)			\
	    LOCK_STORE(name, 7, split)			\
	    "	test	$0xf, %ebx\n"			\
	    "	jnz	3f\n"				\
	    "	mov	$110, %eax\n"			\
	    "	xor	%esi, %esi\n"			\
	    "	mov	9*8(%r13), %rdi\n"		\
	    "	test	%rdi, %rdi\n"			\
	    "	jz	2f\n"				\
	    "	mov	$35, %eax\n"			\
	    "2:	syscall\n"				\
	    "3:	dec	%r14\n"				\
	    "	jnz	1b\n"				\
	    "	movq	$0, 8*8(%r13)\n"		\
	    "	xor	%r12d, %r12d\n"			\
	    #name "_end:\n"				\
	    "	pop	%r14\n"				\
	    "	pop	%r13\n"				\
	    "	pop	%r12\n"				\
	    "	pop	%rbx\n"				\
	    "	ret\n");				\
	void name(const struct lock_writer *writer, uint64_t rounds); \
	extern const char name##_enter[], name##_begun[], name##_end[], name##_stored_0[], \
		name##_stored_1[], name##_stored_2[], name##_stored_3[], name##_stored_4[], \
		name##_stored_5[], name##_stored_6[], name##_stored_7[]

#define LOCK_STRING(x) LOCK_STRING_(x)
#define LOCK_STRING_(x) #x
#define ADDRESS(label) ((uint64_t)(uintptr_t)(label))
#define LOCK_LOOP_INIT(name) {				\
	.enter = ADDRESS(name##_enter),			\
	.begun = ADDRESS(name##_begun),			\
	.stored = {					\
		ADDRESS(name##_stored_0), ADDRESS(name##_stored_1), ADDRESS(name##_stored_2), \
		ADDRESS(name##_stored_3), ADDRESS(name##_stored_4), ADDRESS(name##_stored_5), \
		ADDRESS(name##_stored_6), ADDRESS(name##_stored_7), \
	},						\
	.end = ADDRESS(name##_end),			\
}

LOCK_LOOP(tick_split, "	jmp	2f\n2:\n");
LOCK_LOOP(tick_whole, "");

_Static_assert(offsetof(struct lock_writer, alive) == 8 * 8, "assembly");
_Static_assert(offsetof(struct lock_writer, nap) == 9 * 8, "assembly");

static void tick(unsigned int i, uint64_t rounds)
{
	if (i % 2)
		tick_whole(&table.writer[i], rounds);
	else
		tick_split(&table.writer[i], rounds);
}

/* Which cell is the lowest, and which way the addresses run, differs from writer to writer. */
static void place(unsigned int i, uint8_t *stack_page)
{
	uint8_t *pages[LOCK_CELLS] = {
		low + i * 2 * PAGE, bss[i], huge + i * 16 * PAGE,
		file ? file + i * PAGE : data[i], stack_page, high + i * 2 * PAGE,
		not_copied + i * PAGE, wiped + i * PAGE,
	};

	for (unsigned int c = 0; c < LOCK_CELLS; c++) {
		unsigned int from = (c + i) % LOCK_CELLS;

		if (i % 2)
			from = LOCK_CELLS - 1 - from;
		table.writer[i].cell[c] = (uint64_t)pages[from] + 64 * c;
	}
}

static atomic_uint placed;

static void *writer_thread(void *arg)
{
	unsigned int i = (uintptr_t)arg;
	uint8_t on_stack[2 * PAGE];

	memset(on_stack, 0, sizeof(on_stack));
	place(i, on_stack + PAGE / 2);
	placed++;
	tick(i, UINT64_MAX);
	abort();
}

static void *link_thread(void *arg)
{
	unsigned int i = (uintptr_t)arg;
	_Atomic uint64_t *from = (_Atomic uint64_t *)table.link[i - 1];
	_Atomic uint64_t *to = (_Atomic uint64_t *)table.link[i];

	for (unsigned int n = 0;; n++) {
		uint64_t value = atomic_load_explicit(from, memory_order_acquire);

		atomic_store_explicit(to, value, memory_order_release);
		/* The links take turns on few CPUs. */
		if (n % 512 == 0)
			sched_yield();
	}
	return NULL;
}

static void start(void *(*fn)(void *), unsigned int arg, size_t stack, pthread_t *thread)
{
	pthread_attr_t attr;
	pthread_t unused;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	ret = pthread_create(thread ? thread : &unused, &attr, fn, (void *)(uintptr_t)arg);
	if (ret) {
		errno = ret;
		err(1, "pthread_create");
	}
	pthread_attr_destroy(&attr);
}

static void *born_thread(void *arg)
{
	tick((uintptr_t)arg, BORN_ROUNDS);
	return NULL;
}

static void *spawner_thread(void *arg)
{
	unsigned int i = (uintptr_t)arg;
	pthread_t thread;

	for (;;) {
		start(born_thread, i, BORN_STACK_SIZE, &thread);
		pthread_join(thread, NULL);
	}
	return NULL;
}

static int born_process(void *arg)
{
	tick((uintptr_t)arg, BORN_ROUNDS);
	return 0;
}

static void await(pid_t pid, const char *what)
{
	if (pid < 0 || waitpid(pid, NULL, __WALL) != pid)
		err(1, "%s", what);
}

static void *sharer_thread(void *arg)
{
	static uint8_t stacks[LOCK_WRITERS][BORN_STACK_SIZE] __attribute__((aligned(16)));
	unsigned int i = (uintptr_t)arg;

	for (unsigned int n = 0;; n++)
		await(clone(born_process, stacks[i] + BORN_STACK_SIZE,
			    CLONE_VM | SIGCHLD | (n % 2 ? CLONE_VFORK : 0), arg), "clone");
	return NULL;
}

static void *forker_thread(void *arg)
{
	(void)arg;
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		await(pid, "fork");
		usleep(1000);
	}
	return NULL;
}

static uint8_t *map(size_t size, int fd)
{
	int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static uint8_t *map_aligned(size_t size)
{
	uint8_t *p = map(2 * size, -1), *aligned = (uint8_t *)(((uintptr_t)p + size - 1) & -size);

	if (aligned > p)
		munmap(p, aligned - p);
	munmap(aligned + size, p + size - aligned);
	return aligned;
}

static uint8_t *map_small(void)
{
	uint8_t *p = map(SMALL_PAGES * PAGE, -1);

	madvise(p, SMALL_PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(p, 0, SMALL_PAGES * PAGE);
	/* A mapping of its own every so often. */
	for (unsigned long i = 1; i < SMALL_PAGES; i += 32)
		if (mprotect(p + i * PAGE, PAGE, PROT_READ))
			err(1, "mprotect");
	return p;
}

static uint8_t *map_excluded(int advice)
{
	uint8_t *p = map(LOCK_WRITERS * PAGE, -1);

	if (madvise(p, LOCK_WRITERS * PAGE, advice))
		err(1, "madvise");
	memset(p, 0, LOCK_WRITERS * PAGE);
	return p;
}

static void map_memory(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	low = map_small();
	huge = map_aligned(HUGE_SIZE);
	madvise(huge, HUGE_SIZE, MADV_HUGEPAGE);
	memset(huge, 0, HUGE_SIZE);
	/* Pages of a file that were written to; of a short file only the ones that exist. */
	if (fd >= 0 && lseek(fd, 0, SEEK_END) >= (off_t)(FILE_PAGES * PAGE)) {
		file = map(FILE_PAGES * PAGE, fd);
		memset(file, 0, FILE_PAGES * PAGE);
	}
	memset(data, 0, sizeof(data));
	high = map_small();
	not_copied = map_excluded(MADV_DONTFORK);
	wiped = map_excluded(MADV_WIPEONFORK);
}

static void start_storm(unsigned int first)
{
	unsigned int i;

	for (i = first; i < first + SPAWNERS; i++)
		start(spawner_thread, i, STACK_SIZE, NULL);
	for (; i < first + SPAWNERS + SHARERS; i++)
		start(sharer_thread, i, STACK_SIZE, NULL);
	start(forker_thread, 0, STACK_SIZE, NULL);
}

int main(int argc, char **argv)
{
	const struct lock_loop loops[LOCK_LOOPS] = {
		LOCK_LOOP_INIT(tick_split),
		LOCK_LOOP_INIT(tick_whole),
	};
	static const struct timespec nap = { .tv_nsec = NAP_NS };
	bool storm = argc > 1 && !strcmp(argv[1], "storm");
	unsigned int born = storm ? SPAWNERS + SHARERS : 0, permanent, i;
	uint8_t on_stack[2 * PAGE];

	/* With a storm, the CPUs are for those that are born. */
	permanent = storm ? 1 : sysconf(_SC_NPROCESSORS_ONLN) + 2;
	if (permanent > LOCK_WRITERS - born)
		permanent = LOCK_WRITERS - born;
	map_memory();
	table.magic = LOCK_MAGIC;
	table.threads = permanent + (storm ? SPAWNERS : 0);
	table.writers = permanent + born;
	table.links = storm ? 2 : LOCK_LINKS;
	memcpy(table.loop, loops, sizeof(loops));

	/* The main thread is the first writer, and the chain starts with it. */
	memset(on_stack, 0, sizeof(on_stack));
	place(0, on_stack + PAGE / 2);
	table.link[0] = table.writer[0].cell[0];
	for (i = 1; i < table.links; i++) {
		table.link[i] = (uint64_t)(i % 2 ? low : high) + (2 * LOCK_WRITERS + 2 * i) * PAGE;
		start(link_thread, i, STACK_SIZE, NULL);
	}
	for (i = 1; i < permanent; i++)
		start(writer_thread, i, STACK_SIZE, NULL);
	for (i = permanent; i < permanent + born; i++) {
		place(i, data[i]);
		table.writer[i].nap = (uint64_t)&nap;
	}
	if (storm)
		start_storm(permanent);
	while (placed < permanent - 1)
		sched_yield();

	printf("ready %#lx\n", (unsigned long)&table);
	fflush(stdout);
	tick(0, UINT64_MAX);
	abort();
}
