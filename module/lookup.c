// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "lookup.h"
#include "vma.h"

int kcs_lock_mm(struct mm_struct *mm, bool nowait)
{
	if (nowait)
		return mmap_read_trylock(mm) ? 0 : -EAGAIN;
	return mmap_read_lock_killable(mm);
}

/* Tried for, not queued for: mmap_lock has no such wait that ends. */
int kcs_lock_mm_within(struct mm_struct *mm, struct kcs_patience *patience)
{
	u64 began, waited = 0;

	if (!patience)
		return mmap_read_lock_killable(mm);
	began = ktime_get_ns();
	while (!mmap_read_trylock(mm)) {
		waited = ktime_get_ns() - began;
		if (waited >= patience->left_ns) {
			patience->left_ns = 0;
			return -EAGAIN;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		usleep_range(50, 100);
	}
	patience->left_ns -= waited;
	return 0;
}

long kcs_lookup(struct mm_struct *mm, unsigned long addr, unsigned int nr,
		unsigned int flags, struct page **pages, bool nowait)
{
	long got = kcs_lock_mm(mm, nowait);
	int locked = 1;

	if (got)
		return got;
	got = get_user_pages_remote(mm, addr, nr, flags, pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return got;
}

int kcs_find_run(struct mm_struct *mm, unsigned long addr, bool nowait,
		 unsigned int *nr, enum kcs_page *state)
{
	int err = kcs_lock_mm(mm, nowait);

	if (err)
		return err;
	*nr = kcs_page_run(mm, addr & PAGE_MASK, *nr, state);
	mmap_read_unlock(mm);
	return 0;
}

bool kcs_is_present(struct mm_struct *mm, unsigned long addr)
{
	enum kcs_page state;
	unsigned int nr = 1;

	return !kcs_find_run(mm, addr, false, &nr, &state) && state == KCS_PAGE_PRESENT;
}

/* Of one page, which is to be put. */
static struct page *peek_page(struct mm_struct *mm, unsigned long addr, bool live,
			      struct kcs_patience *patience)
{
	unsigned int flags = KCS_GUP_FLAGS | (live ? KCS_FOLL_NOFAULT : 0);
	struct page *page = NULL;
	enum kcs_page state;
	unsigned int nr = 1;
	int locked = 1;

	if (kcs_lock_mm_within(mm, patience))
		return NULL;
	if (live)
		kcs_page_run(mm, addr, nr, &state);
	if ((!live || state == KCS_PAGE_PRESENT) &&
	    get_user_pages_remote(mm, addr, nr, flags, &page, &locked) != 1)
		page = NULL;
	if (locked)
		mmap_read_unlock(mm);
	return page;
}

size_t kcs_peek(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
		bool live, struct kcs_patience *patience)
{
	size_t done = 0;

	while (done < len) {
		size_t offset = (addr + done) & ~PAGE_MASK;
		size_t part = min_t(size_t, len - done, PAGE_SIZE - offset);
		struct page *page = peek_page(mm, (addr + done) & PAGE_MASK, live, patience);

		if (!page)
			break;
		memcpy(buf + done, page_address(page) + offset, part);
		put_page(page);
		done += part;
	}
	return done;
}
