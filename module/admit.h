/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A clone is a fork imposed on a program that may be doing what a forking
 * program must not. Whether it may be done to this target, what it will cost,
 * and whether that fits the bounds asked for.
 */
#ifndef _KCS_ADMIT_H
#define _KCS_ADMIT_H

#include <linux/types.h>

struct kcs_refusal;
struct kcs_request;
struct kcs_target;
struct mem_cgroup;

/**
 * struct kcs_forecast - what a snapshot will cost
 * @threads: live threads of the thread group
 * @vmas: mappings
 * @excluded: bytes that have to be captured or read live: VM_DONTCOPY,
 *	VM_WIPEONFORK, private hugetlb
 * @pages: pages whose table entries the clone copies
 * @pause_ns: the predicted pause
 * @growth: bytes by which memory use can grow while a clone lives
 */
struct kcs_forecast {
	unsigned int threads;
	unsigned int vmas;
	u64 excluded;
	u64 pages;
	u64 pause_ns;
	u64 growth;
};

/**
 * kcs_admit() - may this target be cloned, within these bounds?
 * @target: held
 * @req: the request
 * @forecast: filled in as far as the check got
 * @why: filled in on refusal
 *
 * Context: sleeps, killably. Holds the target's mmap_lock for reading while it
 * walks the mappings.
 * Return: 0, -EOPNOTSUPP, -ETIME, -ENOMEM, -EINTR.
 */
int kcs_admit(const struct kcs_target *target, const struct kcs_request *req,
	      struct kcs_forecast *forecast, struct kcs_refusal *why);

/**
 * kcs_admit_parked() - what may have changed since kcs_admit(): direct I/O
 *
 * Context: the target is parked; does not sleep.
 * Return: 0 or -EOPNOTSUPP.
 */
int kcs_admit_parked(const struct kcs_target *target, struct kcs_refusal *why);

/**
 * kcs_admit_learn() - let later predictions know what a clone took
 * @pages: whose table entries were copied
 * @clone_ns: how long that took
 */
void kcs_admit_learn(u64 pages, u64 clone_ns);

#endif
