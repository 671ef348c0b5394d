/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The copy-on-write duplicate: a kernel thread adopts the target's address
 * space and forks; the child's address space is the clone. The child exits at
 * once, the clone stays.
 *
 * A job is shared by the requester and the kernel thread and freed by the last
 * of them: before v7.0 dup_mmap() can wait for a VMA lock beyond the reach of
 * SIGKILL, so the requester must be able to leave the thread behind, which then
 * throws away what it gets.
 */
#ifndef _KCS_CLONE_H
#define _KCS_CLONE_H

#include <linux/completion.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "capture.h"
#include "pin.h"
#include "vma.h"

struct kcs_parkset;

/**
 * struct kcs_clone_job - one clone
 * @refs: requester and thread
 * @task: the thread, with a reference
 * @target: address space to clone, with an mm_users reference of the thread's
 * @set: the park set, with a reference of the thread's
 * @filter: coredump_filter bits
 * @pins: pages that are to stay with the target; the thread drops them when it
 *	has cloned
 * @ready: the thread runs and has adopted @target
 * @go: kcs_clone_start() or kcs_clone_abandon() was called
 * @abandoned: nobody wants the result any more
 * @cloned: @err and what follows it stand
 * @finished: nothing of thread and child is left but the thread's reference
 * @err: 0 or -errno
 * @clone: the result, with an mm_users reference
 * @clone_ns: time in kernel_clone()
 * @segs: the segment table
 * @capture: what was copied out of the target
 */
struct kcs_clone_job {
	refcount_t refs;
	struct task_struct *task;
	struct mm_struct *target;
	struct kcs_parkset *set;
	u32 filter;
	struct kcs_pins pins;
	struct completion ready;
	struct completion go;
	bool abandoned;
	struct completion cloned;
	struct completion finished;
	int err;
	struct mm_struct *clone;
	u64 clone_ns;
	struct kcs_segments segs;
	struct kcs_capture capture;
};

/**
 * kcs_clone_create() - everything about a clone that is slow
 * @target: mm to clone; the caller holds an mm_users reference
 * @filter: coredump_filter bits
 * @excluded: bytes expected to be captured
 * @set: not started yet
 *
 * Return: the job, its thread running and waiting, or ERR_PTR(-ENOMEM, -EINTR).
 */
struct kcs_clone_job *kcs_clone_create(struct mm_struct *target, u32 filter,
				       u64 excluded, struct kcs_parkset *set);

/**
 * kcs_clone_start() - let the thread clone; @job->cloned tells when it is done
 * @job: its park set is acknowledged; if it was let go meanwhile, the thread
 *	may have gone, too
 */
void kcs_clone_start(struct kcs_clone_job *job);

/**
 * kcs_clone_abandon() - give the result up, if there ever is one
 *
 * Drops the caller's reference. Does not wait.
 */
void kcs_clone_abandon(struct kcs_clone_job *job);

/**
 * kcs_clone_wait() - wait until thread and child have left the module
 * @job: started, and not abandoned
 */
void kcs_clone_wait(struct kcs_clone_job *job);

/** kcs_clone_put() - drop a reference */
void kcs_clone_put(struct kcs_clone_job *job);

#endif
