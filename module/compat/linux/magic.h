/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_MAGIC_H
#define _KCS_COMPAT_LINUX_MAGIC_H

#include_next <linux/magic.h>

/* v5.10 has it in fs/fuse/ alone. */
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

#endif
