/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Multicast group "events"; see include/uapi/linux/kcoresnap.h. An event that
 * can't be sent is lost: nobody waits for it.
 */
#ifndef _KCS_EVENT_H
#define _KCS_EVENT_H

struct kcs_refusal;
struct kcs_request;
struct kcs_snapshot;

/** kcs_event_taken() - a snapshot was taken */
void kcs_event_taken(const struct kcs_snapshot *snap);

/** kcs_event_failed() - a request was refused; called in the requester's context */
void kcs_event_failed(const struct kcs_request *req, const struct kcs_refusal *why);

/** kcs_event_closed() - a snapshot ends; its counts are final */
void kcs_event_closed(const struct kcs_snapshot *snap);

#endif
