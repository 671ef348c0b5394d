/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_USERFAULTFD_K_H
#define _KCS_COMPAT_LINUX_USERFAULTFD_K_H

#include_next <linux/userfaultfd_k.h>

/* Where pages are protected that are not there. v5.10 has no marks for that; v7.2 calls them by another name. */
#ifndef CONFIG_PTE_MARKER_UFFD_WP
static inline bool kcs_pte_is_uffd_mark(pte_t pte)
{
	return false;
}
#elif __has_include(<linux/leafops.h>)
#include <linux/leafops.h>
#define kcs_pte_is_uffd_mark pte_is_uffd_wp_marker
#else
#define kcs_pte_is_uffd_mark pte_marker_uffd_wp
#endif

#endif
