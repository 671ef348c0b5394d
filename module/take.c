// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kcoresnap.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/regset.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "clone.h"
#include "lookup.h"
#include "mapped.h"
#include "notes.h"
#include "quiesce.h"
#include "refusal.h"
#include "regs.h"
#include "request.h"
#include "seek.h"
#include "snapshot.h"
#include "take.h"
#include "target.h"
#include "users.h"
#include "vma.h"
#include "watch.h"

#define SETTLE_NS		(2 * NSEC_PER_MSEC)	/* for threads to park, after the clone */
#define SPARE_SLOTS		64U

/*
 * What is needed from the request until the core is laid out. In modes without
 * a clone there is no job, and the table is the snapshot's own from the start.
 */
struct taking {
	const struct kcs_request *req;
	struct kcs_refusal *why;
	u32 filter;
	struct kcs_target target;
	struct kcs_snapshot *snap;
	struct kcs_parkset *set;
	struct kcs_clone_job *job;
	struct kcs_regs regs;
	struct kcs_notes notes;
};

static int prepare_clone(struct taking *t)
{
	int err;

	t->job = kcs_clone_create(t->target.mm, t->filter, t->snap->forecast.excluded,
				  t->set);
	if (IS_ERR(t->job)) {
		err = PTR_ERR(t->job);
		t->job = NULL;
		return err == -EINTR ? kcs_refuse_killed(t->why) :
				       kcs_refuse_nomem(t->why);
	}
	if (t->snap->forecast.pins && kcs_pins_alloc(&t->job->pins))
		return kcs_refuse_nomem(t->why);
	return 0;
}

static int prepare(struct taking *t)
{
	unsigned int slots = t->snap->forecast.threads +
			     max(t->snap->forecast.threads / 4, SPARE_SLOTS);

	t->filter = t->req->has_filter ? t->req->filter : kcs_filter_of(t->target.mm);
	t->regs.leader = t->target.leader;
	t->regs.mm = t->target.mm;
	t->regs.view = t->target.view;
	t->regs.pids = t->req->pids;
	t->set = kcs_parkset_create(slots);
	if (!t->set)
		return kcs_refuse_nomem(t->why);
	slots = t->set->nchunks * KCS_PARK_CHUNK;
	if (kcs_regs_alloc(&t->regs, slots))
		return kcs_refuse_nomem(t->why);
	if (!kcs_snapshot_is_live(t->snap))
		return prepare_clone(t);
	if (kcs_segments_alloc(&t->snap->segs, kcs_segments_wanted(t->target.mm)))
		return kcs_refuse_nomem(t->why);
	return 0;
}

static int park_all(struct taking *t)
{
	int err = kcs_parkset_add_group(t->set, t->target.leader);

	/* Ours are the target's reference and, if there is one, the job's. */
	if (!err && kcs_parkset_may_miss(t->set, 1 + !!t->job))
		err = kcs_parkset_add_sharers(t->set);
	if (err)
		return kcs_refuse(t->why, EAGAIN,
				  "process %d creates threads faster than they could be stopped: try again",
				  t->req->pid);
	kcs_parkset_acknowledge(t->set);
	if (kcs_snapshot_is_live(t->snap))
		return 0;
	return kcs_admit_parked(&t->target, t->req, &t->snap->forecast, t->set,
				&t->job->pins, t->why);
}

/* Beside the clone; when that is done, a moment more for those about to park. */
static int read_registers(struct taking *t)
{
	u64 settle_at = 0, now;

	for (;;) {
		now = ktime_get_ns();
		if (!settle_at && (!t->job || completion_done(&t->job->cloned)))
			settle_at = now + SETTLE_NS;
		if (!kcs_regs_read(&t->regs, t->set, settle_at && now >= settle_at))
			return 0;
		if (fatal_signal_pending(current))
			return kcs_refuse_killed(t->why);
		if (!kcs_parkset_holds(t->set))
			return 0;	/* the caller finds out why */
		usleep_range(20, 50);
	}
}

