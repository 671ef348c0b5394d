/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks that use an address space: the threads of the target and, where
 * there are any, processes that share its memory (CLONE_VM, vfork). What a
 * sharer does to the memory counts as if the target did it.
 */
#ifndef _KCS_USERS_H
#define _KCS_USERS_H

#include <linux/types.h>

struct kcs_parkset;
struct kcs_target;

/**
 * struct kcs_users - what they are, and what they have open
 * @threads: how many
 * @fds: open files
 * @realtime: one has a real-time policy
 * @io_uring: one has used io_uring
 * @direct: a file is open with O_DIRECT whose I/O may hold references to pages
 *	at any time, and for as long as it likes
 * @drains: a file is open whose I/O holds references, not pins, while its
 *	thread is on a CPU or in uninterruptible sleep, or as AIO
 */
struct kcs_users {
	unsigned int threads;
	unsigned int fds;
	bool realtime;
	bool io_uring;
	bool direct;
	bool drains;
};

/**
 * kcs_users_may_share() - may other processes use the target's memory?
 * @ours: mm_users references of this request
 *
 * Return: false if threads of the target account for all references; somebody
 * who looks into /proc makes it true as well.
 */
bool kcs_users_may_share(const struct kcs_target *target, int ours);

/**
 * kcs_users_look() - look at all users
 * @users: filled in
 *
 * Walks all tasks of the machine if there may be sharers.
 */
void kcs_users_look(const struct kcs_target *target, struct kcs_users *users);

/**
 * kcs_users_look_parked() - the same of those that are parked
 * @set: every user is in it
 *
 * Context: does not sleep.
 */
void kcs_users_look_parked(const struct kcs_target *target, struct kcs_parkset *set,
			   struct kcs_users *users);

#endif
