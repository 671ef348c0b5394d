// SPDX-License-Identifier: GPL-2.0
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page_counter.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "ksym.h"
#include "snapshot.h"
#include "watch.h"

#define WATCH_INTERVAL_MS 8

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

static u64 room_in_cgroups(struct mem_cgroup *memcg)
{
	u64 cache = memcg ? reclaimable(memcg) : 0;
	u64 room = U64_MAX;

	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long limit = min(READ_ONCE(memcg->memory.max),
					  READ_ONCE(memcg->memory.high));
		u64 used = (u64)page_counter_read(&memcg->memory) << PAGE_SHIFT;

		if (limit >= PAGE_COUNTER_MAX)
			continue;
		room = min(room, room_under((u64)limit << PAGE_SHIFT,
					    used - min(used, cache)));
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

static void watch(struct work_struct *work)
{
	struct kcs_snapshot *snap = container_of(to_delayed_work(work),
						 struct kcs_snapshot, watch);
	struct mm_struct *clone;

	if (READ_ONCE(snap->dropped))
		return;
	if (kcs_room(snap->memcg)) {
		queue_delayed_work(system_dfl_wq, &snap->watch,
				   msecs_to_jiffies(WATCH_INTERVAL_MS));
		return;
	}
	clone = kcs_snapshot_detach(snap, ENOMEM);
	if (clone)
		mmput(clone);
	pr_warn("snapshot %u of %s dropped: memory runs short\n", snap->id, snap->comm);
}

void kcs_watch_start(struct kcs_snapshot *snap)
{
	INIT_DELAYED_WORK(&snap->watch, watch);
	queue_delayed_work(system_dfl_wq, &snap->watch, 0);
}

void kcs_watch_stop(struct kcs_snapshot *snap)
{
	cancel_delayed_work_sync(&snap->watch);
}
