/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_LINUX_UIO_H
#define _KCS_COMPAT_LINUX_UIO_H

#include_next <linux/uio.h>

/*
 * Linux kernel commit de4eda9de2d9 ("use less confusing names for iov_iter
 * direction initializers") (in v6.2, and in later stable kernels).
 */
#ifndef ITER_DEST
#define ITER_DEST 0	/* READ */
#endif

#endif
