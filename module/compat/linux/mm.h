/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_MM_H
#define _KCS_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/version.h>

/*
 * Linux kernel commit ca5e863233e8 ("mm/gup: remove vmas parameter from
 * get_user_pages_remote()") (in v6.5).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define get_user_pages_remote(mm, start, nr, flags, pages, locked) \
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#endif

/*
 * Linux kernel commit 55b8fe703bc5 ("gup: Introduce FOLL_NOFAULT flag to
 * disable page faults") (in v5.16). Without it, a page that is not present
 * can't be told from one that is before it is brought in.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
#define KCS_FOLL_NOFAULT 0
#else
#define KCS_FOLL_NOFAULT FOLL_NOFAULT
#endif

/*
 * Linux kernel commit bb6525f2f8c4 ("mm: add bitmap mm->flags field") (in
 * v6.18), with its accessors.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
static inline bool mm_flags_test(int flag, const struct mm_struct *mm)
{
	return test_bit(flag, &mm->flags);
}

static inline void mm_flags_set(int flag, struct mm_struct *mm)
{
	set_bit(flag, &mm->flags);
}
#endif

/*
 * Linux kernel commit 9dc21bbd62ed ("prctl: extend PR_SET_THP_DISABLE to
 * optionally exclude VM_HUGEPAGE") (in v6.18).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define MMF_DISABLE_THP_COMPLETELY MMF_DISABLE_THP
#endif

/*
 * Linux kernel commit a458b76a4171 ("mm: gup: pack has_pinned in MMF_HAS_PINNED")
 * (in v5.14).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
static inline bool kcs_mm_has_pinned(struct mm_struct *mm)
{
	return atomic_read(&mm->has_pinned);
}

static inline void kcs_mm_set_has_pinned(struct mm_struct *mm)
{
	atomic_set(&mm->has_pinned, 1);
}
#else
static inline bool kcs_mm_has_pinned(struct mm_struct *mm)
{
	return mm_flags_test(MMF_HAS_PINNED, mm);
}

static inline void kcs_mm_set_has_pinned(struct mm_struct *mm)
{
	mm_flags_set(MMF_HAS_PINNED, mm);
}
#endif

/*
 * Linux kernel commits 78fbe906cc90 ("mm/page-flags: reuse PG_mappedtodisk as
 * PG_anon_exclusive for PageAnon() pages") and 6c287605fd56 ("mm: remember
 * exclusively mapped anonymous pages with PG_anon_exclusive") (in v5.19). Before,
 * what is mapped writable is what the next write does not copy.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 19, 0)
static inline bool kcs_page_is_exclusive(const struct page *page, bool writable)
{
	return writable;
}

/* Will fork copy this anonymous page, as it may be pinned? */
static inline bool kcs_fork_copies(struct page *page)
{
	return page_maybe_dma_pinned(page);
}

/*
 * Will this page stay with the target, once pinned, when it forks? Reclaim that
 * has begun may unmap it still. And a huge page that is mapped read-only and
 * nowhere else is written in place, but small ones, which fork would split it
 * into, are copied.
 */
static inline bool kcs_pin_keeps(struct page *head, bool writable)
{
	return writable && !PageLocked(head) && !PageSwapCache(head);
}
#else
static inline bool kcs_page_is_exclusive(struct page *page, bool writable)
{
	return PageAnonExclusive(page);
}

static inline bool kcs_fork_copies(struct page *page)
{
	return PageAnonExclusive(page) && folio_maybe_dma_pinned(page_folio(page));
}

static inline bool kcs_pin_keeps(struct page *head, bool writable)
{
	return true;
}
#endif

/*
 * Linux kernel commit 0f0892356fa1 ("mm: allow multiple error returns in
 * try_grab_page()") (in v6.2) changed its type, and v6.3 hid it. Later v6.2 to
 * v6.4 are not told apart from kernels where nothing needs to be pinned.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define KCS_TRY_GRAB_PAGE
#endif

/**
 * kcs_page_stray_refs() - references to a page that nothing accounts for
 * @head: anonymous, mapped by the caller's page table, which is locked
 *
 * Neither those that map it, nor the swap cache, nor pins. References come
 * before what they are for and go after it, so if the number is off it is too
 * large.
 */
static inline unsigned int kcs_page_stray_refs(struct page *head)
{
#ifdef KCS_TRY_GRAB_PAGE
	bool cached = PageSwapCache(head);
	int nr = compound_nr(head);
	int before = page_count(head);
	int known, i;

	if (!PageCompound(head)) {
		known = page_mapcount(head) + cached;
	} else {
		known = compound_mapcount(head) + head_compound_pincount(head) +
			(cached ? nr : 0);
		for (i = 0; i < nr; i++)
			known += atomic_read(&head[i]._mapcount) + 1;
		if (PageDoubleMap(head))
			known -= nr;
	}
	if (cached != PageSwapCache(head))
		return 1;
	known = max(before, page_count(head)) - known;
	/* Each of a small page's pins counts so much. */
	return PageCompound(head) ? known : (unsigned int)known % GUP_PIN_COUNTING_BIAS;
#else
	return 0;
#endif
}

/*
 * Linux kernel commit bc292ab00f6c ("mm: introduce vma->vm_flags wrapper
 * functions") (in v6.3).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* Linux kernel commit 8be7258aad44 ("mseal: add mseal syscall") (in v6.10). */
#ifndef VM_SEALED
#define VM_SEALED VM_NONE
#endif

/*
 * Linux kernel commits f39af05949a4 ("mm: add VMA iterator") and 763ecb035029
 * ("mm: remove the vma linked list") (in v6.1).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
struct vma_iterator {
	struct mm_struct *mm;
	struct vm_area_struct *next;
};

#define VMA_ITERATOR(name, mm_, addr) \
	struct vma_iterator name = { .mm = (mm_), .next = find_vma(mm_, addr) }

static inline struct vm_area_struct *vma_next(struct vma_iterator *vmi)
{
	struct vm_area_struct *vma = vmi->next;

	if (vma)
		vmi->next = vma->vm_next;
	return vma;
}

#define for_each_vma(vmi, vma) while (((vma) = vma_next(&(vmi))) != NULL)
#endif

#endif
