// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/hugetlb.h>
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

/* Page faults bring nothing in here: what is not present is left out. */
static bool capture_page(struct kcs_capture *capture, struct mm_struct *mm,
			 unsigned long addr)
{
	struct page *page;

	if (get_user_pages_remote(mm, addr, 1,
				  FOLL_FORCE | FOLL_DUMP | KCS_FOLL_NOFAULT,
				  &page, NULL) != 1)
		return true;
	if (capture->nr == capture->max) {
		put_page(page);
		return false;
	}
	copy_highpage(capture->page[capture->nr], page);
	capture->addr[capture->nr++] = addr;
	put_page(page);
	return true;
}

unsigned long kcs_capture_range(struct kcs_capture *capture, struct mm_struct *mm,
				unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);
	bool can_skip = vma && vma_is_anonymous(vma) && !is_vm_hugetlb_page(vma);
	unsigned long addr = start;

	while (addr < end) {
		if (can_skip) {
			addr = kcs_next_populated(mm, addr, end);
			if (addr == end)
				break;
		}
		if (!capture_page(capture, mm, addr))
			break;
		addr += PAGE_SIZE;
	}
	return addr;
}

struct page *kcs_capture_find(const struct kcs_capture *capture, unsigned long addr)
{
	unsigned int low = 0, high = capture->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (capture->addr[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < capture->nr && capture->addr[low] == addr)
		return capture->page[low];
	return NULL;
}
