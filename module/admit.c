// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/kcoresnap.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>

#include "admit.h"
#include "capture.h"
#include "ksym.h"
#include "pin.h"
#include "quiesce.h"
#include "refusal.h"
#include "request.h"
#include "target.h"
#include "users.h"
#include "vma.h"
#include "walk.h"
#include "watch.h"

/*
 * Costs that a prediction adds up, in ns. They are on the high side of what was
 * measured natively (fork(2): 46 ns a 4K page); what a page and a mapping cost on
 * this machine is learned from its own clones.
 */
#define COST_BASE_NS		300000	/* worker wake-up, IPI, wake-ups */
#define COST_PAGE_NS		60
#define COST_VMA_NS		1500
#define COST_VMA_MAX_NS		100000
#define COST_THREAD_NS		8000
#define COST_COPY_PAGE_NS	1000	/* a page that fork copies, pinned */
#define COST_SCAN_PAGE_NS	60	/* its references are counted */
#define COST_FD_NS		30
#define COST_DRAIN_NS		1000000	/* direct I/O under way on a good disk */

#define LEARN_MIN_PAGES		2048	/* less is noise */
#define LEARN_MIN_VMAS		1024

static u64 learned_page_ns = COST_PAGE_NS;
static u64 learned_vma_ns = COST_VMA_NS;

/* Slower is believed at once, faster only slowly. */
static void learn(u64 *cost, u64 seen, u64 least, u64 most)
{
	u64 known = READ_ONCE(*cost);

	if (seen < known)
		seen = (7 * known + seen) / 8;
	WRITE_ONCE(*cost, clamp(seen, least, most));
}

static u64 per(u64 ns, u64 others_ns, u64 count)
{
	return (ns - min(ns, others_ns)) / count;
}

/* Of what the clone had most of; copies are another matter. */
void kcs_admit_learn(const struct kcs_forecast *forecast, u64 clone_ns)
{
	u64 pages = forecast->pages, vmas = forecast->vmas;

	if (forecast->copies || forecast->pins)
		return;
	if (pages >= LEARN_MIN_PAGES && pages * COST_PAGE_NS >= 4 * vmas * COST_VMA_NS)
		learn(&learned_page_ns,
		      per(clone_ns, vmas * READ_ONCE(learned_vma_ns), pages),
		      COST_PAGE_NS / 4, COST_COPY_PAGE_NS);
	else if (vmas >= LEARN_MIN_VMAS && vmas * COST_VMA_NS >= 4 * pages * COST_PAGE_NS)
		learn(&learned_vma_ns,
		      per(clone_ns, pages * READ_ONCE(learned_page_ns), vmas),
		      COST_VMA_NS / 4, COST_VMA_MAX_NS);
}

/* What the sum of the mappings says. */
struct mapping_sums {
	unsigned int vmas;
	unsigned int trimmed;
	u64 excluded;
	u64 hugetlb;
	u64 accountable;
	u64 largest;		/* of these */
	u64 undumped;
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

static int sum_mappings(const struct kcs_target *target, const struct kcs_request *req,
			struct mapping_sums *sums, struct kcs_refusal *why)
{
	int err = kcs_target_lock_mm(target, req, why);
	struct mm_struct *mm = target->mm;
	struct vm_area_struct *vma;

	if (err)
		return err;
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
			if (is_vm_hugetlb_page(vma) &&
			    !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_DONTCOPY)))
				sums->hugetlb += size;
			if ((vma->vm_flags & VM_ACCOUNT) &&
			    !(vma->vm_flags & VM_DONTCOPY)) {
				sums->accountable += size;
				sums->largest = max(sums->largest, size);
			}
			if (vma->vm_flags & VM_DONTDUMP)
				sums->undumped += size;
		}
	}
	mmap_read_unlock(mm);
	return 0;
}

static bool has_aio(const struct mm_struct *mm)
{
#ifdef CONFIG_AIO
	return rcu_access_pointer(mm->ioctx_table);
#else
	return false;
#endif
}

