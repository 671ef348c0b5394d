/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much memory may still be used before somebody gets hurt: under the memory
 * limit of every ancestor cgroup of the target, and on the machine.
 *
 * Pages that the target writes while a clone lives are charged to the target's
 * cgroup, and the old ones stay charged as well. A cgroup that runs out kills,
 * and tells nobody before; so a watch drops the clone while there is still room.
 * It also ends what is too old, and gives back early what nobody will read.
 */
#ifndef _KCS_WATCH_H
#define _KCS_WATCH_H

#include <linux/types.h>

struct kcs_snapshot;
struct mem_cgroup;
struct mm_struct;

/**
 * kcs_room_memcg() - the memory cgroup a target's new memory is charged to now
 *
 * Return: with a reference, to be dropped with mem_cgroup_put(); NULL where the
 * kernel has no memory cgroups.
 */
struct mem_cgroup *kcs_room_memcg(struct mm_struct *mm);

/**
 * kcs_room() - bytes that may be added before a limit is near
 * @memcg: from kcs_room_memcg(), or NULL
 *
 * Counts page cache that can be given back as room. A margin is taken off
 * every limit: the larger of a fiftieth of it and 32 MiB, but no more than a
 * fifth.
 *
 * Return: the least over all limits, 0 if one is near or passed.
 */
u64 kcs_room(struct mem_cgroup *memcg);

/**
 * kcs_room_commit() - can strict overcommit accounting bear it?
 * @bytes: of accountable memory that is to be accounted a second time
 *
 * Return: false where vm.overcommit_memory=2 and the limit would be passed, as
 * far as the module can tell.
 */
bool kcs_room_commit(u64 bytes);

#define KCS_STREAM_STEP (16L << 20)	/* bytes read forward before they are given back */

/** Module parameter "lifetime_s": a snapshot is dropped when it is that old; 0: never. */
extern unsigned int kcs_lifetime_s;

/** kcs_watch_init_snapshot() - prepare a snapshot for the others */
void kcs_watch_init_snapshot(struct kcs_snapshot *snap);

/** kcs_watch_now() - look after a snapshot now, and from now on. Context: atomic. */
void kcs_watch_now(struct kcs_snapshot *snap);

/**
 * kcs_watch_laid_out() - from now on, give back what nobody will read
 * @snap: its segments and the layout stand
 *
 * Context: atomic.
 */
void kcs_watch_laid_out(struct kcs_snapshot *snap);

/** kcs_watch_stop() - stop, and wait until the watch has */
void kcs_watch_stop(struct kcs_snapshot *snap);

/** kcs_watch_init() - at load. Return: 0 or -ENOMEM. */
int kcs_watch_init(void);
void kcs_watch_exit(void);

#endif
