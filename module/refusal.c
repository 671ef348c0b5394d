// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "refusal.h"

int kcs_refuse(struct kcs_refusal *why, int err, const char *fmt, ...)
{
	va_list args;

	if (why->err)
		return -why->err;
	why->err = err;
	va_start(args, fmt);
	vscnprintf(why->msg, sizeof(why->msg), fmt, args);
	va_end(args);
	return -err;
}

int kcs_refuse_nomem(struct kcs_refusal *why)
{
	return kcs_refuse(why, ENOMEM,
			  "the kernel has no memory left for the snapshot's own tables: free some and try again");
}

int kcs_refuse_killed(struct kcs_refusal *why)
{
	return kcs_refuse(why, EINTR, "the caller was killed while the snapshot was taken");
}
