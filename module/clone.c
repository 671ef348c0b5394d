// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hugetlb.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mmu_context.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "clone.h"
#include "ksym.h"
#include "quiesce.h"

static void job_free(struct kcs_clone_job *job)
{
	if (job->clone)
		mmput(job->clone);
	kcs_pins_free(&job->pins);
	kcs_capture_free(&job->capture);
	kcs_segments_free(&job->segs);
	put_task_struct(job->task);
	kfree(job);
}

void kcs_clone_put(struct kcs_clone_job *job)
{
	if (refcount_dec_and_test(&job->refs))
		job_free(job);
}

/*
 * An owner that exits is followed by whoever uses the mm, a worker of the watch's
 * included, and that one would stay the owner, dead or alive: so there is none.
 */
static int clone_child(void *unused)
{
#ifdef CONFIG_MEMCG
	WRITE_ONCE(current->mm->owner, NULL);
#endif
	module_put_and_kthread_exit(0);
	return 0;
}

void kcs_clone_wait(struct kcs_clone_job *job)
{
	wait_for_completion(&job->finished);
	/* On its way there the thread has dropped its reference on the module. */
	while (!(READ_ONCE(job->task->flags) & PF_EXITING))
		usleep_range(20, 50);
}

static bool wanted(const struct kcs_clone_job *job)
{
	return !READ_ONCE(job->abandoned) && kcs_parkset_holds(job->set) &&
	       !fatal_signal_pending(current);
}

/*
 * A writer that waits for mmap_lock holds up every page fault behind it. So
 * wait without queueing, until it looks free.
 */
static int wait_for_mmap_lock(struct kcs_clone_job *job)
{
	while (!down_write_trylock(&job->target->mmap_lock)) {
		if (!wanted(job))
			return -EINTR;
		usleep_range(20, 50);
	}
	up_write(&job->target->mmap_lock);
	return 0;
}

/* Interrupted, kernel_clone() says -ENOMEM: copy_mm() swallows the reason. */
static int duplicate(struct kcs_clone_job *job, struct task_struct **child)
{
	struct kernel_clone_args args = {
		/* A sibling under kthreadd, who reaps it without a signal. */
		.flags = CLONE_FS | CLONE_FILES | CLONE_PARENT | CLONE_UNTRACED,
	};
	u64 start = ktime_get_ns();
	pid_t pid;

	kcs_clone_args_kthread(&args, clone_child, NULL);
	/* The child may first run when everything else of ours is gone. */
	__module_get(THIS_MODULE);
	pid = kcs_kernel_clone(&args);
	if (pid < 0)
		module_put(THIS_MODULE);
	kcs_pins_drop(&job->pins);
	job->clone_ns = ktime_get_ns() - start;
	job->clone = kcs_parkset_take_clone(job->set, child);
	if (pid < 0)
		return wanted(job) ? pid : -EINTR;
	return job->clone ? 0 : -EINTR;
}

static int record_excluded_vma(struct kcs_clone_job *job, struct vm_area_struct *vma)
{
	struct kcs_segment *seg = kcs_segments_exclude(&job->segs, vma, job->filter);

	if (!seg)
		return -ENOSPC;
	/* Shared memory that is not copied is read live as any other. */
	if (!seg->size || !kcs_vma_excluded(seg->flags))
		return 0;
	seg->source = KCS_SRC_CAPTURED;
	seg->captured_end = kcs_capture_range(&job->capture, job->target,
					      seg->start, seg->start + seg->size);
	return 0;
}

static int walk_excluded(struct kcs_clone_job *job)
{
	VMA_ITERATOR(vmi, job->target, 0);
	struct vm_area_struct *vma;
	int err;

	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_DONTCOPY) && !kcs_vma_excluded(vma->vm_flags))
			continue;
		err = record_excluded_vma(job, vma);
		if (err)
			return err;
	}
	return 0;
}

/* Before the clone is trimmed. */
static bool anything_excluded(const struct kcs_clone_job *job)
{
	unsigned int i;

	/* What admission has seen may make no difference, if a system call under way unmaps. */
	if (job->capture.max)
		return true;
	/* VM_DONTCOPY mappings are the ones that make the difference. */
	if (job->target->map_count != job->clone->map_count)
		return true;
	for (i = 0; i < job->segs.recorded; i++)
		if (kcs_vma_excluded(job->segs.table[i].flags))
			return true;
	return false;
}

static int record_excluded(struct kcs_clone_job *job)
{
	int err;

	while (!mmap_read_trylock(job->target)) {
		if (!wanted(job))
			return -EINTR;
		usleep_range(20, 50);
	}
	err = walk_excluded(job);
	mmap_read_unlock(job->target);
	return err;
}

/*
 * Where overcommit is strict, a second commitment makes mmap() fail in the
 * target. The clone needs none: it grows by what others write, and is dropped
 * before that runs out.
 */
static int record_clone(struct kcs_clone_job *job)
{
	bool uncommit = kcs_commit_sub(0);
	s64 committed = 0;
	int err;

	mmap_write_lock(job->clone);
	err = kcs_segments_record(&job->segs, job->clone, job->filter, KCS_SRC_CLONE,
				  uncommit ? &committed : NULL);
	mmap_write_unlock(job->clone);
	kcs_commit_sub(committed);
	return err;
}

