// SPDX-License-Identifier: GPL-2.0
#include <linux/cgroup.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/page_counter.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "ksym.h"
#include "snapshot.h"
#include "unmap.h"
#include "watch.h"

#define WATCH_INTERVAL_MS 8
#define GIVE_BACK_MAX HZ	/* for which who is out of memory waits */

unsigned int kcs_lifetime_s = 3600;

static struct workqueue_struct *watch_wq;

static u64 margin(u64 limit)
{
	return min_t(u64, max_t(u64, limit / 50, SZ_32M), limit / 5);
}

static u64 room_under(u64 limit, u64 used)
{
	u64 usable = limit - margin(limit);

	return used < usable ? usable - used : 0;
}

#ifdef CONFIG_MEMCG
struct mem_cgroup *kcs_room_memcg(struct mm_struct *mm)
{
	return get_mem_cgroup_from_mm(mm);
}

/*
 * A cgroup that has been up for a while is full of page cache. Only its own
 * counts, not that of its siblings, which an ancestor could reclaim too.
 */
static u64 reclaimable(struct mem_cgroup *memcg)
{
	unsigned long pages = 0;
	int nid, zid;

	for_each_online_node(nid) {
		struct mem_cgroup_per_node *node = memcg->nodeinfo[nid];

		for (zid = 0; zid < MAX_NR_ZONES; zid++)
			pages += READ_ONCE(node->lru_zone_size[zid][LRU_INACTIVE_FILE]);
	}
	return (u64)pages << PAGE_SHIFT;
}

static u64 room_of(struct page_counter *counter, unsigned long limit, u64 cache)
{
	u64 used = (u64)page_counter_read(counter) << PAGE_SHIFT;

	if (limit >= PAGE_COUNTER_MAX)
		return U64_MAX;
	return room_under((u64)limit << PAGE_SHIFT, used - min(used, cache));
}

static u64 room_in_cgroups(struct mem_cgroup *memcg)
{
	u64 cache = memcg ? reclaimable(memcg) : 0;
	u64 room = U64_MAX;

	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long limit = min(READ_ONCE(memcg->memory.max),
					  READ_ONCE(memcg->memory.high));

		room = min(room, room_of(&memcg->memory, limit, cache));
		/* Version 1 also limits memory and swap together. */
		if (!cgroup_subsys_on_dfl(memory_cgrp_subsys))
			room = min(room, room_of(&memcg->memsw,
						 READ_ONCE(memcg->memsw.max), cache));
	}
	return room;
}
#else
struct mem_cgroup *kcs_room_memcg(struct mm_struct *mm)
{
	return NULL;
}

static u64 room_in_cgroups(struct mem_cgroup *memcg)
{
	return U64_MAX;
}
#endif

