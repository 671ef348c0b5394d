/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages copied out of the target while it is parked: memory that is not in the
 * clone (VM_DONTCOPY, VM_WIPEONFORK, private hugetlb), up to a limit.
 */
#ifndef _KCS_CAPTURE_H
#define _KCS_CAPTURE_H

#include <linux/mm_types.h>

#define KCS_CAPTURE_LIMIT (16UL << 20)	/* bytes a snapshot; a copy of ~4 ms */

/**
 * struct kcs_capture - captured pages
 * @max: pages there is room for, allocated before the pause
 * @nr: pages in use
 * @elsewhere: of these, pages that were in swap or on their way, and not copied
 * @page: the copies
 * @addr: their addresses, ascending; with KCS_CAPTURE_ELSEWHERE in them where
 *	there is no copy
 */
struct kcs_capture {
	unsigned int max;
	unsigned int nr;
	unsigned int elsewhere;
	struct page **page;
	unsigned long *addr;
};

#define KCS_CAPTURE_ELSEWHERE 1UL

/**
 * kcs_capture_alloc() - allocate room
 * @capture: filled in
 * @bytes: what is expected; no more than KCS_CAPTURE_LIMIT is allocated
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_capture_alloc(struct kcs_capture *capture, unsigned long bytes);
void kcs_capture_free(struct kcs_capture *capture);

/**
 * kcs_capture_range() - copy the populated pages of a range
 * @capture: ranges must come by ascending address
 * @mm: the target's; the caller holds its mmap_lock for reading
 * @start: page-aligned
 * @end: likewise
 *
 * Bounded by the room and by the look-ups it takes, so that a large and sparse
 * range can't prolong the pause.
 *
 * Return: the address up to which everything there is was copied.
 */
unsigned long kcs_capture_range(struct kcs_capture *capture, struct mm_struct *mm,
				unsigned long start, unsigned long end);

/**
 * kcs_capture_find() - the copy of a page
 * @addr: page-aligned
 * @elsewhere: set if there was a page, which has to be read live
 *
 * Return: the page, or NULL: for a hole, unless @elsewhere is set.
 */
struct page *kcs_capture_find(const struct kcs_capture *capture, unsigned long addr,
			      bool *elsewhere);

/**
 * kcs_capture_next() - the first page from an address on that was there
 * @addr: page-aligned
 *
 * Return: its address, or ULONG_MAX if there is none.
 */
unsigned long kcs_capture_next(const struct kcs_capture *capture, unsigned long addr);

#endif
