// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/tracepoint.h>
#include <uapi/linux/audit.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "ksym.h"
#include "quiesce.h"

/* Of the deadline's: so that other interrupts come in between. */
#define BETWEEN_CHUNKS_NS (50 * NSEC_PER_USEC)

/* The fork probe runs with preemption off, also where spinlocks sleep. */
static DEFINE_RAW_SPINLOCK(active_lock);
static LIST_HEAD(active_sets);
static struct tracepoint *fork_tracepoint;

static void parkset_free(struct kcs_parkset *set)
{
	unsigned int i;

	for (i = 0; i < set->used; i++)
		put_task_struct(kcs_parkset_slot(set, i)->task);
	for (i = 0; i < set->nchunks; i++)
		kfree(set->chunks[i]);
	kvfree(set->chunks);
	free_cpumask_var(set->cpus);
	kfree(set);
	module_put(THIS_MODULE);
}

void kcs_parkset_put(struct kcs_parkset *set)
{
	if (refcount_dec_and_test(&set->refs))
		parkset_free(set);
}

static void park(struct kcs_park_slot *slot)
{
	struct kcs_park_chunk *chunk = slot->chunk;
	DEFINE_WAIT(wait);

	/*
	 * Killable, and not counted into the load average. wait_event() won't
	 * do: before v5.18 it compares the whole state with TASK_KILLABLE.
	 */
	for (;;) {
		prepare_to_wait(&chunk->wait, &wait,
				TASK_WAKEKILL | TASK_UNINTERRUPTIBLE | TASK_NOLOAD);
		if (READ_ONCE(chunk->set->released) || fatal_signal_pending(current))
			break;
		/* Pairs with kcs_regs_read(). */
		smp_store_release(&slot->state, KCS_PARK_PARKED);
		schedule();
	}
	finish_wait(&chunk->wait, &wait);
}

static void park_work(struct callback_head *work)
{
	struct kcs_park_slot *slot = container_of(work, struct kcs_park_slot, work);
	struct kcs_parkset *set = slot->chunk->set;

	/* exit_task_work() runs works too, when there is no mm any more. */
	if (!(current->flags & PF_EXITING))
		park(slot);
	/* Pairs with kcs_parkset_release(). */
	smp_store_release(&slot->state, KCS_PARK_DONE);
	kcs_parkset_put(set);
}

static struct kcs_park_slot *find_slot(struct kcs_parkset *set,
				       const struct task_struct *task)
{
	struct kcs_park_slot *slot;

	hash_for_each_possible(set->by_task, slot, node, (unsigned long)task)
		if (slot->task == task)
			return slot;
	return NULL;
}

/* Called with @set->lock held. */
static int add_task(struct kcs_parkset *set, struct task_struct *task)
{
	struct kcs_park_slot *slot;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return 0;
	if (set->released || find_slot(set, task))
		return 0;
	if (set->used == set->nchunks * KCS_PARK_CHUNK) {
		set->overflow = true;
		return -ENOSPC;
	}

	slot = kcs_parkset_slot(set, set->used);
	slot->task = get_task_struct(task);
	slot->state = KCS_PARK_DONE;
	if (task != current) {
		init_task_work(&slot->work, park_work);
		slot->state = KCS_PARK_QUEUED;
		refcount_inc(&set->refs);
		if (kcs_task_work_add(task, &slot->work, TWA_RESUME)) {
			/* It is past its last return to user mode. */
			refcount_dec(&set->refs);
			put_task_struct(task);
			return 0;
		}
	}
	hash_add(set->by_task, &slot->node, (unsigned long)task);
	/* A slot is whole before it counts: pairs with those who do not hold the lock. */
	smp_store_release(&set->used, set->used + 1);
	return 0;
}

