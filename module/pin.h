/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making fork copy the pages that direct I/O is under way to.
 *
 * Where direct I/O only references its pages (before v6.5), fork would
 * write-protect such a page, the target's next write to it would get a copy,
 * and the result of the I/O would go to the old page, which then belongs to the
 * clone alone. A page that is pinned (FOLL_PIN) while the clone is made is
 * copied for the clone instead, and the target keeps it. Nothing says which
 * pages direct I/O holds references to, but it can be told which ones anybody
 * does beyond those that map them; those few that it is not pay with a copy.
 */
#ifndef _KCS_PIN_H
#define _KCS_PIN_H

#include <linux/types.h>

struct kcs_parkset;
struct page;

#define KCS_PIN_LIMIT (16384U)	/* pages that are copied within the pause: 64 MiB */

/**
 * struct kcs_pins - pages pinned
 * @page: they, each the head of what it is part of
 * @nr: how many
 * @copies: pages that fork will copy because of them
 */
struct kcs_pins {
	struct page **page;
	unsigned int nr;
	unsigned int copies;
};

/**
 * struct kcs_stray - what was found out about the last compound page
 * @head: that page
 * @is: kcs_stray_page() of it
 *
 * It takes a look at each of its pages, and is likely to come again.
 */
struct kcs_stray {
	const struct page *head;
	bool is;
};

/**
 * kcs_stray_page() - may somebody hold a reference to write to this page?
 * @memo: zeroed at first
 * @page: anonymous, mapped, under the lock of its page table
 * @writable: is it mapped so, or by a huge entry?
 *
 * Return: false if all references are accounted for, or if the target shares
 * the page already: then its next write gets a copy with or without a snapshot.
 */
bool kcs_stray_page(struct kcs_stray *memo, struct page *page, bool writable);

/** kcs_pins_alloc() - make room. Return: 0 or -ENOMEM. */
int kcs_pins_alloc(struct kcs_pins *pins);

/** kcs_pins_free() - undo it, and drop what is left */
void kcs_pins_free(struct kcs_pins *pins);

/**
 * kcs_pins_take() - pin every stray page
 * @pins: allocated, empty
 * @set: no task of it can take further references
 * @until: when to give up (ktime)
 *
 * Context: sleeps shortly, allocates nothing; takes the mmap_lock for reading
 * without queueing for it.
 * Return: 0; -EBUSY if some memory was not present up to the end, or just being
 * moved; -ENOSPC if there are too many such pages; -EINTR if the caller was
 * killed or the set let go.
 */
int kcs_pins_take(struct kcs_pins *pins, struct kcs_parkset *set, u64 until);

/** kcs_pins_drop() - unpin all */
void kcs_pins_drop(struct kcs_pins *pins);

#endif
