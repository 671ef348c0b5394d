/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a request to a core that is laid out: admit, prepare, park, clone beside
 * reading registers, release, lay out. Everything slow comes before the pause
 * or after it.
 */
#ifndef _KCS_TAKE_H
#define _KCS_TAKE_H

struct kcs_forecast;
struct kcs_refusal;
struct kcs_request;
struct kcs_snapshot;
struct kcs_target;

/**
 * kcs_take() - take a snapshot, or predict one
 * @target: held; put before it returns
 * @req: the request
 * @forecast: filled in as far as the request got
 * @why: filled in on error
 *
 * Context: sleeps, killably.
 * Return: the snapshot, not in the list yet; NULL for a dry run that would not
 * be refused; or an ERR_PTR.
 */
struct kcs_snapshot *kcs_take(const struct kcs_target *target,
			      const struct kcs_request *req,
			      struct kcs_forecast *forecast,
			      struct kcs_refusal *why);

#endif
