/* SPDX-License-Identifier: GPL-2.0 */
/* Scope guards: what is declared with one is let go when it leaves scope. */
#ifndef KCS_CLEANUP_H
#define KCS_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define KCS_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void kcs_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void kcs_free(void *ptr)
{
	free(*(void **)ptr);
}

#endif /* KCS_CLEANUP_H */
