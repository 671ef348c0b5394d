/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Giving parts of a clone back before its end. As long as a page is mapped in
 * the clone, the target's first write to it costs a copy, and the old page stays
 * charged to the target's cgroup.
 *
 * All of this runs in a kernel thread: vm_munmap() takes the address space that
 * the caller has adopted.
 */
#ifndef _KCS_UNMAP_H
#define _KCS_UNMAP_H

#include <linux/types.h>

struct kcs_segments;
struct kcs_snapshot;
struct mm_struct;

/**
 * kcs_unmap_all() - empty a clone
 * @mm: the clone
 * @segs: its mappings
 *
 * What the target can write to goes first.
 *
 * Context: a kernel thread; sleeps.
 */
void kcs_unmap_all(struct mm_struct *mm, const struct kcs_segments *segs);

/**
 * kcs_unmap_unneeded() - give back some of what the core has no bytes of
 * @snap: laid out
 * @until: jiffies when to stop
 *
 * Context: a kernel thread; sleeps.
 * Return: true if nothing of it is left.
 */
bool kcs_unmap_unneeded(struct kcs_snapshot *snap, unsigned long until);

/**
 * kcs_unmap_behind() - give back some of what a reader has behind it
 * @snap: laid out
 * @to: the reader's file offset
 * @until: jiffies when to stop
 *
 * Huge pages are left whole, so a little before @to may stay.
 *
 * Context: a kernel thread; sleeps.
 * Return: true if nothing else of it is left.
 */
bool kcs_unmap_behind(struct kcs_snapshot *snap, loff_t to, unsigned long until);

#endif
