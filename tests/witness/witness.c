// SPDX-License-Identifier: GPL-2.0
/*
 * witness: does a snapshot's target stand still? A module for tests, which looks
 * at the module that ships through probes on its functions.
 *
 * A process writes "ADDRESS PAGES" of a shared mapping to the parameter "watch".
 * From then on, of each snapshot of it, the checksum of these pages at the moment
 * when all its tasks are parked is held against the one just before they are let
 * go. Nobody but the process itself may write to the pages, and it only by its own
 * instructions; its snapshots come one at a time.
 *
 * The counts are parameters, too. Writing a number to "control" takes as many
 * pairs of checksums while nothing is parked.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/jhash.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "quiesce.h"

#define MAX_PAGES 256

/* Longer pauses are longer chances to escape. */
static unsigned int linger_us = 5000;
module_param(linger_us, uint, 0600);
MODULE_PARM_DESC(linger_us, "by how long each pause is prolonged (default 5000)");

static bool at_park;
module_param(at_park, bool, 0600);
MODULE_PARM_DESC(at_park, "at once when all is parked, and not before the release");

static bool held;
module_param(held, bool, 0400);
MODULE_PARM_DESC(held, "a mmap_lock is, see hold");

static bool softirqs_wait;
module_param(softirqs_wait, bool, 0600);
MODULE_PARM_DESC(softirqs_wait, "meanwhile, ksoftirqd is to run on that CPU, and can't");

static unsigned int equal;
module_param(equal, uint, 0400);
MODULE_PARM_DESC(equal, "snapshots from park to release of which nothing changed");

static unsigned int unequal;
module_param(unequal, uint, 0400);
MODULE_PARM_DESC(unequal, "snapshots during which something changed");

static unsigned int cut_off;
module_param(cut_off, uint, 0400);
MODULE_PARM_DESC(cut_off, "snapshots that did not hold until their release, and are not among these");

static unsigned int changed;
module_param(changed, uint, 0400);
MODULE_PARM_DESC(changed, "snapshots before which something had changed since the one before");

static unsigned int at_large;
module_param(at_large, uint, 0400);
MODULE_PARM_DESC(at_large, "tasks that had run, use the memory and were not parked at a release");

static unsigned int control_unequal;
module_param(control_unequal, uint, 0400);
MODULE_PARM_DESC(control_unequal, "of the pairs taken by control, those that differ");

static struct task_struct *holder;	/* of the mmap_lock of: */
static struct mm_struct *held_mm;	/* with an mm_users reference */

static struct page *page[MAX_PAGES];
static int pages;
static struct mm_struct *watched;	/* with an mm_count reference */

static struct kcs_parkset *parked;
static u32 parked_sum, released_sum;

static u32 checksum(void)
{
	u32 sum = 0;
	int i;

	for (i = 0; i < pages; i++)
		sum = jhash2(page_address(page[i]), PAGE_SIZE / sizeof(u32), sum);
	return sum;
}

static void no_work(unsigned long unused)
{
}

static DECLARE_TASKLET_OLD(no_tasklet, no_work);

static void linger(void)
{
	/* Not in an interrupt, this wakes ksoftirqd; preemption is off. */
	if (softirqs_wait)
		tasklet_schedule(&no_tasklet);
	if (linger_us)
		mdelay(DIV_ROUND_UP(linger_us, 1000));
}

static int acknowledge_called(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kcs_parkset **set = (void *)call->data;

	*set = (void *)regs_get_kernel_argument(regs, 0);
	/* Anything but 0: the return is of no interest. Pairs with watch(). */
	return !smp_load_acquire(&pages) || (*set)->mm != watched;
}

static int acknowledged(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct kcs_parkset **set = (void *)call->data;

	parked = *set;
	parked_sum = checksum();
	changed += parked_sum != released_sum;
	if (at_park)
		linger();
	return 0;
}

static bool is_parked(struct kcs_parkset *set, const struct task_struct *task)
{
	/* Pairs with the one who adds a task. */
	unsigned int used = smp_load_acquire(&set->used), i;

	for (i = 0; i < used; i++)
		if (kcs_parkset_slot(set, i)->task == task)
			return true;
	return false;
}