static int refuse_mappings(struct taking *t)
{
	return kcs_refuse(t->why, EAGAIN,
			  "process %d creates mappings faster than they could be recorded: try again",
			  t->req->pid);
}

/* The deadline kills the thread, so this ends, save where it can't be killed. */
static int await_clone(struct taking *t)
{
	long left = wait_for_completion_killable_timeout(&t->job->cloned,
			nsecs_to_jiffies(t->req->max_pause_ns) + 2);

	if (left < 0)
		return kcs_refuse_killed(t->why);
	if (!kcs_parkset_holds(t->set))
		return 0;
	switch (left ? t->job->err : -ETIME) {
	case 0:
		return 0;
	case -ENOSPC:
		return refuse_mappings(t);
	case -ENOMEM:
		return kcs_refuse_nomem(t->why);
	default:
		return kcs_refuse(t->why, EAGAIN,
				  "the address space of process %d could not be cloned (error %d): try again",
				  t->req->pid, t->job->err);
	}
}

/* The table of a target that is not cloned. */
static int record_target(struct taking *t)
{
	struct mm_struct *mm = t->target.mm;
	int err;

	while (!mmap_read_trylock(mm)) {
		if (fatal_signal_pending(current))
			return kcs_refuse_killed(t->why);
		if (!kcs_parkset_holds(t->set))
			return 0;	/* the caller finds out why */
		usleep_range(20, 50);
	}
	err = kcs_segments_record(&t->snap->segs, mm, t->filter, KCS_SRC_LIVE, NULL);
	mmap_read_unlock(mm);
	return err ? refuse_mappings(t) : 0;
}

static int hold_and_record(struct taking *t)
{
	struct kcs_figures *figures = &t->snap->figures;
	u64 quiet;
	int err;

	err = park_all(t);
	if (err)
		return err;
	quiet = ktime_get_ns();
	figures->park_ns = quiet - t->set->started_ns;
	t->snap->taken_ns = ktime_get_boottime_ns();
	t->snap->time_ns = ktime_get_real_ns();
	if (t->job)
		kcs_clone_start(t->job);
	err = read_registers(t);
	figures->regs_ns = ktime_get_ns() - quiet;
	if (!err)
		err = t->job ? await_clone(t) : record_target(t);
	/* Those born meanwhile: they have not run yet. */
	if (!err)
		kcs_regs_read(&t->regs, t->set, true);
	if (!err && kcs_target_is_dying(&t->target))
		err = kcs_refuse(t->why, ESRCH,
				 "process %d was killed or ran out of memory while the snapshot was taken: nothing is left to snapshot",
				 t->req->pid);
	return err;
}

static int check_release(struct taking *t, bool held)
{
	if (t->set->overflow)
		return kcs_refuse(t->why, EAGAIN,
				  "process %d created more threads than there was room for: try again",
				  t->req->pid);
	if (!held)
		return kcs_refuse(t->why, ETIME,
				  "the pause reached its bound of %llu us and was cut off: try again, or allow more with --max-pause",
				  div_u64(t->req->max_pause_ns, NSEC_PER_USEC));
	return 0;
}

static int pause_target(struct taking *t)
{
	struct kcs_figures *figures = &t->snap->figures;
	bool held;
	int err;

	kcs_parkset_start(t->set, t->target.mm, t->job ? t->job->task : NULL,
			  t->req->max_pause_ns);
	err = hold_and_record(t);
	if (!err && t->snap->mode == KCORESNAP_MODE_STOP) {
		/* Held on to, until it was read, closed or the deadline passed. */
		err = check_release(t, !READ_ONCE(t->set->released));
		if (!err)
			return 0;
	}
	held = kcs_parkset_release(t->set);
	figures->pause_ns = t->set->released_ns - t->set->started_ns;
	if (!err)
		err = check_release(t, held);
	if (!err && t->job) {
		figures->clone_ns = t->job->clone_ns;
		kcs_admit_learn(&t->snap->forecast, figures->clone_ns);
	}
	return err;
}

