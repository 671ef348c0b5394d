/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_SWAPOPS_H
#define _KCS_COMPAT_LINUX_SWAPOPS_H

#include <linux/swap.h>
#include_next <linux/swapops.h>

/*
 * Does userfaultfd protect what is not there? v5.10 has no mark for that, and
 * others have one function or another. @pte is neither none nor present.
 */
static inline bool kcs_pte_is_uffd_mark(pte_t pte)
{
#ifdef CONFIG_PTE_MARKER_UFFD_WP
	swp_entry_t entry = __pte_to_swp_entry(pte);

	return __swp_type(entry) == SWP_PTE_MARKER &&
	       __swp_offset(entry) & PTE_MARKER_UFFD_WP;
#else
	return false;
#endif
}

#endif
