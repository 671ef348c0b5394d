/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The present anonymous pages that a fork would share or copy.
 */
#ifndef _KCS_WALK_H
#define _KCS_WALK_H

#include <linux/types.h>

struct mm_struct;
struct page;

/**
 * struct kcs_walk - a walk over page tables
 * @mm: whose
 * @visit: called for each page, under the lock of its table: does not sleep.
 *	@page is the first of @nr pages that one entry maps. Not 0 ends the walk
 * @next: where to go on, from 0
 * @absent: entries that were neither empty nor present: swapped out, or just
 *	being moved
 */
struct kcs_walk {
	struct mm_struct *mm;
	int (*visit)(struct kcs_walk *walk, struct page *page, unsigned int nr,
		     bool writable);
	unsigned long next;
	unsigned long absent;
};

/**
 * kcs_walk_some() - walk for a moment
 * @walk: the caller holds @walk->mm's mmap_lock for reading, and may drop it
 *	between calls
 *
 * Private mappings that fork copies, hugetlb left out.
 *
 * Return: 1 if there may be more, 0 at the end, or what @walk->visit returned.
 */
int kcs_walk_some(struct kcs_walk *walk);

#endif
