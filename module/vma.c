// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/swapops.h>

#include "ksym.h"
#include "mapped.h"
#include "vma.h"

/* Bits of /proc/PID/coredump_filter, core(5). */
#define FILTER_ANON_PRIVATE	BIT(0)
#define FILTER_ANON_SHARED	BIT(1)
#define FILTER_MAPPED_PRIVATE	BIT(2)
#define FILTER_MAPPED_SHARED	BIT(3)
#define FILTER_ELF_HEADERS	BIT(4)
#define FILTER_HUGETLB_PRIVATE	BIT(5)
#define FILTER_HUGETLB_SHARED	BIT(6)
#define FILTER_DAX_PRIVATE	BIT(7)
#define FILTER_DAX_SHARED	BIT(8)

u32 kcs_filter_of(const struct mm_struct *mm)
{
	u32 filter = 0;
	int i;

	for (i = 0; i < MMF_DUMP_FILTER_BITS; i++)
		if (mm_flags_test(MMF_DUMP_FILTER_SHIFT + i, mm))
			filter |= BIT(i);
	return filter;
}

static bool is_special(struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->name && vma->vm_ops->name(vma);
}

/* fs/coredump.c:vma_dump_size() of v5.10 to v7.3 */
static unsigned long dump_size(struct vm_area_struct *vma, bool written, u32 filter)
{
	unsigned long whole = vma->vm_end - vma->vm_start;
	bool shared = vma->vm_flags & VM_SHARED;
	u32 bit;

	if (is_special(vma))
		return whole;
	if (vma->vm_flags & VM_DONTDUMP)
		return 0;
	if (vma_is_dax(vma)) {
		bit = shared ? FILTER_DAX_SHARED : FILTER_DAX_PRIVATE;
		return filter & bit ? whole : 0;
	}
	if (is_vm_hugetlb_page(vma)) {
		bit = shared ? FILTER_HUGETLB_SHARED : FILTER_HUGETLB_PRIVATE;
		return filter & bit ? whole : 0;
	}
	if (vma->vm_flags & VM_IO)
		return 0;
	if (shared) {
		bit = file_inode(vma->vm_file)->i_nlink == 0 ?
			FILTER_ANON_SHARED : FILTER_MAPPED_SHARED;
		return filter & bit ? whole : 0;
	}
	if (written && (filter & FILTER_ANON_PRIVATE))
		return whole;
	if (!vma->vm_file)
		return 0;
	if (filter & FILTER_MAPPED_PRIVATE)
		return whole;
	if ((filter & FILTER_ELF_HEADERS) && vma->vm_pgoff == 0 &&
	    (vma->vm_flags & VM_READ)) {
		if (READ_ONCE(file_inode(vma->vm_file)->i_mode) & 0111)
			return PAGE_SIZE;
		return KCS_SIZE_MAYBE_ELF;
	}
	return 0;
}

static enum kcs_source source_of(struct vm_area_struct *vma, enum kcs_source memory)
{
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return KCS_SRC_ZERO;
	if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE))
		return kcs_file_may_be_read(vma->vm_file) ? KCS_SRC_FILE :
							    KCS_SRC_LIVE;
	return memory;
}

/* What huge pages without a file have for one is empty. */
static bool is_of_file(struct vm_area_struct *vma)
{
	if (!vma->vm_file || is_special(vma))
		return false;
	return !is_vm_hugetlb_page(vma) || READ_ONCE(vma->vm_file->f_mapping->nrpages);
}

static struct kcs_segment *add_segment(struct kcs_segments *segs,
				       struct vm_area_struct *vma, u32 filter,
				       enum kcs_source memory)
{
	struct kcs_segment *seg;

	if (segs->nr == segs->max)
		return NULL;
	seg = &segs->table[segs->nr++];
	*seg = (struct kcs_segment) {
		.start = vma->vm_start,
		.end = vma->vm_end,
		.size = dump_size(vma, vma->anon_vma, filter),
		.pgoff = vma->vm_pgoff,
		.flags = vma->vm_flags,
		.file = vma->vm_file ? get_file(vma->vm_file) : NULL,
		.of_file = is_of_file(vma),
		.source = source_of(vma, memory),
		.special = is_special(vma),
		.written = vma->anon_vma,
	};
	return seg;
}

