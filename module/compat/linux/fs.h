/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_FS_H
#define _KCS_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include <linux/version.h>

/*
 * Linux kernel commit f99b3917789d ("fs: rename generic_delete_inode() and
 * generic_drop_inode()") (in v6.18).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define inode_just_drop generic_delete_inode
#endif

/**
 * kcs_dio_pins_pages() - does block direct I/O pin its pages (FOLL_PIN)?
 *
 * fork() copies a pinned page for the child and leaves it to the parent; a
 * page that is only referenced is copied away from the parent under the I/O.
 * Linux kernel commits a7e689dd1c06 ("block: Convert bio_iov_iter_get_pages to
 * use iov_iter_extract_pages") and 1ccf164ec866 ("block: Use
 * iov_iter_extract_pages() and page pinning in direct-io.c") (in v6.5).
 */
static inline bool kcs_dio_pins_pages(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0);
}

#endif