/* AIO that holds references to pages, for as long as it takes. */
static bool has_stray_aio(const struct mm_struct *mm)
{
	return has_aio(mm) && !kcs_dio_pins_pages();
}

static int refuse_clone(struct kcs_refusal *why, const char *what)
{
	return kcs_refuse(why, EOPNOTSUPP,
			  "%s: use --mode stop with a --max-pause that suits", what);
}

/*
 * Direct I/O by page reference: see pin.h. What nothing tells of stays a risk:
 * a file that was closed while I/O is under way, SG_IO, and drivers that take
 * references of their own.
 */
static int check_direct_io(const struct kcs_target *target,
			   const struct kcs_users *users, struct kcs_refusal *why)
{
	if (users->direct)
		return refuse_clone(why,
				    "the process has a file open with O_DIRECT that is not on a local disk, and a copy-on-write snapshot could divert what it reads");
	if (kcs_dio_pins_pages())
		return 0;
	if (users->io_uring)
		return refuse_clone(why,
				    "the process uses io_uring, and on a kernel before 6.5 a copy-on-write snapshot could divert what it reads");
	if (has_aio(target->mm) && !kcs_can_pin_page())
		return refuse_clone(why,
				    "the process has an AIO context, and on this kernel a copy-on-write snapshot could divert what it reads");
	return 0;
}

/* What is under I/O may then be in the swap cache alone. */
static int check_swapped(const struct kcs_target *target, struct kcs_refusal *why)
{
	u64 swapped = get_mm_counter(target->mm, MM_SWAPENTS);

	if (!swapped || !has_stray_aio(target->mm))
		return 0;
	return kcs_refuse(why, EOPNOTSUPP,
			  "the process has an AIO context and %llu KiB swapped out, which on a kernel before 6.5 may be under I/O: swap it in, or use --mode stop with --max-pause",
			  swapped << (PAGE_SHIFT - 10));
}

static int check_latency(const struct kcs_target *target,
			 const struct kcs_request *req,
			 const struct kcs_users *users, struct kcs_refusal *why)
{
	if ((target->mm->def_flags & VM_LOCKED) &&
	    !(req->allow & KCORESNAP_ALLOW_MLOCKED))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process locked all its memory (mlockall) and would take copy-on-write faults: accept that with --allow mlocked, or use --mode stop");
	if (users->realtime && !(req->allow & KCORESNAP_ALLOW_REALTIME))
		return kcs_refuse(why, EOPNOTSUPP,
				  "the process has a real-time thread, which would take copy-on-write faults: accept that with --allow realtime, or use --mode stop");
	return 0;
}

static u64 drain_limit(const struct kcs_request *req,
		       const struct kcs_forecast *forecast)
{
	u64 rest = forecast->pause_ns - forecast->drain_ns;

	return min(req->max_pause_ns - min(rest, req->max_pause_ns),
		   req->max_pause_ns / 2);
}

int kcs_admit_parked(const struct kcs_target *target, const struct kcs_request *req,
		     const struct kcs_forecast *forecast, struct kcs_parkset *set,
		     struct kcs_pins *pins, struct kcs_refusal *why)
{
	u64 until = set->started_ns + drain_limit(req, forecast);
	struct kcs_users users;
	int err;

	kcs_users_look_parked(target, set, &users);
	err = check_direct_io(target, &users, why) ?:
	      check_latency(target, req, &users, why);
	if (err)
		return err;
	if (has_stray_aio(target->mm) && !forecast->pins)
		return kcs_refuse(why, EAGAIN,
				  "process %d has just begun to use AIO: try again", req->pid);
	if (users.drains || forecast->pins)
		err = kcs_parkset_drain(set, until);
	if (!err && forecast->pins)
		err = kcs_pins_take(pins, set, until);
	switch (err) {
	case 0:
		return 0;
	case -EINTR:
		return fatal_signal_pending(current) ? kcs_refuse_killed(why) : 0;
	case -ENOSPC:
		return refuse_clone(why,
				    "more of the process's memory may be under direct I/O than can be copied");
	default:
		return kcs_refuse(why, EAGAIN,
				  "direct I/O of process %d was under way for longer than could be waited for within the bound of %llu us: try again, or allow more with --max-pause",
				  req->pid, div_u64(req->max_pause_ns, NSEC_PER_USEC));
	}
}

