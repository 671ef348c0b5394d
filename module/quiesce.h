/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping a set of tasks out of user mode.
 *
 * A park set queues one task_work per task with TWA_RESUME: a running task is
 * interrupted and sleeps on its way back to user mode, a sleeping one is left
 * asleep and would park when it wakes by itself. While a set is active, a probe
 * on sched_process_fork adds the children that its tasks create before these
 * run for the first time.
 *
 * Lifetime: the set is freed by the last of its owner and its queued works,
 * never by a timeout: a work that task_work_run() has detached already can't be
 * cancelled and may run at any later time.
 */
#ifndef _KCS_QUIESCE_H
#define _KCS_QUIESCE_H

#include <linux/cpumask.h>
#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/wait.h>

struct kcs_parkset;
struct kcs_park_chunk;

enum kcs_park_state {
	KCS_PARK_QUEUED,	/* may be asleep, or on its way to the callback */
	KCS_PARK_PARKED,	/* sleeps in the callback */
	KCS_PARK_DONE,		/* the callback ran to its end, or was cancelled */
};

/**
 * struct kcs_park_slot - one task of a set
 * @work: queued on @task
 * @chunk: the chunk it is part of
 * @task: with a reference
 * @node: in the set's hash
 * @state: enum kcs_park_state; stored with release by the task itself
 */
struct kcs_park_slot {
	struct callback_head work;
	struct kcs_park_chunk *chunk;
	struct task_struct *task;
	struct hlist_node node;
	int state;
};

#define KCS_PARK_CHUNK 64	/* slots: bounds the wake-ups with interrupts off */

struct kcs_park_chunk {
	struct kcs_parkset *set;
	wait_queue_head_t wait;
	struct kcs_park_slot slot[KCS_PARK_CHUNK];
};

/**
 * struct kcs_parkset - a set of tasks and their deadline
 * @refs: owner and queued works
 * @lock: @used, @mm, @by_task, @released, @expired, @overflow, and @cloner to
 *	@clone_mm; taken by the fork probe, so never for long
 * @active: in the list the fork probe walks
 * @mm: children that use it are added; NULL before the set is started
 * @chunks: all slots, allocated before the pause
 * @nchunks: how many
 * @used: slots in use; those below never move
 * @by_task: slots by task
 * @released: let go; no task parks from here on
 * @expired: it was the deadline that let them go
 * @overflow: a child came and no slot was left: the set does not hold every task
 * @deadline: lets go at the latest moment allowed
 * @woken: chunks whose tasks the deadline has woken
 * @started_ns: when the first work was queued (ktime)
 * @released_ns: when every parked task had been woken (ktime)
 * @cpus: scratch for kcs_parkset_acknowledge()
 * @cloner: the kernel thread whose next child is the clone, or NULL; killed at
 *	the deadline
 * @clone_task: that child, with a reference
 * @clone_mm: its address space, with an mm_users reference
 */
struct kcs_parkset {
	refcount_t refs;
	raw_spinlock_t lock;
	struct list_head active;
	struct mm_struct *mm;
	struct kcs_park_chunk **chunks;
	unsigned int nchunks;
	unsigned int used;
	DECLARE_HASHTABLE(by_task, 10);
	bool released;
	bool expired;
	bool overflow;
	struct hrtimer deadline;
	unsigned int woken;
	u64 started_ns;
	u64 released_ns;
	cpumask_var_t cpus;
	struct task_struct *cloner;
	struct task_struct *clone_task;
	struct mm_struct *clone_mm;
};

/**
 * kcs_parkset_create() - allocate a set
 * @capacity: tasks it must be able to hold, children that are born meanwhile
 *	included
 *
 * Takes a reference on the module that the set's end drops.
 *
 * Return: the set, or NULL.
 */
struct kcs_parkset *kcs_parkset_create(unsigned int capacity);

/**
 * kcs_parkset_put() - drop a reference
 * @set: released, or never started
 */