int kcs_segments_alloc(struct kcs_segments *segs, unsigned int max)
{
	segs->table = kvmalloc_array(max, sizeof(*segs->table), GFP_KERNEL);
	if (!segs->table)
		return -ENOMEM;
	segs->max = max;
	return 0;
}

void kcs_segments_free(struct kcs_segments *segs)
{
	unsigned int i;

	for (i = 0; i < segs->nr; i++)
		if (segs->table[i].file)
			fput(segs->table[i].file);
	kvfree(segs->table);
	*segs = (struct kcs_segments) {};
}

void kcs_segments_put_files(struct kcs_segments *segs)
{
	unsigned int i;

	for (i = 0; i < segs->nr; i++) {
		struct kcs_segment *seg = &segs->table[i];

		if (seg->size || !seg->file)
			continue;
		fput(seg->file);
		seg->file = NULL;
	}
}

/* The clone neither needs memory committed to it, nor may it refuse to be unmapped. */
static void drop_flags(struct vm_area_struct *vma, s64 *committed)
{
	vm_flags_t flags = vma->vm_flags & VM_SEALED;

	if (committed && vma->vm_flags & VM_ACCOUNT) {
		*committed += vma_pages(vma);
		flags |= VM_ACCOUNT;
	}
	if (flags)
		vm_flags_clear(vma, flags);
}

int kcs_segments_record(struct kcs_segments *segs, struct mm_struct *mm,
			u32 filter, enum kcs_source memory, s64 *committed)
{
	struct vm_area_struct *vma, *gate;
	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		if (!add_segment(segs, vma, filter, memory))
			return -ENOSPC;
		if (memory == KCS_SRC_CLONE)
			drop_flags(vma, committed);
	}
	/* Its one page can be read where vsyscalls are emulated, else not. */
	gate = kcs_gate_vma(mm);
	if (gate && !add_segment(segs, gate, filter, memory))
		return -ENOSPC;
	segs->recorded = segs->nr;
	return 0;
}

static struct kcs_segment *find_segment(struct kcs_segments *segs, unsigned long start)
{
	unsigned int low = 0, high = segs->recorded;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (segs->table[mid].start < start)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < segs->recorded && segs->table[low].start == start)
		return &segs->table[low];
	return NULL;
}

struct kcs_segment *kcs_segments_exclude(struct kcs_segments *segs,
					 struct vm_area_struct *vma, u32 filter)
{
	struct kcs_segment *seg = NULL;

	/* What comes from the target alone is not in the table, and is appended. */
	if (!(vma->vm_flags & VM_DONTCOPY))
		seg = find_segment(segs, vma->vm_start);
	if (!seg)
		seg = add_segment(segs, vma, filter, KCS_SRC_LIVE);
	if (!seg)
		return NULL;
	seg->size = dump_size(vma, vma->anon_vma, filter);
	if (kcs_vma_excluded(vma->vm_flags))
		seg->source = KCS_SRC_LIVE;
	return seg;
}

