/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot from request to end.
 *
 * It is created by a request, then owned by the inode of its file. In between
 * it is in a list, for LIST and CANCEL. Its clone can be dropped at any time
 * (CANCEL, the memory watch); the rest stays until the inode goes.
 */
#ifndef _KCS_SNAPSHOT_H
#define _KCS_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "admit.h"
#include "elf.h"

struct kcs_clone_job;
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
 * @pause_ns: from the first task queued until all were woken
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
 * @id: never 0
 * @pid: the target's thread group, with a reference
 * @comm: the target's name
 * @uid: who asked
 * @mode: enum kcoresnap_mode
 * @taken_ns: the instant (boot time)
 * @forecast: what was predicted
 * @figures: what it was
 * @lock: protects @clone and @dropped
 * @clone: with an mm_users reference; NULL once dropped
 * @dropped: positive errno: why the clone was dropped
 * @target: with an mm_count reference, for what is read live
 * @job: segment table and captured pages
 * @memcg: the target's, with a reference, or NULL
 * @watch: reads memory counters
 * @elf: a PT_LOAD per segment of the table, same index
 * @layout: file offsets
 * @head: ELF header, program headers, notes: @layout.data_offset bytes
 * @shdr: the section header, where there is one
 * @read_bytes: read so far
 * @inexact_bytes: of these, not from the instant
 * @lost_bytes: of these, zeros in place of memory that was lost
 */
struct kcs_snapshot {
	struct list_head node;
	u32 id;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	u32 mode;
	u64 taken_ns;
	struct kcs_forecast forecast;
	struct kcs_figures figures;

	spinlock_t lock;
	struct mm_struct *clone;
	int dropped;
	struct mm_struct *target;
	struct kcs_clone_job *job;
	struct mem_cgroup *memcg;
	struct delayed_work watch;

	struct kcs_elf_segment *elf;
	struct kcs_elf_layout layout;
	void *head;
	Elf64_Shdr shdr;

	atomic64_t read_bytes;
	atomic64_t inexact_bytes;
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
 * @forecast: what was predicted
 *
 * Return: the snapshot, or NULL.
 */
struct kcs_snapshot *kcs_snapshot_alloc(const struct kcs_target *target,
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
 * kcs_snapshot_detach() - give up the clone
 * @err: positive errno, kept if it is the first
 *
 * Context: atomic.
 * Return: the clone, or NULL; its mm_users reference is the caller's, who drops
 * it with mmput() where that may sleep.
 */
struct mm_struct *kcs_snapshot_detach(struct kcs_snapshot *snap, int err);

/**
 * kcs_snapshot_clone() - the clone, to be read
 *
 * Return: with an mm_users reference, or NULL if it was dropped.
 */
struct mm_struct *kcs_snapshot_clone(struct kcs_snapshot *snap);

/** The list of all snapshots, and its lock. */
extern struct list_head kcs_snapshots;
extern struct mutex kcs_snapshots_lock;

/** kcs_snapshot_count() - how many are open */
unsigned int kcs_snapshot_count(void);

/** Module parameter "max_snapshots". */
extern unsigned int kcs_max_snapshots;

#endif