static bool is_trimmed(const struct kcs_segment *seg)
{
	return seg->flags & KCS_TRIM_FLAGS;
}

/*
 * A shared mapping in the clone shows (shm_nattch, seals, a driver's open
 * count), and a private huge page in it can cost the target a SIGBUS.
 */
static int trim(struct kcs_clone_job *job)
{
	const struct kcs_segment *table = job->segs.table;
	unsigned int i, j;
	int err;

	for (i = 0; i < job->segs.recorded; i = j) {
		j = i + 1;
		if (!is_trimmed(&table[i]))
			continue;
		while (j < job->segs.recorded && is_trimmed(&table[j]) &&
		       table[j].start == table[j - 1].end)
			j++;
		err = vm_munmap(table[i].start, table[j - 1].end - table[i].start);
		if (err)
			return err;
	}
	return 0;
}

/* Nobody knows the VMAs of a clone that is not recorded. They go as a whole later. */
static void trim_huge_pages(struct mm_struct *clone)
{
	struct vm_area_struct *vma;
	unsigned long start, end = 0;

	do {
		mmap_read_lock(clone);
		vma = find_vma(clone, end);
		while (vma && !is_vm_hugetlb_page(vma))
			vma = find_vma(clone, vma->vm_end);
		start = vma ? vma->vm_start : 0;
		end = vma ? vma->vm_end : 0;
		mmap_read_unlock(clone);
	} while (end && !vm_munmap(start, end - start));
}

/*
 * On return the thread has the clone adopted in place of the target. Trimmed
 * before all else: also a system call under way may write to a huge page.
 */
static int take(struct kcs_clone_job *job, struct task_struct **child)
{
	bool excluded;
	int err;

	err = wait_for_mmap_lock(job) ?: duplicate(job, child);
	if (err)
		return err;
	mm_flags_set(MMF_DISABLE_THP_COMPLETELY, job->clone);
	err = wanted(job) ? record_clone(job) : -EINTR;
	excluded = !err && anything_excluded(job);
	kthread_unuse_mm(job->target);
	kthread_use_mm(job->clone);
	if (err)
		trim_huge_pages(job->clone);
	err = err ?: trim(job);
	return err || !excluded ? err : record_excluded(job);
}

/* The child owns a reference to the clone until it has gone through exit_mm(). */
static void await_child(struct task_struct *child)
{
	while (!READ_ONCE(child->exit_state))
		usleep_range(50, 200);
	put_task_struct(child);
}

static int clone_thread(void *arg)
{
	struct kcs_clone_job *job = arg;
	struct task_struct *child = NULL;

	allow_kernel_signal(SIGKILL);
	/* The target waits for it: no time to queue for a CPU. */
	set_user_nice(current, MIN_NICE);
	kthread_use_mm(job->target);
	complete(&job->ready);

	job->err = -EINTR;
	if (!wait_for_completion_killable(&job->go) && !READ_ONCE(job->abandoned))
		job->err = take(job, &child);
	kthread_unuse_mm(current->mm);
	complete_all(&job->cloned);

	mmput_async(job->target);
	if (child)
		await_child(child);
	kcs_parkset_put(job->set);
	complete_all(&job->finished);
	kcs_clone_put(job);
	module_put_and_kthread_exit(0);
	return 0;
}

void kcs_clone_abandon(struct kcs_clone_job *job)
{
	WRITE_ONCE(job->abandoned, true);
	complete(&job->go);
	send_sig(SIGKILL, job->task, 1);
	kcs_clone_put(job);
}

static struct kcs_clone_job *job_alloc(struct mm_struct *target, u64 excluded)
{
	struct kcs_clone_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	if (kcs_segments_alloc(&job->segs, kcs_segments_wanted(target)))
		goto free_job;
	if (kcs_capture_alloc(&job->capture, excluded))
		goto free_segs;
	refcount_set(&job->refs, 2);
	init_completion(&job->ready);
	init_completion(&job->go);
	init_completion(&job->cloned);
	init_completion(&job->finished);
	return job;

free_segs:
	kcs_segments_free(&job->segs);
free_job:
	kfree(job);
	return NULL;
}

struct kcs_clone_job *kcs_clone_create(struct mm_struct *target, u32 filter,
				       u64 excluded, struct kcs_parkset *set)
{
	struct kcs_clone_job *job = job_alloc(target, excluded);
	struct task_struct *task;

	if (!job)
		return ERR_PTR(-ENOMEM);
	job->filter = filter;
	job->target = target;
	job->set = kcs_parkset_get(set);
	task = kthread_create(clone_thread, job, "kcoresnap");
	if (IS_ERR(task)) {
		kcs_parkset_put(set);
		kcs_capture_free(&job->capture);
		kcs_segments_free(&job->segs);
		kfree(job);
		return ERR_CAST(task);
	}
	mmget(target);
	__module_get(THIS_MODULE);
	job->task = get_task_struct(task);
	wake_up_process(task);
	if (wait_for_completion_killable(&job->ready)) {
		kcs_clone_abandon(job);
		return ERR_PTR(-EINTR);
	}
	return job;
}

void kcs_clone_start(struct kcs_clone_job *job)
{
	complete(&job->go);
}
