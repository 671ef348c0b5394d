// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "vma.h"
#include "walk.h"

#define STEPS 16	/* tables or mappings at a time: below a millisecond */

static bool copied_by_fork(const struct vm_area_struct *vma)
{
	return vma->anon_vma &&
	       !(vma->vm_flags & (KCS_TRIM_FLAGS | VM_DONTCOPY | VM_WIPEONFORK));
}

static int visit_page(struct kcs_walk *walk, struct page *page, unsigned int nr,
		      bool writable)
{
	return PageAnon(page) ? walk->visit(walk, page, nr, writable) : 0;
}

static int visit_entry(struct kcs_walk *walk, pte_t entry)
{
	if (!pte_present(entry)) {
		walk->absent += !pte_none(entry);
		return 0;
	}
	/* Zero pages and memory of devices. */
	if (pte_special(entry) || !pfn_valid(pte_pfn(entry)))
		return 0;
	return visit_page(walk, pfn_to_page(pte_pfn(entry)), 1, pte_write(entry));
}

/* The lock's holder may just have split the page over a table. */
static int visit_huge(struct kcs_walk *walk, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(walk->mm, pmd);
	int err = 0;

	if (!pmd_leaf(*pmd))
		err = -ESTALE;
	else if (pmd_trans_huge(*pmd))
		err = visit_page(walk, pmd_page(*pmd), PTRS_PER_PTE, pmd_write(*pmd));
	spin_unlock(ptl);
	return err;
}

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	return pmd_offset(pud_offset(p4d_offset(pgd_offset(mm, addr), addr), addr), addr);
}

/*
 * What pte_offset_map_lock() makes possible, which has not been callable from
 * modules since it has to cope with page tables that go away (v6.5): these are
 * freed after an RCU grace period, and the pmd is cleared under their lock.
 */
static int visit_table(struct kcs_walk *walk, pmd_t *pmd, pmd_t entry,
		       unsigned long addr, unsigned long end)
{
	spinlock_t *ptl = pte_lockptr(walk->mm, &entry);
	pte_t *pte = pte_offset_kernel(&entry, addr);
	int err = 0;

	spin_lock(ptl);
	if (!pmd_same(entry, READ_ONCE(*pmd)))
		err = -ESTALE;
	for (; addr < end && !err; addr += PAGE_SIZE)
		err = visit_entry(walk, READ_ONCE(*pte++));
	spin_unlock(ptl);
	return err;
}

/* The addresses are within one table. */
static int walk_table(struct kcs_walk *walk, unsigned long addr, unsigned long end)
{
	pmd_t *pmd = find_pmd(walk->mm, addr);
	pmd_t entry;
	int err;

	do {
		rcu_read_lock();
		entry = READ_ONCE(*pmd);
		err = 0;
		if (pmd_leaf(entry))
			err = visit_huge(walk, pmd);
		else if (!pmd_present(entry) || pmd_bad(entry))
			walk->absent += !pmd_none(entry);
		else
			err = visit_table(walk, pmd, entry, addr, end);
		rcu_read_unlock();
	} while (err == -ESTALE);
	return err;
}

int kcs_walk_some(struct kcs_walk *walk)
{
	VMA_ITERATOR(vmi, walk->mm, walk->next);
	struct vm_area_struct *vma;
	unsigned int steps = 0;

	for_each_vma(vmi, vma) {
		unsigned long addr = max(walk->next, vma->vm_start);
		unsigned long end = vma->vm_end;
		int err;

		while (copied_by_fork(vma)) {
			addr = kcs_next_populated(walk->mm, addr, end);
			if (addr >= end)
				break;
			err = walk_table(walk, addr, pmd_addr_end(addr, end));
			if (err)
				return err;
			addr = pmd_addr_end(addr, end);
			walk->next = addr;
			if (++steps == STEPS)
				return 1;
		}
		walk->next = end;
		if (++steps == STEPS)
			return 1;
	}
	return 0;
}
