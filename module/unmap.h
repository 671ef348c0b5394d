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

struct kcs_snapshot;
struct mm_struct;

/** kcs_unmap_all() - empty an address space. Context: a kernel thread; sleeps. */
void kcs_unmap_all(struct mm_struct *mm);

/**
 * kcs_unmap_unneeded() - give back what the core has no bytes of
 * @snap: laid out
 *
 * Context: a kernel thread; sleeps.
 */
void kcs_unmap_unneeded(struct kcs_snapshot *snap);

/**
 * kcs_unmap_behind() - give back what a reader has behind it
 * @snap: laid out
 * @from: file offset up to which that was done already
 * @to: likewise from now on
 *
 * Huge pages are left whole, so a little before @to may stay.
 *
 * Context: a kernel thread; sleeps.
 */
void kcs_unmap_behind(struct kcs_snapshot *snap, loff_t from, loff_t to);

#endif