void kcs_parkset_put(struct kcs_parkset *set);

static inline struct kcs_parkset *kcs_parkset_get(struct kcs_parkset *set)
{
	refcount_inc(&set->refs);
	return set;
}

/**
 * kcs_parkset_start() - begin the pause
 * @set: not started yet
 * @mm: children that use it belong to the set
 * @cloner: a kernel thread, whose next child's task and mm are recorded, or NULL
 * @pause_ns: the deadline, from now
 */
void kcs_parkset_start(struct kcs_parkset *set, struct mm_struct *mm,
		       struct task_struct *cloner, u64 pause_ns);

/**
 * kcs_parkset_add_group() - queue works on a thread group
 * @set: started
 * @leader: any of its tasks
 *
 * The caller itself is in the set but not queued: it is in the kernel already.
 *
 * Return: 0, or -ENOSPC.
 */
int kcs_parkset_add_group(struct kcs_parkset *set, struct task_struct *leader);

/**
 * kcs_parkset_may_miss() - may a task that is not in the set use its mm?
 * @set: started
 * @known: mm_users references that are not a task's
 *
 * Every other reference is such a task, or somebody in /proc.
 */
bool kcs_parkset_may_miss(struct kcs_parkset *set, int known);

/**
 * kcs_parkset_add_sharers() - queue works on every user task of the set's mm,
 *	in whatever thread group
 * @set: started
 *
 * Walks all tasks of the machine. Return: as above.
 */
int kcs_parkset_add_sharers(struct kcs_parkset *set);

/**
 * kcs_parkset_acknowledge() - wait until no task of the set can run user code
 * @set: every task queued
 *
 * Interrupts the CPUs that run one of them, and waits for these: the interrupt
 * came from user mode, then the task parks, or from the kernel, then it will
 * park before it leaves. On return the memory is quiet, except for what the
 * kernel itself writes for system calls under way.
 */
void kcs_parkset_acknowledge(struct kcs_parkset *set);

/**
 * kcs_parkset_drain() - wait until no task of the set may be in the middle of
 *	direct I/O
 * @set: acknowledged
 * @until: when to give up (ktime)
 *
 * That is until each is parked, or asleep so that it could be interrupted, is
 * stopped or frozen. Block I/O waits uninterruptibly, and as it may submit in
 * pieces, a task that does so may take references to further pages.
 *
 * Return: 0; -EBUSY if @until has passed, -EINTR if the caller was killed or
 * the set let go.
 */
int kcs_parkset_drain(struct kcs_parkset *set, u64 until);

/**
 * kcs_parkset_release() - let every task go and end the pause
 * @set: started
 *
 * Cancels works that have not run. May be called again, from several contexts.
 *
 * Return: true if the set still held when this was called, false if the
 * deadline or another call let go before.
 */
bool kcs_parkset_release(struct kcs_parkset *set);

/**
 * kcs_parkset_take_clone() - take over what the fork probe recorded
 * @set: started
 * @task: set to the clone's task, with a reference
 *
 * Return: its address space with an mm_users reference, or NULL.
 */
struct mm_struct *kcs_parkset_take_clone(struct kcs_parkset *set,
					 struct task_struct **task);

/**
 * kcs_parkset_holds() - is every task still kept out of user mode?
 * @set: started
 */
static inline bool kcs_parkset_holds(const struct kcs_parkset *set)
{
	return !READ_ONCE(set->released) && !READ_ONCE(set->overflow);
}

static inline struct kcs_park_slot *kcs_parkset_slot(struct kcs_parkset *set,
						     unsigned int i)
{
	return &set->chunks[i / KCS_PARK_CHUNK]->slot[i % KCS_PARK_CHUNK];
}

/**
 * kcs_quiesce_init() - attach the fork probe
 *
 * Return: 0, or -ENOENT with a line in the log.
 */
int kcs_quiesce_init(void);
void kcs_quiesce_exit(void);

#endif