int kcs_parkset_add_group(struct kcs_parkset *set, struct task_struct *leader)
{
	struct task_struct *task;
	unsigned long flags;
	int err = 0;

	rcu_read_lock();
	for_each_thread(leader, task) {
		raw_spin_lock_irqsave(&set->lock, flags);
		err = add_task(set, task);
		raw_spin_unlock_irqrestore(&set->lock, flags);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

/*
 * Counted after the references are: so one that leaves in between can't stand for
 * one that is missing. Nor can one that is born meanwhile: it is in a slot behind.
 */
bool kcs_parkset_may_miss(struct kcs_parkset *set, int known)
{
	/* Pairs with add_task(). */
	unsigned int used = smp_load_acquire(&set->used), i;
	int users = atomic_read(&set->mm->mm_users);

	/* Pairs with exit_mm(), which clears the pointer, then drops the reference. */
	smp_rmb();
	for (i = 0; i < used; i++)
		users -= READ_ONCE(kcs_parkset_slot(set, i)->task->mm) == set->mm;
	return users > known;
}

int kcs_parkset_add_sharers(struct kcs_parkset *set)
{
	struct task_struct *group, *task;
	unsigned long flags;
	int err = 0;

	rcu_read_lock();
	for_each_process_thread(group, task) {
		if (READ_ONCE(task->mm) != set->mm)
			continue;
		raw_spin_lock_irqsave(&set->lock, flags);
		err = add_task(set, task);
		raw_spin_unlock_irqrestore(&set->lock, flags);
		if (err)
			goto unlock;
	}
unlock:
	rcu_read_unlock();
	return err;
}

static void acknowledge(void *unused)
{
}

/*
 * Two rounds: a CPU that was just switching to a task may not have had its
 * on_cpu visible in the first, but has in the second, which starts after an
 * interrupt round trip.
 */
void kcs_parkset_acknowledge(struct kcs_parkset *set)
{
	unsigned int i, round, used;

	for (round = 0; round < 2; round++) {
		cpumask_clear(set->cpus);
		/* Pairs with add_task(). */
		used = smp_load_acquire(&set->used);
		for (i = 0; i < used; i++) {
			struct kcs_park_slot *slot = kcs_parkset_slot(set, i);

			if (READ_ONCE(slot->state) == KCS_PARK_QUEUED &&
			    READ_ONCE(slot->task->on_cpu))
				cpumask_set_cpu(task_cpu(slot->task), set->cpus);
		}
		preempt_disable();
		smp_call_function_many(set->cpus, acknowledge, NULL, true);
		preempt_enable();
	}
}

/* Return: its number, as one of 64 bits where is_idle_sleep() cares. */
static int syscall_of(struct task_struct *task)
{
	int nr;

	if (!try_get_task_stack(task))
		return -1;
	nr = syscall_get_nr(task, task_pt_regs(task));
	kcs_put_task_stack(task);
	if (syscall_get_arch(task) != AUDIT_ARCH_I386)
		return nr;
	switch (nr) {
	case __NR_ia32_io_submit:
		return __NR_io_submit;
	case __NR_ia32_vfork:
	case __NR_ia32_clone:
	case __NR_ia32_clone3:
		return __NR_clone;
	default:
		return -1;
	}
}

/* Can direct I/O neither be under way in this sleep, nor follow it? */
static bool is_idle_sleep(unsigned int state, int syscall)
{
	switch (syscall) {
	case __NR_io_submit:
		/* It may wait for a pipe, and then submit I/O to a disk. */
		return false;
	case __NR_vfork:
	case __NR_clone:
	case __NR_clone3:
		/* It may wait for a child that is parked. */
		return state & TASK_NORMAL;
	default:
		return state & (TASK_INTERRUPTIBLE | __TASK_STOPPED | __TASK_TRACED);
	}
}

/* Asleep all along: neither about to be nor just woken, nor in another sleep by now. */
static bool is_idle(struct task_struct *task)
{
	unsigned long switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
	bool idle;

	/* A seqlock of sorts, as in regs.c: a sleep between is counted before it is slept. */
	smp_rmb();
	idle = kcs_task_frozen(task) ||
	       is_idle_sleep(kcs_task_state(task), syscall_of(task));
	if (!idle || READ_ONCE(task->on_rq) || READ_ONCE(task->on_cpu))
		return false;
	/* As above. */
	smp_rmb();
	return switches == READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

int kcs_parkset_drain(struct kcs_parkset *set, u64 until)
{
	unsigned int i = 0;

	/* One that was idle once can't start anything before it parks. */
	while (i < smp_load_acquire(&set->used)) {
		struct kcs_park_slot *slot = kcs_parkset_slot(set, i);

		/* Pairs with park(). */
		if (smp_load_acquire(&slot->state) != KCS_PARK_QUEUED ||
		    is_idle(slot->task)) {
			i++;
			continue;
		}
		if (!kcs_parkset_holds(set) || fatal_signal_pending(current))
			return -EINTR;
		if (ktime_get_ns() >= until)
			return -EBUSY;
		usleep_range(50, 100);
	}
	return 0;
}

/* Return: was it this call that let go? The tasks are still to be woken. */
static bool let_go(struct kcs_parkset *set, bool expired)
{
	unsigned long flags;
	bool first;

	raw_spin_lock_irqsave(&set->lock, flags);
	first = !set->released;
	if (first) {
		set->expired = expired;
		/* Pairs with the check between prepare_to_wait() and sleep. */
		WRITE_ONCE(set->released, true);
	}
	raw_spin_unlock_irqrestore(&set->lock, flags);
	return first;
}

static void all_woken(struct kcs_parkset *set)
{
	if (!READ_ONCE(set->released_ns))
		WRITE_ONCE(set->released_ns, ktime_get_ns());
}

/*
 * The requester may itself be waiting for a CPU. A clone that is still under
 * way is of no use any more, and would hold up the target's page faults.
 *
 * In the interrupt (but with PREEMPT_RT), and therefore a chunk at a time: up to
 * v6.1 at least, softirqs wait for ksoftirqd once it is to run
 * (ksoftirqd_running() in kernel/softirq.c), and that may wait for a CPU.
 */
static enum hrtimer_restart deadline_passed(struct hrtimer *timer)
{
	struct kcs_parkset *set = container_of(timer, struct kcs_parkset, deadline);

	/* Who let go before may not have come to wake them. */
	if (!set->woken && let_go(set, true) && set->cloner)
		send_sig(SIGKILL, set->cloner, 1);
	wake_up_all(&set->chunks[set->woken++]->wait);
	if (set->woken * KCS_PARK_CHUNK < set->used) {
		hrtimer_forward_now(timer, ns_to_ktime(BETWEEN_CHUNKS_NS));
		return HRTIMER_RESTART;
	}
	all_woken(set);
	return HRTIMER_NORESTART;
}

struct kcs_parkset *kcs_parkset_create(unsigned int capacity)
{
	struct kcs_parkset *set;
	unsigned int i, j;

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return NULL;
	if (!zalloc_cpumask_var(&set->cpus, GFP_KERNEL))
		goto free_set;

	set->nchunks = DIV_ROUND_UP(capacity, KCS_PARK_CHUNK);
	set->chunks = kvcalloc(set->nchunks, sizeof(*set->chunks), GFP_KERNEL);
	if (!set->chunks)
		goto free_cpus;
	for (i = 0; i < set->nchunks; i++) {
		struct kcs_park_chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

		if (!chunk)
			goto free_chunks;
		chunk->set = set;
		init_waitqueue_head(&chunk->wait);
		for (j = 0; j < KCS_PARK_CHUNK; j++)
			chunk->slot[j].chunk = chunk;
		set->chunks[i] = chunk;
	}

	refcount_set(&set->refs, 1);
	raw_spin_lock_init(&set->lock);
	INIT_LIST_HEAD(&set->active);
	hash_init(set->by_task);
	hrtimer_setup(&set->deadline, deadline_passed, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	__module_get(THIS_MODULE);
	return set;

free_chunks:
	while (i--)
		kfree(set->chunks[i]);
	kvfree(set->chunks);
free_cpus:
	free_cpumask_var(set->cpus);
free_set:
	kfree(set);
	return NULL;
}

void kcs_parkset_start(struct kcs_parkset *set, struct mm_struct *mm,
		       struct task_struct *cloner, u64 pause_ns)
{
	unsigned long flags;

	set->mm = mm;
	set->cloner = cloner;
	set->started_ns = ktime_get_ns();
	hrtimer_start(&set->deadline, ns_to_ktime(pause_ns), HRTIMER_MODE_REL);

	raw_spin_lock_irqsave(&active_lock, flags);
	list_add(&set->active, &active_sets);
	raw_spin_unlock_irqrestore(&active_lock, flags);
}

struct mm_struct *kcs_parkset_take_clone(struct kcs_parkset *set,
					 struct task_struct **task)
{
	struct mm_struct *mm;
	unsigned long flags;

	raw_spin_lock_irqsave(&set->lock, flags);
	mm = set->clone_mm;
	*task = set->clone_task;
	set->clone_mm = NULL;
	set->clone_task = NULL;
	raw_spin_unlock_irqrestore(&set->lock, flags);
	return mm;
}

static bool match_work(struct callback_head *work, void *data)
{
	return work == data;
}

bool kcs_parkset_release(struct kcs_parkset *set)
{
	unsigned long flags;
	unsigned int i;
	bool held;

	held = let_go(set, false);
	for (i = 0; i < set->nchunks; i++)
		wake_up_all(&set->chunks[i]->wait);
	all_woken(set);
	/* Not before: until here, it still has to wake them if this task gets no CPU. */
	hrtimer_cancel(&set->deadline);

	raw_spin_lock_irqsave(&active_lock, flags);
	list_del_init(&set->active);
	raw_spin_unlock_irqrestore(&active_lock, flags);

	for (i = 0; i < set->used; i++) {
		struct kcs_park_slot *slot = kcs_parkset_slot(set, i);

		/* Pairs with park_work(). */
		if (smp_load_acquire(&slot->state) != KCS_PARK_QUEUED ||
		    !kcs_task_work_cancel_match(slot->task, match_work, &slot->work))
			continue;
		slot->state = KCS_PARK_DONE;
		kcs_parkset_put(set);
	}
	return held;
}

/* Before the child can run for the first time. */
static void fork_probe(void *unused, struct task_struct *parent,
		       struct task_struct *child)
{
	struct kcs_parkset *set;
	unsigned long flags;

	if (list_empty(&active_sets))
		return;

	raw_spin_lock_irqsave(&active_lock, flags);
	list_for_each_entry(set, &active_sets, active) {
		if (parent != set->cloner && child->mm != set->mm)
			continue;
		raw_spin_lock(&set->lock);
		if (parent == set->cloner && child->mm && !set->clone_task) {
			set->clone_task = get_task_struct(child);
			mmget(child->mm);
			set->clone_mm = child->mm;
		} else if (child->mm == set->mm) {
			add_task(set, child);
		}
		raw_spin_unlock(&set->lock);
	}
	raw_spin_unlock_irqrestore(&active_lock, flags);
}

static void find_fork_tracepoint(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_process_fork"))
		fork_tracepoint = tp;
}

int kcs_quiesce_init(void)
{
	for_each_kernel_tracepoint(find_fork_tracepoint, NULL);
	if (!fork_tracepoint) {
		pr_err("this kernel has no tracepoint sched_process_fork\n");
		return -ENOENT;
	}
	return tracepoint_probe_register(fork_tracepoint, fork_probe, NULL);
}

void kcs_quiesce_exit(void)
{
	tracepoint_probe_unregister(fork_tracepoint, fork_probe, NULL);
	tracepoint_synchronize_unregister();
}