static void count_threads(struct taking *t)
{
	unsigned int i;

	for (i = 0; i < t->regs.count; i++) {
		t->snap->figures.threads += t->regs.thread[i].read;
		t->snap->figures.inexact_threads += t->regs.thread[i].read &&
						    t->regs.thread[i].inexact;
	}
}

static void take_over_job(struct kcs_snapshot *snap, struct kcs_clone_job *job)
{
	snap->job = job;
	snap->clone = job->clone;
	snap->segs = job->segs;
	snap->capture = job->capture;
	job->clone = NULL;
	job->segs = (struct kcs_segments) {};
	job->capture = (struct kcs_capture) {};
}

static void take_over(struct taking *t)
{
	struct kcs_snapshot *snap = t->snap;

	if (t->job)
		take_over_job(snap, t->job);
	t->job = NULL;
	if (snap->mode == KCORESNAP_MODE_STOP) {
		snap->set = t->set;
		t->set = NULL;
	}
	snap->target = t->target.mm;
	mmgrab(snap->target);
	kcs_segments_sort(&snap->segs);
	count_threads(t);
	/* What the target writes from now on costs memory, however long the rest takes. */
	kcs_watch_now(snap);
}

/* Not by a page fault, which may wait for ever where the file's server is gone. */
static u64 resolve_size(struct kcs_segment *seg, struct mm_struct *mm,
			struct kcs_patience *patience)
{
	char magic[SELFMAG];
	size_t len;

	if (seg->size != KCS_SIZE_MAYBE_ELF)
		return seg->size;
	len = kcs_peek(mm, seg->start, magic, SELFMAG, true, patience);
	if (!len && kcs_file_may_be_read(seg->file))
		len = kcs_peek_file(seg->file, magic, SELFMAG);
	seg->size = len == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG) ? PAGE_SIZE : 0;
	return seg->size;
}

static u32 segment_flags(const struct kcs_segment *seg)
{
	return (seg->flags & VM_READ ? PF_R : 0) |
	       (seg->flags & VM_WRITE ? PF_W : 0) |
	       (seg->flags & VM_EXEC ? PF_X : 0);
}

static int lay_out_segments(struct kcs_snapshot *snap, struct mm_struct *mm,
			    struct kcs_patience *patience, struct kcs_refusal *why)
{
	struct kcs_segments *segs = &snap->segs;
	unsigned int i;

	snap->elf = kvmalloc_array(max(segs->nr, 1U), sizeof(*snap->elf), GFP_KERNEL);
	if (!snap->elf)
		return kcs_refuse_nomem(why);
	for (i = 0; i < segs->nr; i++) {
		struct kcs_segment *seg = &segs->table[i];

		if (fatal_signal_pending(current))
			return kcs_refuse_killed(why);
		snap->elf[i] = (struct kcs_elf_segment) {
			.vaddr = seg->start,
			.memsz = seg->end - seg->start,
			.filesz = resolve_size(seg, mm, patience),
			.flags = segment_flags(seg),
		};
		cond_resched();
	}
	return 0;
}

static int refuse_size(struct taking *t)
{
	if (t->target.class == ELFCLASS32)
		return kcs_refuse(t->why, EOPNOTSUPP,
				  "the core would be larger than the 4 GiB that the core of a 32-bit program can be: leave mappings out with --filter");
	return kcs_refuse(t->why, EOPNOTSUPP,
			  "the core would be larger than a file can be: leave mappings out with --filter");
}

