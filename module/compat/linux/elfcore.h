/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_ELFCORE_H
#define _KCS_COMPAT_LINUX_ELFCORE_H

#include_next <linux/elfcore.h>
#include <linux/version.h>

/*
 * Linux kernel commit f2485a2dc9f0 ("elf_prstatus: collect the common part
 * (everything before pr_reg) into a struct") (in v5.12).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0)
#define kcs_prstatus_common(prstatus) (prstatus)
#else
#define kcs_prstatus_common(prstatus) (&(prstatus)->common)
#endif

#endif
