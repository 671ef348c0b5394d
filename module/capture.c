// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "capture.h"
#include "vma.h"

int kcs_capture_alloc(struct kcs_capture *capture, unsigned long bytes)
{
	unsigned int i, pages = min(bytes, KCS_CAPTURE_LIMIT) >> PAGE_SHIFT;

	if (!pages)
		return 0;
	capture->page = kvcalloc(pages, sizeof(*capture->page), GFP_KERNEL);
	capture->addr = kvcalloc(pages, sizeof(*capture->addr), GFP_KERNEL);
	if (!capture->page || !capture->addr)
		goto free;
	for (i = 0; i < pages; i++) {
		capture->page[i] = alloc_page(GFP_KERNEL);
		if (!capture->page[i])
			goto free;
		capture->max++;
	}
	return 0;

free:
	kcs_capture_free(capture);
	return -ENOMEM;
}

void kcs_capture_free(struct kcs_capture *capture)
{
	unsigned int i;

	for (i = 0; i < capture->max; i++)
		__free_page(capture->page[i]);
	kvfree(capture->page);
	kvfree(capture->addr);
	*capture = (struct kcs_capture) {};
}

/* Look-ups that find nothing cost as well. */
#define LOOKUPS_MAX (4 * (KCS_CAPTURE_LIMIT >> PAGE_SHIFT))

static bool take_page(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	return get_user_pages_remote(mm, addr, 1,
				     FOLL_FORCE | FOLL_DUMP | KCS_FOLL_NOFAULT,
				     page, NULL) == 1;
}

/*
 * Nothing is brought in here, not even where page faults can't be forbidden: what
 * is in swap is only noted.
 */
static enum kcs_page look_up(struct mm_struct *mm, unsigned long addr,
			     struct page **page)
{
	enum kcs_page state;

	kcs_page_run(mm, addr, 1, &state);
	if (state != KCS_PAGE_PRESENT || take_page(mm, addr, page))
		return state;
	/* A mark, or the page of zeros; or it went just now. */
	kcs_page_run(mm, addr, 1, &state);
	return state == KCS_PAGE_PRESENT ? KCS_PAGE_NONE : state;
}

/* Return: was there room for what is there? */
static bool capture_page(struct kcs_capture *capture, struct mm_struct *mm,
			 unsigned long addr)
{
	struct page *page = NULL;
	enum kcs_page state = look_up(mm, addr, &page);

	if (state == KCS_PAGE_NONE)
		return true;
	if (capture->nr == capture->max) {
		if (page)
			put_page(page);
		return false;
	}
	if (state == KCS_PAGE_PRESENT) {
		copy_highpage(capture->page[capture->nr], page);
		put_page(page);
	} else {
		addr |= KCS_CAPTURE_ELSEWHERE;
		capture->elsewhere++;
	}
	capture->addr[capture->nr++] = addr;
	return true;
}

unsigned long kcs_capture_range(struct kcs_capture *capture, struct mm_struct *mm,
				unsigned long start, unsigned long end)
{
	unsigned long addr = start;
	unsigned int lookups = 0;

	for (;;) {
		addr = kcs_next_populated(mm, addr, end);
		if (addr >= end)
			return end;
		if (lookups++ == LOOKUPS_MAX)
			return addr;
		if (!capture_page(capture, mm, addr))
			return addr;
		addr += PAGE_SIZE;
	}
}

/* The index of the first captured page from @addr on. */
static unsigned int search(const struct kcs_capture *capture, unsigned long addr)
{
	unsigned int low = 0, high = capture->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (capture->addr[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct page *kcs_capture_find(const struct kcs_capture *capture, unsigned long addr,
			      bool *elsewhere)
{
	unsigned int i = search(capture, addr);

	*elsewhere = i < capture->nr &&
		     capture->addr[i] == (addr | KCS_CAPTURE_ELSEWHERE);
	return i < capture->nr && capture->addr[i] == addr ? capture->page[i] : NULL;
}

unsigned long kcs_capture_next(const struct kcs_capture *capture, unsigned long addr)
{
	unsigned int i = search(capture, addr);

	return i < capture->nr ? capture->addr[i] & PAGE_MASK : ULONG_MAX;
}
