/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot until its end.
 *
 * It is taken by a request, then owned by the inode of its file, and in a list
 * meanwhile, for LIST and CANCEL. It can be dropped at any time (CANCEL, the
 * watch): reading fails from then on, and its watch gives the clone back and
 * lets a target go that it holds. The rest stays until the inode goes.
 */
#ifndef _KCS_SNAPSHOT_H
#define _KCS_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/kcoresnap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "admit.h"
#include "capture.h"
#include "elf.h"
#include "notedata.h"
#include "vma.h"

struct kcs_clone_job;
struct kcs_parkset;
struct kcs_refusal;
struct kcs_request;
struct kcs_target;
struct mem_cgroup;
struct mm_struct;
struct pid;

/**
 * struct kcs_figures - what a snapshot cost and holds
 * @threads: with registers in the core
 * @inexact_threads: see KCORESNAP_A_INEXACT_THREADS
 * @pause_ns: from the first task queued until all were woken; see
 *	kcs_snapshot_pause_ns()
 * @park_ns: of this, until no task could run user code
 * @regs_ns: from there until all registers were read
 * @clone_ns: in kernel_clone()
 * @data_bytes: upper bound of bytes that are not holes
 * @inexact_bound: upper bound of bytes not from the instant
 */
struct kcs_figures {
	unsigned int threads;
	unsigned int inexact_threads;
	u64 pause_ns;
	u64 park_ns;
	u64 regs_ns;
	u64 clone_ns;
	u64 data_bytes;
	u64 inexact_bound;
};

/**
 * struct kcs_snapshot - one snapshot
 * @node: in the list of all
 * @id: never 0; they only grow, and so they do in the list
 * @pid: the target's thread group, with a reference
 * @comm: the target's name
 * @uid: who asked
 * @mode: enum kcoresnap_mode, not AUTO
 * @max_pause_ns: the bound of the pause
 * @taken_ns: the instant (boot time)
 * @time_ns: the instant (wall clock)
 * @forecast: what was predicted
 * @figures: what it was
 * @lock: protects @clone
 * @clone: with an mm_users reference; NULL once given back, and in modes without
 *	one
 * @dropped: positive errno: why it was dropped, 0 if it was not
 * @target: with an mm_count reference, for what is read live
 * @set: mode STOP: keeps the target parked until its deadline; else NULL
 * @job: the clone's, until thread and child have left the module, or NULL
 * @memcg: the target's when it was taken, with a reference, or NULL
 * @watch: looks after it
 * @laid_out: the watch may give back what the core does not need
 * @dropped_at: and when (jiffies)
 * @given_back: what it held was given back; written by the watch
 * @stream: read forward only
 * @stream_lock: with @stream, one reader at a time; taken before any mmap_lock
 * @stream_pos: the end of what was read; what is before may be gone
 * @unneeded: segments before it that the core does not need were given back; the
 *	watch's own, as the next two
 * @unneeded_addr: likewise, what is before this address
 * @unmapped_pos: likewise, what was read before this file offset
 * @segs: the segment table, sorted
 * @capture: what was copied out of the target
 * @elf: a PT_LOAD per segment of the table, same index
 * @layout: file offsets
 * @head: what is before @layout.data_offset: ELF header, program headers and
 *	notes, without the names in NT_FILE
 * @files: these names
 * @names_offset: where they belong
 * @shdr: the section header, where there is one
 * @read_bytes: read so far
 * @inexact_bytes: of these, not from the instant
 * @missed_bytes: see KCORESNAP_A_MISSED_BYTES
 * @lost_bytes: of these, zeros in place of memory that was lost
 */
struct kcs_snapshot {
	struct list_head node;
	u32 id;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	u32 mode;
	u64 max_pause_ns;
	u64 taken_ns;
	u64 time_ns;
	struct kcs_forecast forecast;
	struct kcs_figures figures;

	spinlock_t lock;
	struct mm_struct *clone;
	int dropped;
	unsigned long dropped_at;
	struct mm_struct *target;
	struct kcs_parkset *set;
	struct kcs_clone_job *job;
	struct mem_cgroup *memcg;
	struct delayed_work watch;
	bool laid_out;
	bool given_back;

	bool stream;
	struct mutex stream_lock;
	loff_t stream_pos;
	unsigned int unneeded;
	unsigned long unneeded_addr;
	loff_t unmapped_pos;

