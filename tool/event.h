/* SPDX-License-Identifier: GPL-2.0 */
/* Following the multicast group "events". */
#ifndef KCS_EVENT_H
#define KCS_EVENT_H

#include "nl.h"

/**
 * typedef kcs_event_fn - takes one event
 * @cmd: enum kcoresnap_cmd
 * @attrs: as in kcs_nl_reply_fn
 * @arg: the caller's
 */
typedef void kcs_event_fn(uint8_t cmd, struct nlattr **attrs, void *arg);

/**
 * kcs_event_join() - join the group
 * @nl: open; nothing is asked over it any more
 *
 * That the family goes away is an event too.
 *
 * Return: 0, or the -errno of joining: -EPERM, or -ENOENT where there is no group.
 */
int kcs_event_join(struct kcs_nl *nl);

/**
 * kcs_event_receive() - take what has come
 * @nl: joined, and readable
 * @fn: called for each event
 * @arg: for @fn
 *
 * Return: 0; -ENOBUFS if events were lost; -ENOENT if the module was unloaded;
 * another -errno.
 */
int kcs_event_receive(struct kcs_nl *nl, kcs_event_fn *fn, void *arg);

#endif /* KCS_EVENT_H */
