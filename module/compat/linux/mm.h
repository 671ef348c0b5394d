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
static inline bool kcs_mm_has_pinned(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
	return atomic_read(&mm->has_pinned);
#else
	return mm_flags_test(MMF_HAS_PINNED, mm);
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
