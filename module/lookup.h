/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking at the pages of an address space that is not the caller's, which holds
 * an mm_users reference to it. All take and release its mmap_lock, killably.
 */
#ifndef _KCS_LOOKUP_H
#define _KCS_LOOKUP_H

#include <linux/mm.h>
#include <linux/time64.h>
#include <linux/types.h>

#include "vma.h"

/* As for the kernel's own core: whatever the protection, but no hole is filled. */
#define KCS_GUP_FLAGS (FOLL_FORCE | FOLL_DUMP | FOLL_HWPOISON)

/**
 * kcs_lock_mm() - take mmap_lock for reading
 * @mm: address space
 * @nowait: do not wait for it
 *
 * Return: 0, -EINTR, or -EAGAIN (@nowait).
 */
int kcs_lock_mm(struct mm_struct *mm, bool nowait);

/**
 * struct kcs_patience - how long locks may be waited for in all
 * @left_ns: nanoseconds; 0 once a lock could not be had in time
 *
 * For requests: they are handled under generic netlink's own lock, and whoever
 * registers a family waits for that, and every request of any family behind him.
 */
struct kcs_patience {
	u64 left_ns;
};

#define KCS_PATIENCE_NS (2ULL * NSEC_PER_SEC)

/**
 * kcs_lock_mm_within() - take mmap_lock for reading, in good time
 * @mm: address space
 * @patience: NULL to wait as long as it takes
 *
 * Return: 0, -EINTR or -EAGAIN.
 */
int kcs_lock_mm_within(struct mm_struct *mm, struct kcs_patience *patience);

/**
 * kcs_lookup() - take references to pages
 * @mm: address space
 * @addr: of the first, page-aligned
 * @nr: how many
 * @flags: of get_user_pages_remote()
 * @pages: filled in
 * @nowait: do not wait for the lock
 *
 * Return: how many, or an error of get_user_pages_remote() or kcs_lock_mm().
 */
long kcs_lookup(struct mm_struct *mm, unsigned long addr, unsigned int nr,
		unsigned int flags, struct page **pages, bool nowait);

/**
 * kcs_find_run() - kcs_page_run() under the lock
 * @mm: address space
 * @addr: any
 * @nowait: do not wait for the lock
 * @nr: pages at most; how many are alike
 * @state: in which way
 *
 * Return: 0 or an error of kcs_lock_mm().
 */
int kcs_find_run(struct mm_struct *mm, unsigned long addr, bool nowait,
		 unsigned int *nr, enum kcs_page *state);

/** kcs_is_present() - do the page tables have a page there? */
bool kcs_is_present(struct mm_struct *mm, unsigned long addr);

/**
 * kcs_peek() - read a few bytes of an address space
 * @mm: the caller holds an mm_users reference
 * @addr: any
 * @buf: where to
 * @len: bytes
 * @live: take no page fault
 * @patience: for the lock
 *
 * Return: bytes read before something could not be.
 */
size_t kcs_peek(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
		bool live, struct kcs_patience *patience);

#endif
