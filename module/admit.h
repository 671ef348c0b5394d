/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clone is a fork imposed on a program that may be doing what a forking
 * program must not. Whether it may be done to this target, what it will cost,
 * and whether that fits the bounds asked for.
 */
#ifndef _KCS_ADMIT_H
#define _KCS_ADMIT_H

#include <linux/types.h>

struct kcs_parkset;
struct kcs_pins;
struct kcs_refusal;
struct kcs_request;
struct kcs_target;

/**
 * struct kcs_forecast - what a snapshot will cost
 * @threads: that use the address space, those of other processes included
 * @vmas: mappings
 * @excluded: bytes that have to be captured or read live: VM_DONTCOPY,
 *	VM_WIPEONFORK, private hugetlb
 * @pages: pages whose table entries the clone copies
 * @copies: pages that it copies at once, as they are pinned or may be under
 *	direct I/O
 * @pins: AIO may be under way by references: pages have to be pinned
 * @pause_ns: the predicted pause
 * @drain_ns: of this, set aside for direct I/O to end
 * @growth: bytes by which memory use can grow while a clone lives
 * @data: bytes of private memory that the core will hold at the least, if no page
 *	of it is all zeros
 */
struct kcs_forecast {
	unsigned int threads;
	unsigned int vmas;
	u64 excluded;
	u64 pages;
	u64 copies;
	bool pins;
	u64 pause_ns;
	u64 drain_ns;
	u64 growth;
	u64 data;
};

/**
 * kcs_admit() - may this target be cloned, within these bounds?
 * @target: held
 * @req: the request
 * @forecast: filled in as far as the check got
 * @why: filled in on refusal
 *
 * Context: sleeps, killably. Holds the target's mmap_lock for reading while it
 * walks the mappings, and by pieces while it walks page tables.
 * Return: 0, -EOPNOTSUPP, -ETIME, -ENOMEM, -EINTR.
 */
int kcs_admit(const struct kcs_target *target, const struct kcs_request *req,
	      struct kcs_forecast *forecast, struct kcs_refusal *why);

/**
 * kcs_admit_parked() - what may have changed since kcs_admit(), and what can
 *	only be settled now: direct I/O
 * @set: acknowledged
 * @forecast: of kcs_admit()
 * @pins: allocated where @forecast->pins; to be dropped when the clone is made
 *
 * Context: sleeps as long as direct I/O is under way, at most half the pause
 * that is allowed.
 * Return: 0, -EOPNOTSUPP, -EAGAIN, -EINTR.
 */
int kcs_admit_parked(const struct kcs_target *target, const struct kcs_request *req,
		     const struct kcs_forecast *forecast, struct kcs_parkset *set,
		     struct kcs_pins *pins, struct kcs_refusal *why);

/**
 * kcs_admit_learn() - let later predictions know what a clone took
 * @forecast: of that clone
 * @clone_ns: how long it took
 */
void kcs_admit_learn(const struct kcs_forecast *forecast, u64 clone_ns);

#endif