/* What was never on a CPU may be on its way to being added. */
static unsigned int tasks_at_large(struct kcs_parkset *set)
{
	struct task_struct *group, *task;
	unsigned int count = 0;

	rcu_read_lock();
	for_each_process_thread(group, task) {
		if (READ_ONCE(task->mm) != watched || !task->se.sum_exec_runtime)
			continue;
		if (task->flags & (PF_KTHREAD | PF_EXITING))
			continue;
		count += !is_parked(set, task);
	}
	rcu_read_unlock();
	return count;
}

static int about_to_release(struct kprobe *probe, struct pt_regs *regs)
{
	struct kcs_parkset *set = (void *)regs_get_kernel_argument(regs, 0);

	if (set != parked)
		return 0;
	parked = NULL;
	if (!at_park)
		linger();
	at_large += tasks_at_large(set);
	released_sum = checksum();
	if (!kcs_parkset_holds(set))
		cut_off++;
	else if (released_sum == parked_sum)
		equal++;
	else
		unequal++;
	return 0;
}

static struct kretprobe acknowledge_probe = {
	.kp.symbol_name = "kcs_parkset_acknowledge",
	.entry_handler = acknowledge_called,
	.handler = acknowledged,
	.data_size = sizeof(struct kcs_parkset *),
	.maxactive = 16,
};

static struct kprobe release_probe = {
	.symbol_name = "kcs_parkset_release",
	.pre_handler = about_to_release,
};

static int watch(const char *value, const struct kernel_param *kp)
{
	unsigned long address;
	int nr, got;

	if (sscanf(value, "%lx %d", &address, &nr) != 2 || nr < 1 || nr > MAX_PAGES)
		return -EINVAL;
	if (pages)
		return -EBUSY;
	got = get_user_pages_fast(address, nr, FOLL_WRITE, page);
	if (got != nr) {
		while (got > 0)
			put_page(page[--got]);
		return -EFAULT;
	}
	watched = current->mm;
	mmgrab(watched);
	/* Pairs with acknowledge_called(). */
	smp_store_release(&pages, nr);
	return 0;
}

static int control(const char *value, const struct kernel_param *kp)
{
	unsigned int count;
	int err = kstrtouint(value, 0, &count);

	if (err)
		return err;
	while (count--) {
		u32 before;

		preempt_disable();
		before = checksum();
		linger();
		control_unequal += before != checksum();
		preempt_enable();
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* As a system call that takes long. */
static int hold_thread(void *unused)
{
	mmap_write_lock(held_mm);
	held = true;
	while (!kthread_should_stop())
		msleep(20);
	mmap_write_unlock(held_mm);
	held = false;
	return 0;
}

static void let_go(void)
{
	if (!holder)
		return;
	kthread_stop(holder);
	mmput(held_mm);
	holder = NULL;
}

static int hold(const char *value, const struct kernel_param *kp)
{
	struct task_struct *task;
	int nr, err = kstrtoint(value, 0, &nr);

	if (err)
		return err;
	let_go();
	if (!nr)
		return 0;
	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	held_mm = task ? get_task_mm(task) : NULL;
	if (task)
		put_task_struct(task);
	if (!held_mm)
		return -ESRCH;
	holder = kthread_run(hold_thread, NULL, "witness");
	if (!IS_ERR(holder))
		return 0;
	mmput(held_mm);
	holder = NULL;
	return -ENOMEM;
}

static const struct kernel_param_ops hold_ops = { .set = hold };
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "a process, whose mmap_lock is held from then on; 0: no more");

static const struct kernel_param_ops watch_ops = { .set = watch };
module_param_cb(watch, &watch_ops, NULL, 0200);
MODULE_PARM_DESC(watch, "hexadecimal address and number of pages, of the writing process");

static const struct kernel_param_ops control_ops = { .set = control };
module_param_cb(control, &control_ops, NULL, 0200);
MODULE_PARM_DESC(control, "pairs of checksums to take without a snapshot");

static int __init witness_init(void)
{
	int err = register_kretprobe(&acknowledge_probe);

	if (err)
		return err;
	err = register_kprobe(&release_probe);
	if (err)
		unregister_kretprobe(&acknowledge_probe);
	return err;
}

static void __exit witness_exit(void)
{
	unregister_kprobe(&release_probe);
	unregister_kretprobe(&acknowledge_probe);
	tasklet_kill(&no_tasklet);
	let_go();
	while (pages)
		put_page(page[--pages]);
	if (watched)
		mmdrop(watched);
}

module_init(witness_init);
module_exit(witness_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("checksums a process's memory while kcoresnap has it parked");