u64 kcs_room(struct mem_cgroup *memcg)
{
	u64 total = (u64)totalram_pages() << PAGE_SHIFT;
	u64 available = (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;

	return min(room_in_cgroups(memcg),
		   room_under(total, total - min(total, available)));
}

bool kcs_room_commit(u64 bytes)
{
	u64 limit, committed;

	if (!kcs_overcommit_is_strict())
		return true;
	limit = (u64)kcs_commit_limit() << PAGE_SHIFT;
	committed = (u64)vm_memory_committed() << PAGE_SHIFT;
	return bytes <= room_under(limit, committed);
}

static bool is_too_old(const struct kcs_snapshot *snap)
{
	unsigned int lifetime = READ_ONCE(kcs_lifetime_s);

	return lifetime && ktime_get_boottime_ns() - snap->taken_ns >=
			   (u64)lifetime * NSEC_PER_SEC;
}

/*
 * Without a clone nothing grows. A target may be moved: then its new pages are
 * charged to another cgroup, and the old ones stay with the one that it was in.
 */
static bool is_short(struct kcs_snapshot *snap)
{
	struct mem_cgroup *now;
	bool room;

	if (kcs_snapshot_is_live(snap))
		return false;
	now = kcs_room_memcg(snap->target);
	room = kcs_room(snap->memcg) && (now == snap->memcg || kcs_room(now));
	mem_cgroup_put(now);
	return !room;
}

/*
 * The limits wait meanwhile, so no longer than until they are due again.
 *
 * Return: false if there is more to do.
 */
static bool give_back(struct kcs_snapshot *snap)
{
	unsigned long until = jiffies + msecs_to_jiffies(WATCH_INTERVAL_MS);
	loff_t pos;

	/* Pairs with kcs_watch_laid_out(). */
	if (kcs_snapshot_is_live(snap) || !smp_load_acquire(&snap->laid_out))
		return true;
	if (!kcs_unmap_unneeded(snap, until))
		return false;
	if (!snap->stream)
		return true;
	/* Pairs with kcs_stream_read(). */
	pos = smp_load_acquire(&snap->stream_pos);
	if (pos - snap->unmapped_pos < KCS_STREAM_STEP)
		return true;
	return kcs_unmap_behind(snap, pos, until);
}

static const char *reason(int dropped)
{
	switch (dropped) {
	case ENOMEM:
		return "memory runs short";
	case ETIME:
		return "its lifetime is over";
	default:
		return "it was cancelled";
	}
}

static void watch(struct work_struct *work)
{
	struct kcs_snapshot *snap = container_of(to_delayed_work(work),
						 struct kcs_snapshot, watch);

	if (is_short(snap))
		kcs_snapshot_mark_dropped(snap, ENOMEM);
	else if (is_too_old(snap))
		kcs_snapshot_mark_dropped(snap, ETIME);
	if (snap->given_back)
		return;
	if (READ_ONCE(snap->dropped)) {
		kcs_snapshot_give_back(snap);
		WRITE_ONCE(snap->given_back, true);
		pr_warn("snapshot %u of %s dropped: %s\n", snap->id, snap->comm,
			reason(READ_ONCE(snap->dropped)));
		return;
	}
	/* Past its deadline: nothing of it is to stay in the target. */
	if (snap->set && !kcs_snapshot_holds(snap))
		kcs_snapshot_let_go(snap);
	queue_delayed_work(watch_wq, &snap->watch,
			   give_back(snap) ? msecs_to_jiffies(WATCH_INTERVAL_MS) : 0);
}

static bool is_being_given_back(struct kcs_snapshot *snap)
{
	return !READ_ONCE(snap->given_back) &&
	       time_before(jiffies, READ_ONCE(snap->dropped_at) + GIVE_BACK_MAX);
}

/*
 * The machine is about to kill somebody. A cgroup's own limit does not come
 * here. What is dropped, now or before, is free a moment later, so the killer is
 * to look again before it strikes.
 */
static int out_of_memory_soon(struct notifier_block *block, unsigned long unused,
			      void *freed)
{
	struct kcs_snapshot *snap;

	if (!mutex_trylock(&kcs_snapshots_lock))
		return NOTIFY_OK;
	list_for_each_entry(snap, &kcs_snapshots, node) {
		if (kcs_snapshot_is_live(snap))
			continue;
		kcs_snapshot_drop(snap, ENOMEM);
		*(unsigned long *)freed += is_being_given_back(snap);
	}
	mutex_unlock(&kcs_snapshots_lock);
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = { .notifier_call = out_of_memory_soon };

void kcs_watch_init_snapshot(struct kcs_snapshot *snap)
{
	INIT_DELAYED_WORK(&snap->watch, watch);
}

void kcs_watch_now(struct kcs_snapshot *snap)
{
	mod_delayed_work(watch_wq, &snap->watch, 0);
}

void kcs_watch_laid_out(struct kcs_snapshot *snap)
{
	snap->unmapped_pos = snap->layout.data_offset;
	/* Pairs with give_back(). */
	smp_store_release(&snap->laid_out, true);
	kcs_watch_now(snap);
}

void kcs_watch_stop(struct kcs_snapshot *snap)
{
	cancel_delayed_work_sync(&snap->watch);
}

int __init kcs_watch_init(void)
{
	int err;

	/* Giving memory back must not wait for memory. */
	watch_wq = alloc_workqueue("kcoresnap", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!watch_wq)
		return -ENOMEM;
	err = register_oom_notifier(&oom_notifier);
	if (err)
		destroy_workqueue(watch_wq);
	return err;
}

void kcs_watch_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
	destroy_workqueue(watch_wq);
}
