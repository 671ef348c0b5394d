/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segment table: what each VMA of the target becomes in the core, as
 * fs/coredump.c:vma_dump_size() chooses, and where its bytes come from.
 *
 * It is recorded from the clone while the target is parked. What fork leaves
 * out of a clone (VM_DONTCOPY, VM_WIPEONFORK) or what is taken out of it before
 * the target runs on (private hugetlb) is recorded from the target itself; so is
 * everything in modes without a clone.
 */
#ifndef _KCS_VMA_H
#define _KCS_VMA_H

#include <linux/mm.h>
#include <linux/types.h>

struct kcs_refusal;

/**
 * enum kcs_source - where the bytes of a segment come from
 * @KCS_SRC_ZERO: zeros, as in the kernel's own core (vvar, vsyscall)
 * @KCS_SRC_CLONE: the clone
 * @KCS_SRC_FILE: the mapped file, read live
 * @KCS_SRC_CAPTURED: copied while parked up to @captured_end, live from there
 * @KCS_SRC_LIVE: the target, read live
 */
enum kcs_source {
	KCS_SRC_ZERO,
	KCS_SRC_CLONE,
	KCS_SRC_FILE,
	KCS_SRC_CAPTURED,
	KCS_SRC_LIVE,
};

/**
 * struct kcs_segment - one VMA
 * @start: first address
 * @end: first address behind it
 * @size: bytes of it in the core; KCS_SIZE_MAYBE_ELF until resolved
 * @captured_end: see KCS_SRC_CAPTURED
 * @pgoff: offset in @file, in pages
 * @flags: VM_* of the target's VMA
 * @file: mapped file, with a reference, or NULL
 * @of_file: what is not mapped of it is in @file
 * @source: enum kcs_source
 * @special: named by its vm_ops (vdso and the like): exact, though not anonymous
 * @written: it has pages of its own, or once had
 */
struct kcs_segment {
	unsigned long start;
	unsigned long end;
	unsigned long size;
	unsigned long captured_end;
	unsigned long pgoff;
	unsigned long flags;
	struct file *file;
	bool of_file;
	enum kcs_source source;
	bool special;
	bool written;
};

/* The first page, if it begins with the ELF magic; known after release. */
#define KCS_SIZE_MAYBE_ELF 1UL

/**
 * struct kcs_segments - the table
 * @max: entries there is room for
 * @nr: entries in use
 * @recorded: of these, entries that kcs_segments_record() made, by address
 * @table: all by address, once kcs_segments_sort() ran
 */
struct kcs_segments {
	unsigned int max;
	unsigned int nr;
	unsigned int recorded;
	struct kcs_segment *table;
};

/* Mappings that must not stay in a clone while the target runs. */
#define KCS_TRIM_FLAGS (VM_SHARED | VM_MAYSHARE | VM_HUGETLB | VM_IO | VM_PFNMAP)

/**
 * kcs_vma_excluded() - is its content missing from the clone at release?
 * @flags: VM_* of a target's VMA
 */
static inline bool kcs_vma_excluded(unsigned long flags)
{
	if (flags & (VM_SHARED | VM_MAYSHARE | VM_IO | VM_PFNMAP))
		return false;
	return flags & (VM_DONTCOPY | VM_WIPEONFORK | VM_HUGETLB);
}

/**
 * kcs_filter_of() - a target's coredump_filter
 *
 * Return: bits as /proc/PID/coredump_filter shows them.
 */
u32 kcs_filter_of(const struct mm_struct *mm);

/** kcs_filter_has_anon() - does a coredump_filter include private anonymous memory? */
static inline bool kcs_filter_has_anon(u32 filter)
{
	return filter & BIT(0);
}

/** kcs_segments_wanted() - entries that a target will take, with some to spare */
static inline unsigned int kcs_segments_wanted(const struct mm_struct *mm)
{
	unsigned int vmas = READ_ONCE(mm->map_count);

	return vmas + vmas / 8 + 64;
}

/** kcs_segments_alloc() - room for @max entries. Return: 0 or -ENOMEM. */
int kcs_segments_alloc(struct kcs_segments *segs, unsigned int max);
void kcs_segments_free(struct kcs_segments *segs);

/**
 * kcs_segments_record() - record the VMAs of a clone, or of a target
 * @segs: allocated, empty
 * @mm: the caller holds its mmap_lock, that of a clone for writing: its VMAs
 *	are no longer sealed (mseal(2)) from then on
 * @filter: coredump_filter bits
 * @memory: where private memory comes from: KCS_SRC_CLONE or KCS_SRC_LIVE
 * @committed: of a clone; if not NULL, no VMA is accounted as committed any
 *	longer, and the pages that were are added to it, which the caller has to
 *	give back
 *
 * Return: 0, or -ENOSPC if there are more VMAs than room.
 */
int kcs_segments_record(struct kcs_segments *segs, struct mm_struct *mm,
			u32 filter, enum kcs_source memory, s64 *committed);

/**
 * kcs_segments_exclude() - find or add the entry of a VMA that the clone does
 *	not have, or not hold the content of
 * @segs: kcs_segments_record() ran
 * @vma: of the target, whose mmap_lock is held; VM_DONTCOPY or
 *	kcs_vma_excluded(), by which its source is KCS_SRC_LIVE
 * @filter: coredump_filter bits
 *
 * Return: the entry, or NULL if there is no room.
 */
struct kcs_segment *kcs_segments_exclude(struct kcs_segments *segs,
					 struct vm_area_struct *vma, u32 filter);

/**
 * kcs_segments_put_files() - let go of the files of which nothing will be read
 *
 * A file that is kept open keeps its locks, its device and its file system
 * busy when the target is gone. Paths can't be told any more.
 */
void kcs_segments_put_files(struct kcs_segments *segs);

/** kcs_segments_sort() - put entries in the order of their addresses */
void kcs_segments_sort(struct kcs_segments *segs);

/**
 * kcs_next_populated() - skip unpopulated page tables
 * @mm: the caller holds its mmap_lock for reading
 * @addr: any
 * @end: above it
 *
 * In a file mapping, what is skipped may still be in the file. Looks at pgd to
 * pmd only, and only where there is a VMA: under one, page-table pages above a
 * PTE page stay as long as the lock is held; PTE pages may go at any time.
 * Shared hugetlb is skipped, as its page tables belong to other processes too.
 *
 * Context: may sleep.
 * Return: the first address from @addr on under whose pmd there may be a page,
 * or @end.
 */
unsigned long kcs_next_populated(struct mm_struct *mm, unsigned long addr,
				 unsigned long end);

/**
 * enum kcs_page - what a page table says of a page
 * @KCS_PAGE_NONE: nothing: a hole, or a page that is still in the file
 * @KCS_PAGE_PRESENT: it is mapped
 * @KCS_PAGE_ELSEWHERE: it was written, and is in swap or on its way
 */
enum kcs_page {
	KCS_PAGE_NONE,
	KCS_PAGE_PRESENT,
	KCS_PAGE_ELSEWHERE,
};

/**
 * kcs_page_run() - look pages up, touching nothing
 * @mm: the caller holds its mmap_lock for reading
 * @addr: page-aligned
 * @max: pages to look at, at least 1
 * @state: of all pages of the run; a hint, for it may change at any time. Where
 *	there is no VMA, and in shared hugetlb, it is KCS_PAGE_NONE
 *
 * Return: pages from @addr on that are alike, at least 1.
 */
unsigned int kcs_page_run(struct mm_struct *mm, unsigned long addr, unsigned int max,
			  enum kcs_page *state);

#endif
