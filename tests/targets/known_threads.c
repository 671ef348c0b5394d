// SPDX-License-Identifier: GPL-2.0
/*
 * A thread in each of a number of functions, for a debugger to find: spinning,
 * blocked in system calls, in a signal handler, and with known values in all
 * registers. Prints "ready" once each is where it belongs.
 *
 * Thread i (in the order of the table; the main thread is 0) has
 * thread_mark == 1000 + i.
 */
#include <stddef.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MARK 1000

__thread long thread_mark;

long global_number = 0x1122334455667788;
char *heap_string;
volatile long spins;

static int futex_word;
static int pipe_fds[2];

/* What a thread has in its registers, at the offsets that the assembly uses. */
static struct plant {
	uint64_t ymm[16][4];
	long double st0;
	long double st1;
	uint64_t rbx, r12, r13, r14, r15;
	uint32_t mxcsr;
} __attribute__((aligned(32))) spinning, blocked;

_Static_assert(offsetof(struct plant, st0) == 512, "assembly");
_Static_assert(offsetof(struct plant, rbx) == 544, "assembly");
_Static_assert(offsetof(struct plant, mxcsr) == 584, "assembly");

static void fill_plant(struct plant *p, uint64_t base)
{
	int i, j;

	for (i = 0; i < 16; i++)
		for (j = 0; j < 4; j++)
			p->ymm[i][j] = base + (i << 8) + j;
	p->st0 = base == 0x5150000000000000 ? 2.5L : -1234.0625L;
	p->st1 = base == 0x5150000000000000 ? 7.75L : 8192.5L;
	p->rbx = base + 0xb0;
	p->r12 = base + 0xc12;
	p->r13 = base + 0xc13;
	p->r14 = base + 0xc14;
	p->r15 = base + 0xc15;
	p->mxcsr = base == 0x5150000000000000 ? 0x3f80 : 0x5f80;
}

#define LOAD_VECTOR(insn, reg) \
	insn " 0(%%rdi), %%" reg "0\n" insn " 32(%%rdi), %%" reg "1\n" \
	insn " 64(%%rdi), %%" reg "2\n" insn " 96(%%rdi), %%" reg "3\n" \
	insn " 128(%%rdi), %%" reg "4\n" insn " 160(%%rdi), %%" reg "5\n" \
	insn " 192(%%rdi), %%" reg "6\n" insn " 224(%%rdi), %%" reg "7\n" \
	insn " 256(%%rdi), %%" reg "8\n" insn " 288(%%rdi), %%" reg "9\n" \
	insn " 320(%%rdi), %%" reg "10\n" insn " 352(%%rdi), %%" reg "11\n" \
	insn " 384(%%rdi), %%" reg "12\n" insn " 416(%%rdi), %%" reg "13\n" \
	insn " 448(%%rdi), %%" reg "14\n" insn " 480(%%rdi), %%" reg "15\n"
#define LOAD_SSE LOAD_VECTOR("movdqu", "xmm")
#define LOAD_AVX LOAD_VECTOR("vmovdqu", "ymm")
#define LOAD_REST \
	"fninit\n fldt 528(%%rdi)\n fldt 512(%%rdi)\n ldmxcsr 584(%%rdi)\n" \
	"mov 544(%%rdi), %%rbx\n mov 552(%%rdi), %%r12\n mov 560(%%rdi), %%r13\n" \
	"mov 568(%%rdi), %%r14\n mov 576(%%rdi), %%r15\n"
#define SPIN "1: pause\n jmp 1b\n"
#define READ_PIPE \
	"mov %%eax, %%edi\n mov %%rcx, %%rsi\n mov $1, %%edx\n" \
	"2: xor %%eax, %%eax\n syscall\n jmp 2b\n"

static __attribute__((noinline)) void spin_with_registers(void)
{
	if (__builtin_cpu_supports("avx"))
		asm volatile(LOAD_AVX LOAD_REST SPIN : : "D" (&spinning) : "memory");
	else
		asm volatile(LOAD_SSE LOAD_REST SPIN : : "D" (&spinning) : "memory");
	__builtin_unreachable();
}

static __attribute__((noinline)) void block_with_registers(void)
{
	static char byte;

	if (__builtin_cpu_supports("avx"))
		asm volatile(LOAD_AVX LOAD_REST READ_PIPE : :
			     "D" (&blocked), "a" (pipe_fds[0]), "c" (&byte) : "memory");
	else
		asm volatile(LOAD_SSE LOAD_REST READ_PIPE : :
			     "D" (&blocked), "a" (pipe_fds[0]), "c" (&byte) : "memory");
	__builtin_unreachable();
}

static __attribute__((noinline)) void spin_in_user_mode(void)
{
	for (;;)
		spins++;
}

static __attribute__((noinline)) void sleep_in_nanosleep(void)
{
	struct timespec ts = { .tv_sec = 100000 };

	for (;;)
		nanosleep(&ts, NULL);
}

static __attribute__((noinline)) void block_in_read(void)
{
	char byte;

	while (read(pipe_fds[0], &byte, 1) == 1)
		;
}

static __attribute__((noinline)) void wait_on_futex(void)
{
	for (;;)
		syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static __attribute__((noinline)) void handle_signal(int sig)
{
	for (;;)
		pause();
}

static __attribute__((noinline)) void raise_signal(void)
{
	signal(SIGUSR1, handle_signal);
	raise(SIGUSR1);
	for (;;)
		pause();
}

static __attribute__((noinline)) void wait_in_main(void)
{
	for (;;)
		pause();
}

static struct thread {
	void (*function)(void);
	char state;		/* as in /proc/PID/stat, once it is there */
	volatile pid_t tid;
} threads[] = {
	{ .function = wait_in_main, .state = 'S' },
	{ .function = spin_in_user_mode, .state = 'R' },
	{ .function = spin_with_registers, .state = 'R' },
	{ .function = block_with_registers, .state = 'S' },
	{ .function = sleep_in_nanosleep, .state = 'S' },
	{ .function = block_in_read, .state = 'S' },
	{ .function = wait_on_futex, .state = 'S' },
	{ .function = raise_signal, .state = 'S' },
};
#define NTHREADS (sizeof(threads) / sizeof(threads[0]))

static void *run(void *arg)
{
	struct thread *self = arg;

	thread_mark = FIRST_MARK + (self - threads);
	self->tid = syscall(SYS_gettid);
	self->function();
	return NULL;
}

static char state_of(pid_t tid)
{
	char path[64], text[512] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	fgets(text, sizeof(text), f);
	fclose(f);
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

/* "Sleeping" twice, some time apart: a thread may sleep on its way too. */
static void wait_until_there(void)
{
	int seen, round;
	size_t i;

	for (round = 0; round < 2; round++)
		for (i = 1; i < NTHREADS; i++)
			for (seen = 0; seen < 3; ) {
				usleep(20000);
				seen = threads[i].tid && state_of(threads[i].tid) ==
					threads[i].state ? seen + 1 : 0;
			}
}

int main(void)
{
	pthread_t thread;
	size_t i;

	thread_mark = FIRST_MARK;
	heap_string = strdup("a string on the heap");
	fill_plant(&spinning, 0x5150000000000000);
	fill_plant(&blocked, 0x6160000000000000);
	if (pipe(pipe_fds))
		return 1;
	for (i = 1; i < NTHREADS; i++)
		if (pthread_create(&thread, NULL, run, &threads[i]))
			return 1;
	wait_until_there();
	puts("ready");
	fflush(stdout);
	wait_in_main();
}
