/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_REFUSAL_H
#define _KCS_REFUSAL_H

#include <linux/compiler_attributes.h>

#define KCS_REFUSAL_LEN 256	/* bytes, with the NUL */

/**
 * struct kcs_refusal - why a request was refused
 * @err: positive errno, 0 as long as nothing was refused
 * @msg: one sentence that says what was refused and what to do instead
 */
struct kcs_refusal {
	int err;
	char msg[KCS_REFUSAL_LEN];
};

/**
 * kcs_refuse() - refuse a request
 * @why: filled in; the first refusal stands
 * @err: positive errno
 * @fmt: the sentence, without a newline
 *
 * Return: -@why->err, for the caller to return in turn.
 */
__printf(3, 4)
int kcs_refuse(struct kcs_refusal *why, int err, const char *fmt, ...);

/**
 * kcs_refuse_nomem() - refuse a request for want of kernel memory
 * @why: as above
 *
 * Return: -ENOMEM, or the earlier refusal.
 */
int kcs_refuse_nomem(struct kcs_refusal *why);

/**
 * kcs_refuse_killed() - a killable wait was cut short by SIGKILL
 * @why: as above
 *
 * Return: -EINTR, or the earlier refusal.
 */
int kcs_refuse_killed(struct kcs_refusal *why);

#endif
