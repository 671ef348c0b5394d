// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/mm.h>

#include "lookup.h"
#include "vma.h"

int kcs_lock_mm(struct mm_struct *mm, bool nowait)
{
	if (nowait)
		return mmap_read_trylock(mm) ? 0 : -EAGAIN;
	return mmap_read_lock_killable(mm);
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

size_t kcs_peek(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
		bool live)
{
	unsigned int flags = KCS_GUP_FLAGS | (live ? KCS_FOLL_NOFAULT : 0);
	size_t done = 0;

	while (done < len) {
		size_t offset = (addr + done) & ~PAGE_MASK;
		size_t part = min_t(size_t, len - done, PAGE_SIZE - offset);
		struct page *page;

		if (live && !kcs_is_present(mm, addr + done))
			break;
		if (kcs_lookup(mm, (addr + done) & PAGE_MASK, 1, flags, &page, false) != 1)
			break;
		memcpy(buf + done, page_address(page) + offset, part);
		put_page(page);
		done += part;
	}
	return done;
}
