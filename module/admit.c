// SPDX-License-Identifier: GPL-2.0
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/kcoresnap.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>

#include "admit.h"
#include "capture.h"
#include "refusal.h"
#include "target.h"
#include "vma.h"
#include "watch.h"

/*
 * Costs that a prediction adds up, in ns. They are on the high side of what was
 * measured natively (fork(2): 46 ns a 4K page); what a page costs on this
 * machine is learned from its own clones.
 */
#define COST_BASE_NS		300000	/* worker wake-up, IPI, wake-ups */
#define COST_PAGE_NS		60
#define COST_VMA_NS		1500
#define COST_THREAD_NS		8000
#define COST_COPY_PAGE_NS	1000	/* a page that fork copies, pinned */
#define COST_FD_NS		30

#define LEARN_MIN_PAGES		2048	/* less is noise */

static u64 learned_page_ns = COST_PAGE_NS;

/* Slower is believed at once, faster only slowly. */
void kcs_admit_learn(u64 pages, u64 clone_ns)
{
	u64 known = READ_ONCE(learned_page_ns);
	u64 seen;

	if (pages < LEARN_MIN_PAGES)
		return;
	seen = clone_ns / pages;
	if (seen < known)
		seen = (7 * known + seen) / 8;
	WRITE_ONCE(learned_page_ns, clamp_t(u64, seen, COST_PAGE_NS / 4,
					    COST_COPY_PAGE_NS));
}

/* What the sum of the mappings says. */
struct mapping_sums {
	unsigned int vmas;
	unsigned int trimmed;
	u64 excluded;
	u64 accountable;
	bool userfaultfd;
};

static bool has_userfaultfd(const struct vm_area_struct *vma)
{
#ifdef CONFIG_USERFAULTFD
	return vma->vm_userfaultfd_ctx.ctx;
#else
	return false;
#endif
}

static int sum_mappings(struct mm_struct *mm, struct mapping_sums *sums,
			struct kcs_refusal *why)
{
	struct vm_area_struct *vma;

	if (mmap_read_lock_killable(mm))
		return kcs_refuse_killed(why);
	{
		VMA_ITERATOR(vmi, mm, 0);

		for_each_vma(vmi, vma) {
			u64 size = vma->vm_end - vma->vm_start;

			sums->vmas++;
			sums->userfaultfd |= has_userfaultfd(vma);
			if (vma->vm_flags & KCS_TRIM_FLAGS)
				sums->trimmed++;
			if (kcs_vma_excluded(vma->vm_flags) &&
			    !(vma->vm_flags & VM_DONTDUMP))
				sums->excluded += size;
			if ((vma->vm_flags & VM_ACCOUNT) &&
			    !(vma->vm_flags & VM_DONTCOPY))
				sums->accountable += size;
		}
	}
	mmap_read_unlock(mm);
	return 0;
}

/* What iterate_fd() adds up. */
struct fd_sums {
	unsigned int fds;
	bool direct;
};

/*
 * Where block I/O pins its pages, fork leaves them to the parent, and the file
 * systems on a block device all go that way. Others may still only reference
 * them (NFS and Ceph do).
 */
static int look_at_fd(const void *arg, struct file *file, unsigned int fd)
{
	struct fd_sums *sums = (struct fd_sums *)arg;
	struct inode *inode = file_inode(file);

	sums->fds++;
	if (!(READ_ONCE(file->f_flags) & O_DIRECT) || S_ISFIFO(inode->i_mode))
		return 0;
	if (kcs_dio_pins_pages() &&
	    (S_ISBLK(inode->i_mode) ||
	     (inode->i_sb->s_type->fs_flags & FS_REQUIRES_DEV)))
		return 0;
	sums->direct = true;
	return 1;
}

static void look_at_fds(struct task_struct *leader, struct fd_sums *sums)
{
	struct files_struct *last = NULL;
	struct task_struct *task;

	rcu_read_lock();
	for_each_thread(leader, task) {
		task_lock(task);
		if (task->files && task->files != last) {
			last = task->files;
			iterate_fd(last, 0, look_at_fd, sums);
		}
		task_unlock(task);
	}
	rcu_read_unlock();
}

#ifdef CONFIG_IO_URING
static bool has_io_uring(struct task_struct *leader)
{
	struct task_struct *task;
	bool has = false;

	rcu_read_lock();
	for_each_thread(leader, task)
		has |= READ_ONCE(task->io_uring) != NULL;
	rcu_read_unlock();
	return has;
}
#else
static bool has_io_uring(struct task_struct *leader)
{
	return false;
}
#endif

static bool has_aio(struct mm_struct *mm)
{
#ifdef CONFIG_AIO
	return rcu_access_pointer(mm->ioctx_table);
#else
	return false;
#endif
}

/*
 * Direct I/O by page reference: fork would write-protect the page under the
 * I/O, the target's next write to it would get a copy, and the result of the
 * I/O would go to the old page, which then belongs to the clone alone.
 */
static int check_direct_io(const struct kcs_target *target, struct fd_sums *sums,
			   struct kcs_refusal *why)
{
	look_at_fds(target->leader, sums);
	if (sums->direct)
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process has a file open with O_DIRECT, and a snapshot could divert what it reads: close it, or use gcore");
	if (kcs_dio_pins_pages())
		return 0;
	if (has_aio(target->mm))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process has an AIO context, and on this kernel a snapshot could divert what it reads: use gcore, or a kernel from 6.5 on");
	if (has_io_uring(target->leader))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process uses io_uring, and on this kernel a snapshot could divert what it reads: use gcore, or a kernel from 6.5 on");
	return 0;
}

