// SPDX-License-Identifier: GPL-2.0
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "mapped.h"
#include "quiesce.h"
#include "target.h"
#include "users.h"

/* @last: a task whose files were looked at; in the same RCU critical section */
struct look {
	struct kcs_users *users;
	const struct task_struct *last;
};

/*
 * The file systems on a block device send their direct I/O through the block
 * layer, which ends it before the thread sleeps for anything else. Not so FUSE,
 * whose server may take its time while the thread can be interrupted; others are
 * not known.
 */
static bool is_block_io(const struct inode *inode)
{
	return S_ISBLK(inode->i_mode) || kcs_is_on_disk(inode);
}

static int look_at_fd(const void *arg, struct file *file, unsigned int fd)
{
	struct kcs_users *users = ((const struct look *)arg)->users;
	const struct inode *inode = file_inode(file);

	users->fds++;
	if (!(READ_ONCE(file->f_flags) & O_DIRECT) || S_ISFIFO(inode->i_mode))
		return 0;
	if (!is_block_io(inode))
		users->direct = true;
	else if (!kcs_dio_pins_pages())
		users->drains = true;
	return 0;
}

/* Not rt_task(): that is also who was lent a priority, and from v6.12 on without SCHED_DEADLINE. */
static bool is_realtime(const struct task_struct *task)
{
	switch (READ_ONCE(task->policy)) {
	case SCHED_FIFO:
	case SCHED_RR:
	case SCHED_DEADLINE:
		return !(task->flags & PF_IO_WORKER);
	default:
		return false;
	}
}

/* Not by an address kept from before: those of others may have come to it since. */
static bool has_same_files(const struct task_struct *task, const struct task_struct *last)
{
	return last && task->files == READ_ONCE(last->files);
}

static void look_at_thread(struct look *look, struct task_struct *task)
{
	struct kcs_users *users = look->users;

	users->threads++;
	users->realtime |= is_realtime(task);
#ifdef CONFIG_IO_URING
	users->io_uring |= READ_ONCE(task->io_uring) != NULL;
#endif
	task_lock(task);
	if (task->files && !has_same_files(task, look->last)) {
		look->last = task;
		iterate_fd(task->files, 0, look_at_fd, look);
	}
	task_unlock(task);
}

static void look_at_group(struct look *look, struct task_struct *leader)
{
	struct task_struct *task;

	for_each_thread(leader, task)
		look_at_thread(look, task);
}

/*
 * Threads come and go meanwhile. One that comes takes its reference before it
 * is in the list, one that goes drops it after its mm is gone.
 */
bool kcs_users_may_share(const struct kcs_target *target, int ours)
{
	int before = atomic_read_acquire(&target->mm->mm_users);
	struct task_struct *task;
	int known = ours;

	rcu_read_lock();
	for_each_thread(target->leader, task)
		known += READ_ONCE(task->mm) == target->mm;
	rcu_read_unlock();
	/* Who was not seen, or seen without an mm, is out of the second number too. */
	smp_rmb();
	return max(before, atomic_read(&target->mm->mm_users)) > known;
}

void kcs_users_look(const struct kcs_target *target, struct kcs_users *users)
{
	struct look look = { .users = users };
	struct task_struct *group, *task;

	*users = (struct kcs_users) {};
	rcu_read_lock();
	look_at_group(&look, target->leader);
	if (kcs_users_may_share(target, 1))
		for_each_process_thread(group, task)
			if (READ_ONCE(task->mm) == target->mm &&
			    group != target->leader && !(task->flags & PF_KTHREAD))
				look_at_thread(&look, task);
	rcu_read_unlock();
}

void kcs_users_look_parked(const struct kcs_target *target, struct kcs_parkset *set,
			   struct kcs_users *users)
{
	struct look look = { .users = users };
	unsigned int i, used;

	*users = (struct kcs_users) {};
	rcu_read_lock();
	look_at_group(&look, target->leader);
	/* Pairs with add_task(). */
	used = smp_load_acquire(&set->used);
	for (i = 0; i < used; i++) {
		struct task_struct *task = kcs_parkset_slot(set, i)->task;

		if (task->group_leader != target->leader)
			look_at_thread(&look, task);
	}
	rcu_read_unlock();
}
