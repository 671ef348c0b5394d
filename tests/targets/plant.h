/* SPDX-License-Identifier: GPL-2.0 */
/* How states puts into its memory and registers what states.h says. */
#ifndef KCS_TESTS_PLANT_H
#define KCS_TESTS_PLANT_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "states.h"

static struct state_witness *const witness = (void *)STATE_WITNESS;
static unsigned int roles;
static int report = -1;		/* where it says that it is ready */
static volatile int wrong;
static struct state_role *subject;	/* of the thread that is in the state */

/*
 * void state_count(struct state_role *role), which does not return; long
 * state_call(struct state_role *role); long state_touch(struct state_role *role),
 * which reads from the first of its arguments. The system call is nanosleep.
 */
#define STATE_STRING(x) STATE_STRING_(x)
#define STATE_STRING_(x) #x
#define PLANT					\
	"	push	%rbx\n"			\
	"	push	%rbp\n"			\
	"	push	%r12\n"			\
	"	push	%r13\n"			\
	"	push	%r14\n"			\
	"	push	%r15\n"			\
	"	mov	%rdi, %r13\n"		\
	"	movabs	$" STATE_STRING(STATE_MAGIC) ", %r12\n" \
	"	mov	%r12, %rbx\n"		\
	"	xor	%r13, %rbx\n"		\
	"	mov	%rbx, %r14\n"		\
	"	not	%r14\n"			\
	"	lea	1(%rbx), %r15\n"	\
	"	movq	$1, (%r13)\n"
#define UPROOT					\
	"	movq	$0, (%r13)\n"		\
	"	xor	%r12d, %r12d\n"		\
	"2:	pop	%r15\n"			\
	"	pop	%r14\n"			\
	"	pop	%r13\n"			\
	"	pop	%r12\n"			\
	"	pop	%rbp\n"			\
	"	pop	%rbx\n"			\
	"	ret\n"

asm("	.text\n"
	"state_count:\n"
	"	mov	%rdi, %r13\n"
	"	mov	8(%r13), %rbx\n"
	"	mov	80(%r13), %r14\n"
	"	movabs	$" STATE_STRING(STATE_MAGIC) ", %r12\n"
	"	movq	$1, (%r13)\n"
	"state_again:\n"
	"	inc	%rbx\n"
	"state_begun:\n"
	"	mov	%rbx, 8(%r13)\n"
	"state_half:\n"
	"	mov	%rbx, (%r14)\n"
	"state_done:\n"
	"	mov	16(%r13), %rdi\n"
	"	test	%rdi, %rdi\n"
	"	jz	state_again\n"
	"	mov	$35, %eax\n"
	"	xor	%esi, %esi\n"
	"	syscall\n"
	"	jmp	state_again\n"
	"state_end:\n"
	"state_call:\n"
	PLANT
	"	mov	24(%r13), %rax\n"
	"	mov	32(%r13), %rdi\n"
	"	mov	40(%r13), %rsi\n"
	"	mov	48(%r13), %rdx\n"
	"	mov	56(%r13), %r10\n"
	"	mov	64(%r13), %r8\n"
	"	mov	72(%r13), %r9\n"
	"	syscall\n"
	"state_called:\n"
	/* The child of clone has another stack, on which is where it goes, and leaves the role. */
	"	cmpq	$" STATE_STRING(56) ", 24(%r13)\n"
	"	jne	1f\n"
	"	test	%rax, %rax\n"
	"	jz	2f\n"
	"1:\n"
	UPROOT
	"state_touch:\n"
	PLANT
	"	mov	32(%r13), %rdi\n"
	"state_touching:\n"
	"	movzbl	(%rdi), %eax\n"
	UPROOT);

void state_count(struct state_role *role) __attribute__((noreturn));
long state_call(struct state_role *role);
long state_touch(struct state_role *role);
extern const char state_again[], state_begun[], state_half[], state_done[], state_end[];
extern const char state_called[], state_touching[];

_Static_assert(SYS_clone == 56 && SYS_nanosleep == 35, "assembly");
_Static_assert(offsetof(struct state_role, before) == 8, "assembly");
_Static_assert(offsetof(struct state_role, nap) == 16, "assembly");
_Static_assert(offsetof(struct state_role, nr) == 24, "assembly");
_Static_assert(offsetof(struct state_role, args) == 32, "assembly");
_Static_assert(offsetof(struct state_role, after) == 80, "assembly");

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))

static void __attribute__((noreturn)) unavailable(const char *what)
{
	dprintf(report, "unavailable %s: %s\n", what, strerror(errno));
	exit(1);
}

static void need(bool good, const char *what)
{
	if (!good)
		unavailable(what);
}

/* There may be no stdio under seccomp. */
static void complain(const char *what)
{
	dprintf(2, "states: %s\n", what);
	wrong = 1;
}

static void *map_at(uint64_t address, size_t size)
{
	void *p = mmap((void *)address, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	need(p != MAP_FAILED, "mmap");
	return p;
}

static void make_witness(void)
{
	unsigned long page, word;

	map_at(STATE_WITNESS, STATE_PAGES * STATE_PAGE);
	map_at(STATE_AFTER, STATE_PAGE);
	for (page = 2; page < STATE_PAGES; page += 2)
		for (word = 0; word < STATE_PAGE / 8; word++)
			((uint64_t *)(STATE_WITNESS + page * STATE_PAGE))[word] =
				state_pattern(page, word);
	*witness = (struct state_witness) {
		.magic = STATE_MAGIC,
		.called = ADDRESS(state_called),
		.touching = ADDRESS(state_touching),
		.again = ADDRESS(state_again),
		.begun = ADDRESS(state_begun),
		.half = ADDRESS(state_half),
		.done = ADDRESS(state_done),
		.end = ADDRESS(state_end),
	};
}

static void check_witness(void)
{
	unsigned char resident[STATE_PAGES];
	unsigned long page, word;

	if (mincore(witness, STATE_PAGES * STATE_PAGE, resident)) {
		complain("mincore failed");
		return;
	}
	for (page = 1; page < STATE_PAGES; page++) {
		const uint64_t *p = (const uint64_t *)(STATE_WITNESS + page * STATE_PAGE);

		if (page % 2 && resident[page]) {
			complain("a hole was filled");
			return;
		}
		for (word = 0; page % 2 == 0 && word < STATE_PAGE / 8; word++)
			if (p[word] != state_pattern(page, word)) {
				complain("memory has changed");
				return;
			}
	}
}

static struct state_role *new_role(int kind)
{
	struct state_role *role = &witness->role[roles];

	role->after = STATE_AFTER + 64 * roles++;
	role->kind = kind;
	role->tgid = getpid();
	return role;
}

static struct state_role *new_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct state_role *role = new_role(STATE_CALLS);

	role->nr = nr;
	role->args[0] = a;
	role->args[1] = b;
	role->args[2] = c;
	role->args[3] = d;
	return role;
}

static void make_call(struct state_role *role)
{
	role->calls++;
	role->result = role->kind == STATE_TOUCHES ? state_touch(role) : state_call(role);
	role->returned++;
}

#define STACK_SIZE (64UL << 10)

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	errno = pthread_create(&thread, &attr, fn, arg);
	need(!errno, "pthread_create");
	return thread;
}

static void *subject_thread(void *arg)
{
	prctl(PR_SET_NAME, "subject");
	make_call(arg);
	for (;;)
		pause();
	return NULL;
}

static void start_subject(struct state_role *role)
{
	start(subject_thread, role);
	while (!role->calls)
		usleep(1000);
}

#endif