struct copy_walk {
	struct kcs_walk walk;
	struct kcs_stray memo;
	bool strays;
	u64 copies;
};

static int count_copies(struct kcs_walk *walk, struct page *page, unsigned int nr,
			bool writable)
{
	struct copy_walk *copy = container_of(walk, struct copy_walk, walk);

	if (kcs_fork_copies(page) ||
	    (copy->strays && kcs_stray_page(&copy->memo, page, writable || nr > 1)))
		copy->copies += nr;
	return 0;
}

/*
 * That some page was pinned once is remembered for good, and which ones are now
 * only their reference counts tell.
 */
static int find_copies(const struct kcs_target *target, const struct kcs_request *req,
		       const struct mapping_sums *maps, struct kcs_forecast *forecast,
		       struct kcs_refusal *why)
{
	struct mm_struct *mm = target->mm;
	struct copy_walk copy = {
		.walk = { .mm = mm, .visit = count_copies },
		.strays = forecast->pins,
	};
	int more = kcs_mm_has_pinned(mm) || forecast->pins, err;

	while (more) {
		err = kcs_target_lock_mm(target, req, why);
		if (err)
			return err;
		more = kcs_walk_some(&copy.walk);
		mmap_read_unlock(mm);
		cond_resched();
	}
	forecast->copies = copy.copies;
	if (kcs_mm_has_pinned(mm))
		forecast->copies += maps->hugetlb >> PAGE_SHIFT;
	return 0;
}

static void predict(struct kcs_forecast *forecast, struct mm_struct *mm,
		    const struct mapping_sums *maps, const struct kcs_users *users)
{
	u64 anon = get_mm_counter(mm, MM_ANONPAGES);
	u64 swap = get_mm_counter(mm, MM_SWAPENTS);
	u64 ns = COST_BASE_NS;

	forecast->excluded = maps->excluded;
	/* Table entries of file pages are copied only beside anonymous ones. */
	forecast->pages = anon + swap;
	forecast->growth = (anon + swap) << PAGE_SHIFT;
	if (users->drains || forecast->pins)
		forecast->drain_ns = COST_DRAIN_NS;

	ns += forecast->drain_ns;
	ns += forecast->pages * READ_ONCE(learned_page_ns);
	ns += forecast->copies * COST_COPY_PAGE_NS;
	ns += forecast->pins ? anon * COST_SCAN_PAGE_NS : 0;
	ns += (u64)(maps->vmas + maps->trimmed) * READ_ONCE(learned_vma_ns);
	ns += (u64)forecast->threads * COST_THREAD_NS;
	ns += (u64)users->fds * COST_FD_NS;
	ns += (min_t(u64, maps->excluded, KCS_CAPTURE_LIMIT) >> PAGE_SHIFT) *
	      COST_COPY_PAGE_NS;
	forecast->pause_ns = ns;
}

static int check_pause(const struct kcs_forecast *forecast,
		       const struct kcs_request *req, struct kcs_refusal *why)
{
	u64 bound_us = div_u64(req->max_pause_ns, NSEC_PER_USEC);
	u64 pause_us = div_u64(forecast->pause_ns, NSEC_PER_USEC) + 1;

	if (forecast->pause_ns <= req->max_pause_ns)
		return 0;
	return kcs_refuse(why, ETIME,
			  "the pause would be about %llu us%s, beyond the bound of %llu us: accept it with --max-pause %lluus",
			  pause_us,
			  forecast->copies ? ", as memory is pinned for I/O" : "",
			  bound_us, pause_us + pause_us / 2);
}