	struct kcs_segments segs;
	struct kcs_capture capture;
	struct kcs_elf_segment *elf;
	struct kcs_elf_layout layout;
	void *head;
	struct kcs_file_note files;
	u64 names_offset;
	Elf64_Shdr shdr;

	atomic64_t read_bytes;
	atomic64_t inexact_bytes;
	atomic64_t missed_bytes;
	atomic64_t lost_bytes;
};

/**
 * kcs_snapshot_take() - take a snapshot, or predict one
 * @req: the request
 * @forecast: filled in as far as the request got
 * @why: filled in on error
 *
 * Context: sleeps, killably; the caller holds a reference on the module.
 * Return: the snapshot, in the list and owned by the caller; NULL for a dry run
 * that would not be refused; or an ERR_PTR.
 */
struct kcs_snapshot *kcs_snapshot_take(const struct kcs_request *req,
				       struct kcs_forecast *forecast,
				       struct kcs_refusal *why);

/**
 * kcs_snapshot_alloc() - an empty snapshot of a target
 * @target: held
 * @req: the request, its mode not AUTO
 * @forecast: what was predicted
 *
 * Return: the snapshot, or NULL.
 */
struct kcs_snapshot *kcs_snapshot_alloc(const struct kcs_target *target,
					const struct kcs_request *req,
					const struct kcs_forecast *forecast);

/** kcs_snapshot_free() - free what never came into the list, or left it */
void kcs_snapshot_free(struct kcs_snapshot *snap);

/**
 * kcs_snapshot_destroy() - end it
 *
 * Context: sleeps. When it returns, nothing of the snapshot is left.
 */
void kcs_snapshot_destroy(struct kcs_snapshot *snap);

/**
 * kcs_snapshot_mark_dropped() - let reading fail
 * @err: positive errno, kept if it is the first
 *
 * Context: atomic. Return: is it the first?
 */
bool kcs_snapshot_mark_dropped(struct kcs_snapshot *snap, int err);

/**
 * kcs_snapshot_drop() - let reading fail, and its watch give everything back
 * @err: positive errno, kept if it is the first
 *
 * Context: atomic; the snapshot is in the list, and stays there meanwhile.
 */
void kcs_snapshot_drop(struct kcs_snapshot *snap, int err);

/**
 * kcs_snapshot_give_back() - give back what a dropped snapshot holds
 *
 * Context: a kernel thread; sleeps.
 */
void kcs_snapshot_give_back(struct kcs_snapshot *snap);

/**
 * kcs_snapshot_clone() - the clone
 *
 * Return: with an mm_users reference, or NULL if there is none any more.
 */
struct mm_struct *kcs_snapshot_clone(struct kcs_snapshot *snap);

/**
 * kcs_snapshot_mm() - the address space that is read: the clone or, in modes
 *	without one, the target
 *
 * Return: with an mm_users reference, or NULL if it is gone.
 */
struct mm_struct *kcs_snapshot_mm(struct kcs_snapshot *snap);

/** kcs_snapshot_is_live() - is the target itself read? */
static inline bool kcs_snapshot_is_live(const struct kcs_snapshot *snap)
{
	return snap->mode != KCORESNAP_MODE_COW;
}

/**
 * kcs_snapshot_holds() - is the target still kept from changing its memory?
 *
 * What was read before and between two calls that say so is of one instant.
 */
bool kcs_snapshot_holds(const struct kcs_snapshot *snap);

/** kcs_snapshot_let_go() - end the pause of mode STOP. Context: sleeps. */
void kcs_snapshot_let_go(struct kcs_snapshot *snap);

/** kcs_snapshot_ns_pid() - the target's pid as it knows it itself */
pid_t kcs_snapshot_ns_pid(const struct kcs_snapshot *snap);

/** kcs_snapshot_pause_ns() - how long the target was or has been paused */
u64 kcs_snapshot_pause_ns(const struct kcs_snapshot *snap);

/** The list of all snapshots, and its lock. */
extern struct list_head kcs_snapshots;
extern struct mutex kcs_snapshots_lock;

/** kcs_snapshot_count() - how many are open */
unsigned int kcs_snapshot_count(void);

/** Module parameter "max_snapshots". */
extern unsigned int kcs_max_snapshots;

#endif
