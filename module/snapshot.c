// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/kcoresnap.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "clone.h"
#include "event.h"
#include "quiesce.h"
#include "refusal.h"
#include "request.h"
#include "snapshot.h"
#include "take.h"
#include "target.h"
#include "unmap.h"
#include "watch.h"

LIST_HEAD(kcs_snapshots);
DEFINE_MUTEX(kcs_snapshots_lock);
unsigned int kcs_max_snapshots = 4;

static atomic_t open_snapshots = ATOMIC_INIT(0);
static atomic_t last_id = ATOMIC_INIT(0);

unsigned int kcs_snapshot_count(void)
{
	return atomic_read(&open_snapshots);
}

struct mm_struct *kcs_snapshot_clone(struct kcs_snapshot *snap)
{
	struct mm_struct *mm;

	spin_lock(&snap->lock);
	mm = snap->clone;
	if (mm)
		mmget(mm);
	spin_unlock(&snap->lock);
	return mm;
}

struct mm_struct *kcs_snapshot_mm(struct kcs_snapshot *snap)
{
	if (!kcs_snapshot_is_live(snap))
		return kcs_snapshot_clone(snap);
	return mmget_not_zero(snap->target) ? snap->target : NULL;
}

bool kcs_snapshot_holds(const struct kcs_snapshot *snap)
{
	return snap->set && kcs_parkset_holds(snap->set);
}

void kcs_snapshot_let_go(struct kcs_snapshot *snap)
{
	if (snap->set)
		kcs_parkset_release(snap->set);
}

pid_t kcs_snapshot_ns_pid(const struct kcs_snapshot *snap)
{
	return pid_nr_ns(snap->pid, ns_of_pid(snap->pid));
}

u64 kcs_snapshot_pause_ns(const struct kcs_snapshot *snap)
{
	u64 end;

	if (!snap->set)
		return snap->figures.pause_ns;
	end = READ_ONCE(snap->set->released_ns) ?: ktime_get_ns();
	return end - snap->set->started_ns;
}

bool kcs_snapshot_mark_dropped(struct kcs_snapshot *snap, int err)
{
	if (cmpxchg(&snap->dropped, 0, err))
		return false;
	WRITE_ONCE(snap->dropped_at, jiffies);
	return true;
}

void kcs_snapshot_drop(struct kcs_snapshot *snap, int err)
{
	if (kcs_snapshot_mark_dropped(snap, err))
		kcs_watch_now(snap);
}

static struct mm_struct *take_clone(struct kcs_snapshot *snap)
{
	struct mm_struct *mm;

	spin_lock(&snap->lock);
	mm = snap->clone;
	snap->clone = NULL;
	spin_unlock(&snap->lock);
	return mm;
}

/* A reader may hold on to the clone, and wait for something: so empty it. */
void kcs_snapshot_give_back(struct kcs_snapshot *snap)
{
	struct mm_struct *mm = take_clone(snap);

	kcs_snapshot_let_go(snap);
	if (!mm)
		return;
	kcs_unmap_all(mm, &snap->segs);
	mmput(mm);
}

struct kcs_snapshot *kcs_snapshot_alloc(const struct kcs_target *target,
					const struct kcs_request *req,
					const struct kcs_forecast *forecast)
{
	struct kcs_snapshot *snap = kzalloc(sizeof(*snap), GFP_KERNEL);

	if (!snap)
		return NULL;
	INIT_LIST_HEAD(&snap->node);
	spin_lock_init(&snap->lock);
	mutex_init(&snap->stream_lock);
	kcs_watch_init_snapshot(snap);
	do
		snap->id = atomic_inc_return(&last_id);
	while (!snap->id);
	snap->forecast = *forecast;
	snap->mode = req->mode;
	snap->max_pause_ns = req->max_pause_ns;
	snap->stream = req->stream;
	snap->uid = current_uid();
	snap->pid = get_task_pid(target->leader, PIDTYPE_TGID);
	get_task_comm(snap->comm, target->leader);
	snap->memcg = kcs_room_memcg(target->mm);
	return snap;
}

void kcs_snapshot_free(struct kcs_snapshot *snap)
{
	struct mm_struct *mm = take_clone(snap);

	if (mm)
		mmput(mm);
	if (snap->set) {
		kcs_snapshot_let_go(snap);
		kcs_parkset_put(snap->set);
	}
	if (snap->job) {
		/* The clone's memory goes when thread and child have let go too. */
		kcs_clone_wait(snap->job);
		kcs_clone_put(snap->job);
	}
	if (snap->target)
		mmdrop(snap->target);
	kcs_capture_free(&snap->capture);
	kcs_segments_free(&snap->segs);
	kvfree(snap->elf);
	kvfree(snap->head);
	kcs_file_note_free(&snap->files);
	mem_cgroup_put(snap->memcg);
	put_pid(snap->pid);
	kfree(snap);
}

/* The last one to be asked for is not always the last one to be taken. */
static void publish(struct kcs_snapshot *snap)
{
	struct list_head *at;

	mutex_lock(&kcs_snapshots_lock);
	list_for_each_prev(at, &kcs_snapshots)
		if (list_entry(at, struct kcs_snapshot, node)->id < snap->id)
			break;
	list_add(&snap->node, at);
	mutex_unlock(&kcs_snapshots_lock);
}

static int reserve(struct kcs_refusal *why)
{
	unsigned int max = READ_ONCE(kcs_max_snapshots);

	if (atomic_inc_return(&open_snapshots) <= max)
		return 0;
	atomic_dec(&open_snapshots);
	return kcs_refuse(why, EBUSY,
			  "%u snapshots are open, as many as are allowed: wait until one is closed, cancel one, or raise the module's parameter max_snapshots",
			  max);
}

struct kcs_snapshot *kcs_snapshot_take(const struct kcs_request *req,
				       struct kcs_forecast *forecast,
				       struct kcs_refusal *why)
{
	struct kcs_snapshot *snap;
	struct kcs_target target;
	int err;

	/* First, so that who may not takes no room from those who may. */
	err = kcs_target_get(&target, req, why);
	if (err)
		return ERR_PTR(err);
	err = reserve(why);
	if (err) {
		kcs_target_put(&target);
		return ERR_PTR(err);
	}
	snap = kcs_take(&target, req, forecast, why);
	if (IS_ERR_OR_NULL(snap))
		atomic_dec(&open_snapshots);
	else
		publish(snap);
	return snap;
}

void kcs_snapshot_destroy(struct kcs_snapshot *snap)
{
	mutex_lock(&kcs_snapshots_lock);
	list_del(&snap->node);
	mutex_unlock(&kcs_snapshots_lock);
	kcs_watch_stop(snap);
	kcs_event_closed(snap);
	kcs_snapshot_free(snap);
	atomic_dec(&open_snapshots);
}