static int check_room(const struct kcs_target *target,
		      const struct kcs_forecast *forecast,
		      const struct mapping_sums *maps, struct kcs_refusal *why)
{
	struct mem_cgroup *memcg = kcs_room_memcg(target->mm);
	u64 room = kcs_room(memcg);

	mem_cgroup_put(memcg);
	if (forecast->growth > room)
		return kcs_refuse(why, ENOMEM,
				  "memory could grow by %llu MiB while the snapshot is open, and %llu MiB are free for it under the limits of the target's cgroups and the machine: raise them or free memory",
				  forecast->growth >> 20, room >> 20);
	if (!kcs_room_commit(maps->accountable))
		return kcs_refuse(why, ENOMEM,
				  "vm.overcommit_memory is 2 and %llu MiB can't be committed a second time: raise vm.overcommit_ratio or free memory",
				  maps->accountable >> 20);
	/* As many small ones become: stacks, since glibc 2.42. */
	if (maps->largest >> PAGE_SHIFT > kcs_commit_most())
		return kcs_refuse(why, ENOMEM,
				  "a mapping of %llu MiB is larger than memory and swap together, and with vm.overcommit_memory at 0 no such process can be forked: set it to 1, or use --mode stop with a --max-pause that suits",
				  maps->largest >> 20);
	return 0;
}

/* Of mappings that are not dumped all could be in use. */
static u64 least_data(const struct kcs_target *target, const struct kcs_request *req,
		      const struct mapping_sums *maps)
{
	u32 filter = req->has_filter ? req->filter : kcs_filter_of(target->mm);
	u64 bytes = (u64)(get_mm_counter(target->mm, MM_ANONPAGES) +
			  get_mm_counter(target->mm, MM_SWAPENTS)) << PAGE_SHIFT;

	return kcs_filter_has_anon(filter) ? bytes - min(bytes, maps->undumped) : 0;
}

/* Without a clone there is nothing to copy in the pause, and nothing grows. */
static int admit_live(const struct kcs_request *req, struct kcs_forecast *forecast,
		      struct kcs_refusal *why)
{
	forecast->pause_ns = COST_BASE_NS + (u64)forecast->vmas * COST_VMA_NS +
			     (u64)forecast->threads * COST_THREAD_NS;
	return check_pause(forecast, req, why);
}

/* What only a clone can do harm to, or costs. */
static int admit_clone(const struct kcs_target *target, const struct kcs_request *req,
		       const struct kcs_users *users, const struct mapping_sums *maps,
		       struct kcs_forecast *forecast, struct kcs_refusal *why)
{
	int err;

	if (maps->userfaultfd)
		return refuse_clone(why,
				    "the process handles page faults itself (userfaultfd), which a copy-on-write snapshot would disturb");
	err = check_direct_io(target, users, why) ?: check_swapped(target, why);
	if (err)
		return err;
	forecast->pins = has_stray_aio(target->mm);
	err = find_copies(target, req, maps, forecast, why);
	if (err)
		return err;
	predict(forecast, target->mm, maps, users);
	return check_latency(target, req, users, why) ?:
	       check_pause(forecast, req, why) ?:
	       check_room(target, forecast, maps, why);
}

int kcs_admit(const struct kcs_target *target, const struct kcs_request *req,
	      struct kcs_forecast *forecast, struct kcs_refusal *why)
{
	struct mapping_sums maps = {};
	struct kcs_users users;
	int err;

	*forecast = (struct kcs_forecast) {};
	if (kcs_target_is_dying(target))
		return kcs_refuse(why, ESRCH,
				  "process %d is exiting or dumping core: nothing is left to snapshot",
				  req->pid);
	kcs_users_look(target, &users);
	forecast->threads = users.threads;
	err = sum_mappings(target, req, &maps, why);
	if (err)
		return err;
	forecast->vmas = maps.vmas;
	forecast->data = least_data(target, req, &maps);
	if (req->mode != KCORESNAP_MODE_COW)
		return admit_live(req, forecast, why);
	return admit_clone(target, req, &users, &maps, forecast, why);
}