int kcs_admit_parked(const struct kcs_target *target, struct kcs_refusal *why)
{
	struct fd_sums fds = {};

	return check_direct_io(target, &fds, why);
}

static unsigned int count_threads(struct task_struct *leader, bool *realtime)
{
	struct task_struct *task;
	unsigned int n = 0;

	*realtime = false;
	rcu_read_lock();
	for_each_thread(leader, task) {
		n++;
		*realtime |= rt_task(task) && !(task->flags & PF_IO_WORKER);
	}
	rcu_read_unlock();
	return n;
}

static int check_latency(const struct kcs_target *target,
			 const struct kcs_request *req, bool realtime,
			 struct kcs_refusal *why)
{
	if ((target->mm->def_flags & VM_LOCKED) &&
	    !(req->allow & KCORESNAP_ALLOW_MLOCKED))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process locked all its memory (mlockall) and would take copy-on-write faults: accept that with --allow mlocked");
	if (realtime && !(req->allow & KCORESNAP_ALLOW_REALTIME))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process has a real-time thread, which would take copy-on-write faults: accept that with --allow realtime");
	return 0;
}

static void predict(struct kcs_forecast *forecast, struct mm_struct *mm,
		    const struct mapping_sums *maps, unsigned int fds)
{
	u64 anon = get_mm_counter(mm, MM_ANONPAGES);
	u64 swap = get_mm_counter(mm, MM_SWAPENTS);
	u64 ns = COST_BASE_NS;

	forecast->excluded = maps->excluded;
	/* Table entries of file pages are copied only beside anonymous ones. */
	forecast->pages = anon + swap;
	forecast->growth = (anon + swap) << PAGE_SHIFT;

	ns += forecast->pages * READ_ONCE(learned_page_ns);
	ns += (u64)(maps->vmas + maps->trimmed) * COST_VMA_NS;
	ns += (u64)forecast->threads * COST_THREAD_NS;
	ns += (u64)fds * COST_FD_NS;
	ns += (min_t(u64, maps->excluded, KCS_CAPTURE_LIMIT) >> PAGE_SHIFT) *
	      COST_COPY_PAGE_NS;
	/*
	 * The flag says that some page was pinned once, nothing says which are
	 * now; fork copies each that may be.
	 */
	if (kcs_mm_has_pinned(mm))
		ns += anon * COST_COPY_PAGE_NS;
	forecast->pause_ns = ns;
}

static int check_pause(const struct kcs_forecast *forecast, bool pinned,
		       const struct kcs_request *req, struct kcs_refusal *why)
{
	u64 bound_us = div_u64(req->max_pause_ns, NSEC_PER_USEC);
	u64 pause_us = div_u64(forecast->pause_ns, NSEC_PER_USEC) + 1;

	if (forecast->pause_ns <= req->max_pause_ns)
		return 0;
	return kcs_refuse(why, ETIME,
			  "the pause would be about %llu us%s, beyond the bound of %llu us: accept it with --max-pause %lluus",
			  pause_us, pinned ? ", as memory was pinned for I/O" : "",
			  bound_us, pause_us + pause_us / 2);
}

static int check_room(const struct kcs_target *target,
		      const struct kcs_forecast *forecast, u64 accountable,
		      struct kcs_refusal *why)
{
	struct mem_cgroup *memcg = kcs_room_memcg(target->mm);
	u64 room = kcs_room(memcg);

	mem_cgroup_put(memcg);
	if (forecast->growth > room)
		return kcs_refuse(why, ENOMEM,
				  "memory could grow by %llu MiB while the snapshot is open, and %llu MiB are free for it under the limits of the target's cgroups and the machine: raise them or free memory",
				  forecast->growth >> 20, room >> 20);
	if (!kcs_room_commit(accountable))
		return kcs_refuse(why, ENOMEM,
				  "vm.overcommit_memory is 2 and %llu MiB can't be committed a second time: raise vm.overcommit_ratio or free memory",
				  accountable >> 20);
	return 0;
}

/* Without a clone there is nothing to copy in the pause, and nothing grows. */
static int admit_live(const struct kcs_request *req, struct kcs_forecast *forecast,
		      struct kcs_refusal *why)
{
	forecast->pause_ns = COST_BASE_NS + (u64)forecast->vmas * COST_VMA_NS +
			     (u64)forecast->threads * COST_THREAD_NS;
	return check_pause(forecast, false, req, why);
}

int kcs_admit(const struct kcs_target *target, const struct kcs_request *req,
	      struct kcs_forecast *forecast, struct kcs_refusal *why)
{
	struct mapping_sums maps = {};
	struct fd_sums fds = {};
	bool realtime;
	int err;

	*forecast = (struct kcs_forecast) {};
	if (kcs_target_is_dying(target))
		return kcs_refuse(why, ESRCH,
				  "process %d is exiting or dumping core: nothing is left to snapshot",
				  req->pid);

	forecast->threads = count_threads(target->leader, &realtime);
	err = sum_mappings(target->mm, &maps, why);
	if (err)
		return err;
	forecast->vmas = maps.vmas;
	if (req->mode != KCORESNAP_MODE_COW)
		return admit_live(req, forecast, why);
	if (maps.userfaultfd)
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process handles page faults itself (userfaultfd), which a snapshot would disturb: use gcore");
	err = check_direct_io(target, &fds, why);
	if (err)
		return err;
	predict(forecast, target->mm, &maps, fds.fds);
	err = check_latency(target, req, realtime, why);
	if (err)
		return err;
	err = check_pause(forecast, kcs_mm_has_pinned(target->mm), req, why);
	if (err)
		return err;
	return check_room(target, forecast, maps.accountable, why);
}