static int lay_out(struct taking *t, struct mm_struct *mm)
{
	struct kcs_patience patience = { .left_ns = KCS_PATIENCE_NS };
	struct kcs_snapshot *snap = t->snap;
	int err;

	err = kcs_notes_prepare(&t->notes, mm, kcs_snapshot_is_live(snap),
				&snap->segs, &patience);
	if (err)
		return err == -EINTR ? kcs_refuse_killed(t->why) :
				       kcs_refuse_nomem(t->why);
	err = lay_out_segments(snap, mm, &patience, t->why);
	if (err)
		return err;
	if (!kcs_elf_layout(&snap->layout, t->target.class, snap->elf, snap->segs.nr,
			    kcs_notes_size(&t->notes, &t->regs, mm)))
		return refuse_size(t);
	kcs_watch_laid_out(snap);
	/* 10 000 threads have more notes than one allocation may warn about. */
	snap->head = kvzalloc(snap->layout.data_offset - t->notes.files.names_size,
			      GFP_KERNEL | __GFP_NOWARN);
	if (!snap->head)
		return kcs_refuse_nomem(t->why);
	err = kcs_measure(snap, mm, &patience);
	if (err == -EINTR)
		return kcs_refuse_killed(t->why);
	/* What could not be looked at before is missing. */
	if (err || !patience.left_ns)
		return kcs_refuse_locked(t->req, t->why);
	kcs_notes_taken(&t->notes, snap, t->filter);
	kcs_elf_write_headers(&snap->layout, snap->elf, snap->head, t->target.view->e_machine);
	kcs_elf_write_shdr(&snap->layout, &snap->shdr);
	snap->names_offset = snap->layout.notes_offset +
			     kcs_notes_write(&t->notes, &t->regs, mm,
					     snap->head + snap->layout.notes_offset);
	snap->files = t->notes.files;
	t->notes.files = (struct kcs_file_note) {};
	kcs_segments_put_files(&snap->segs);
	return 0;
}

static int lay_out_core(struct taking *t)
{
	struct mm_struct *mm = kcs_snapshot_mm(t->snap);
	int err;

	if (!mm && READ_ONCE(t->snap->dropped) == ETIME)
		return kcs_refuse(t->why, EAGAIN,
				  "the snapshot of process %d was older than the module's parameter lifetime_s before its core was laid out: raise that, or try again",
				  t->req->pid);
	if (!mm && READ_ONCE(t->snap->dropped))
		return kcs_refuse(t->why, EAGAIN,
				  "memory ran short while the snapshot of process %d was taken, and it was dropped: make room or raise the limit of the target's cgroup",
				  t->req->pid);
	if (!mm)
		return kcs_refuse(t->why, ESRCH,
				  "process %d exited while the snapshot was taken: nothing is left to snapshot",
				  t->req->pid);
	err = lay_out(t, mm);
	mmput_async(mm);
	return err;
}

static void taking_end(struct taking *t)
{
	kcs_notes_free(&t->notes);
	kcs_regs_free(&t->regs);
	if (t->job)
		kcs_clone_abandon(t->job);
	if (t->set)
		kcs_parkset_put(t->set);
}

static int take(struct taking *t)
{
	int err;

	err = prepare(t) ?: pause_target(t);
	if (err)
		return err;
	take_over(t);
	return kcs_notes_init(&t->notes, &t->target, t->req, t->regs.thread[0].state) ?
		kcs_refuse_nomem(t->why) : 0;
}

struct kcs_snapshot *kcs_take(const struct kcs_target *target,
			      const struct kcs_request *req,
			      struct kcs_forecast *forecast,
			      struct kcs_refusal *why)
{
	struct taking t = { .req = req, .why = why, .target = *target };
	int err;

	if (req->mode == KCORESNAP_MODE_STOP && t.target.mm == current->mm)
		err = kcs_refuse(why, EOPNOTSUPP,
				 "process %d asks for itself, and can't stand still while it reads: use --mode cow",
				 req->pid);
	else
		err = kcs_admit(&t.target, req, forecast, why);
	if (err || req->dry_run) {
		kcs_target_put(&t.target);
		return ERR_PTR(err);
	}

	t.snap = kcs_snapshot_alloc(&t.target, req, forecast);
	err = t.snap ? take(&t) : kcs_refuse_nomem(why);
	kcs_target_put(&t.target);
	if (!err)
		err = lay_out_core(&t);
	taking_end(&t);
	if (err && t.snap) {
		kcs_watch_stop(t.snap);
		kcs_snapshot_free(t.snap);
	}
	return err ? ERR_PTR(err) : t.snap;
}
