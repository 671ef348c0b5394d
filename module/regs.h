/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of the threads of a park set, read while they can't change.
 *
 * The kernel may still change the registers of a thread that sleeps (a signal
 * frame, sigreturn, execve), so they are read as under a sequence lock whose
 * count is the thread's context switches. A thread that sleeps in our callback
 * needs no such care; nor does the caller itself.
 */
#ifndef _KCS_REGS_H
#define _KCS_REGS_H

#include <linux/elfcore.h>
#include <linux/sched.h>
#include <linux/types.h>

struct kcs_parkset;
struct mm_struct;
struct pid_namespace;
struct user_regset_view;

#define KCS_MAX_REGSETS 8	/* with a core note, NT_PRSTATUS's not counted */

/**
 * struct kcs_regset_note - one regset of one thread
 * @type: NT_*
 * @size: bytes; 0 where it was left out
 * @offset: in the thread's buffer
 */
struct kcs_regset_note {
	u32 type;
	u32 size;
	u32 offset;
};

/**
 * struct kcs_thread - one thread's notes
 * @read: NT_PRSTATUS at least was read
 * @inexact: FP notes left out, or read while the thread ran in the kernel
 * @state: the task state (TASK_RUNNING if parked), for NT_PRPSINFO
 * @tid: in the caller's pid namespace
 * @ns_tid: in its own
 * @name: the thread's
 * @nr: entries of @note
 * @note: the other regsets, in the kernel's order
 * @prstatus: NT_PRSTATUS; of a 32-bit program, its @pr_reg begins with the
 *	registers that i386 has
 */
struct kcs_thread {
	bool read;
	bool inexact;
	unsigned int state;
	pid_t tid;
	pid_t ns_tid;
	char name[TASK_COMM_LEN];
	unsigned int nr;
	struct kcs_regset_note note[KCS_MAX_REGSETS];
	struct elf_prstatus prstatus;
};

/**
 * struct kcs_regs - registers of a thread group
 * @leader: of the group; tasks of others that share its memory have none
 * @mm: its memory, held
 * @view: its regsets
 * @pids: enum kcoresnap_pids: whose are in the notes
 * @max: threads there is room for
 * @count: threads recorded
 * @stride: bytes of buffer a thread
 * @thread: by slot of the park set
 * @data: the buffers
 */
struct kcs_regs {
	struct task_struct *leader;
	struct mm_struct *mm;
	const struct user_regset_view *view;
	u32 pids;
	unsigned int max;
	unsigned int count;
	size_t stride;
	struct kcs_thread *thread;
	void *data;
};

static inline void *kcs_regs_data(const struct kcs_regs *regs, unsigned int i)
{
	return regs->data + i * regs->stride;
}

/**
 * kcs_regs_alloc() - room for every regset that a thread of a group has
 * @regs: its @leader and @mm, which outlive it, @view and @pids are set
 * @max: threads
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_regs_alloc(struct kcs_regs *regs, unsigned int max);
void kcs_regs_free(struct kcs_regs *regs);

/**
 * kcs_regs_pid_ns() - the pid namespace whose pids are in a task's notes
 * @task: of the group
 * @pids: enum kcoresnap_pids
 *
 * Context: the caller's, under rcu_read_lock().
 * Return: the namespace; NULL if @task is gone.
 */
struct pid_namespace *kcs_regs_pid_ns(struct task_struct *task, u32 pids);

/**
 * kcs_regs_read() - read what can be read now
 * @regs: allocated for at least as many threads as @set has slots
 * @set: started
 * @settle: do not wait for threads to park any longer: read runnable ones where
 *	they stand, and of those that are on a CPU, in the kernel, the general
 *	registers only
 *
 * Return: threads still to be read.
 */
unsigned int kcs_regs_read(struct kcs_regs *regs, struct kcs_parkset *set,
			   bool settle);

/**
 * kcs_regs_xsave_layout() - NT_X86_XSAVE_LAYOUT, on kernels whose cores have it
 * @buf: where to, or NULL for the size only
 *
 * An array of struct x86_xfeat_component, arch/x86/kernel/fpu/xstate.c.
 *
 * Return: its size, 0 if there is none.
 */
u32 kcs_regs_xsave_layout(void *buf);

#define KCS_NT_XSAVE_LAYOUT 0x205	/* NT_X86_XSAVE_LAYOUT, where elf.h has it */

#endif