static int by_start(const void *a, const void *b)
{
	const struct kcs_segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void kcs_segments_sort(struct kcs_segments *segs)
{
	/* What was recorded is in order. */
	if (segs->nr == segs->recorded)
		return;
	sort(segs->table, segs->nr, sizeof(*segs->table), by_start, NULL);
}

/* All within one VMA. */
static unsigned long next_in_tables(struct mm_struct *mm, unsigned long addr,
				    unsigned long end)
{
	while (addr < end) {
		pgd_t *pgd = pgd_offset(mm, addr);
		p4d_t *p4d;
		pud_t *pud;

		if (pgd_none(*pgd)) {
			addr = pgd_addr_end(addr, end);
			continue;
		}
		p4d = p4d_offset(pgd, addr);
		if (p4d_none(*p4d)) {
			/* Where p4d is folded, its end is what it is told (pgtable-nop4d.h). */
			addr = p4d_addr_end(addr, pgd_addr_end(addr, end));
			continue;
		}
		pud = pud_offset(p4d, addr);
		if (pud_none(READ_ONCE(*pud))) {
			addr = pud_addr_end(addr, end);
			continue;
		}
		/* A target may have mapped something else there since. */
		if (!pud_present(READ_ONCE(*pud)) || pud_leaf(READ_ONCE(*pud)))
			return addr;
		if (!pmd_none(READ_ONCE(*pmd_offset(pud, addr))))
			return addr;
		addr = pmd_addr_end(addr, end);
		if (!(addr & ~PUD_MASK))
			cond_resched();
	}
	return end;
}

/*
 * munmap() downgrades the mmap_lock once the VMAs are gone, and frees their page
 * tables while others hold it for reading. Those of shared hugetlb can go without
 * it (huge_pmd_unshare()).
 */
static bool has_own_tables(struct vm_area_struct *vma)
{
	return !is_vm_hugetlb_page(vma) || !(vma->vm_flags & VM_MAYSHARE);
}

unsigned long kcs_next_populated(struct mm_struct *mm, unsigned long addr,
				 unsigned long end)
{
	while (addr < end) {
		struct vm_area_struct *vma = find_vma(mm, addr);
		unsigned long stop;

		if (!vma || vma->vm_start >= end)
			return end;
		addr = max(addr, vma->vm_start);
		stop = min(end, vma->vm_end);
		if (has_own_tables(vma))
			addr = next_in_tables(mm, addr, stop);
		else
			addr = stop;
		if (addr < stop)
			return addr;
	}
	return end;
}

static enum kcs_page page_state(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud, pudval;
	pmd_t pmd;
	pte_t pte;

	if (pgd_none(*pgd))
		return KCS_PAGE_NONE;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return KCS_PAGE_NONE;
	pud = pud_offset(p4d, addr);
	pudval = READ_ONCE(*pud);
	if (pud_none(pudval))
		return KCS_PAGE_NONE;
	if (!pud_present(pudval) || pud_leaf(pudval))
		return pud_present(pudval) ? KCS_PAGE_PRESENT : KCS_PAGE_ELSEWHERE;
	pmd = READ_ONCE(*pmd_offset(pud, addr));
	if (pmd_none(pmd))
		return KCS_PAGE_NONE;
	if (!pmd_present(pmd) || pmd_leaf(pmd))
		return pmd_present(pmd) ? KCS_PAGE_PRESENT : KCS_PAGE_ELSEWHERE;
	pte = READ_ONCE(*pte_offset_kernel(&pmd, addr));
	if (pte_none(pte))
		return KCS_PAGE_NONE;
	if (pte_present(pte))
		return KCS_PAGE_PRESENT;
	/* To bring in what is marked would be the fault that its owner waits for. */
	return kcs_pte_is_uffd_mark(pte) ? KCS_PAGE_NONE : KCS_PAGE_ELSEWHERE;
}

unsigned int kcs_page_run(struct mm_struct *mm, unsigned long addr, unsigned int max,
			  enum kcs_page *state)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	unsigned long end = ULONG_MAX & PAGE_MASK;
	unsigned int run = 0;

	*state = KCS_PAGE_NONE;
	if (vma)
		end = vma->vm_start > addr ? vma->vm_start : vma->vm_end;
	max = min_t(unsigned long, max, (end - addr) >> PAGE_SHIFT);
	if (!vma || vma->vm_start > addr || !has_own_tables(vma))
		return max;
	/* Where PTE pages may go under an mmap_lock held for reading, RCU frees them. */
	rcu_read_lock();
	*state = page_state(mm, addr);
	do
		run++;
	while (run < max && page_state(mm, addr + run * PAGE_SIZE) == *state);
	rcu_read_unlock();
	return run;
}
