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
 * disable page faults") (in v5.17). Without it, a page that is not present
 * can't be told from one that is before it is brought in.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
#define KCS_FOLL_NOFAULT 0
#else
#define KCS_FOLL_NOFAULT FOLL_NOFAULT
#endif

/*
 * Linux kernel commit 12e423ba4eae ("mm: convert core mm to mm_flags_*()
 * accessors") (in v6.18).
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
 * Linux kernel commit a458b76a4179 ("mm: gup: pack has_pinned in MMF_HAS_PINNED")
 * (in v5.14).
 */
static inline bool kcs_mm_has_pinned(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
	return atomic_read(&mm->has_pinned);
#else
	return mm_flags_test(MMF_HAS_PINNED, mm);
#endif
}

/*
 * Linux kernel commit 524e00b36e8c ("mm: remove rb tree") (in v6.1): the list
 * of VMAs gave way to the maple tree and its iterator.
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
