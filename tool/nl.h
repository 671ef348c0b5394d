/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the family over generic netlink, and the sentences that come back
 * as extended acknowledgements, which libnl does not know.
 */
#ifndef KCS_NL_H
#define KCS_NL_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "exit.h"

#define KCS_SENTENCE_SIZE 512

/**
 * struct kcs_nl - a connection to the module
 * @sock: the socket
 * @family: number of the family
 * @version: version of the family
 * @group: number of its multicast group "events", 0 if it has none
 * @sentence: of the last answer, empty if it held none
 */
struct kcs_nl {
	struct nl_sock *sock;
	int family;
	uint8_t version;
	uint32_t group;
	char sentence[KCS_SENTENCE_SIZE];
};

/**
 * typedef kcs_nl_reply_fn - takes one message of an answer
 * @attrs: by enum kcoresnap_attr, absent ones are NULL; lengths were checked
 * @arg: the caller's
 */
typedef void kcs_nl_reply_fn(struct nlattr **attrs, void *arg);

/**
 * kcs_nl_connect() - open a socket and find the family
 * @nl: zeroed
 *
 * Return: 0; -ENOENT if there is no such family; another -errno.
 */
int kcs_nl_connect(struct kcs_nl *nl);

/**
 * kcs_nl_open() - kcs_nl_connect() or say what to do
 * @nl: zeroed
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_nl_open(struct kcs_nl *nl);

/** kcs_nl_close() - close the socket; @nl may be zeroed only */
void kcs_nl_close(struct kcs_nl *nl);

/**
 * kcs_nl_request() - begin a request
 * @nl: connected
 * @cmd: enum kcoresnap_cmd
 * @dump: whether all objects are asked for
 *
 * Return: the message, or NULL without memory.
 */
struct nl_msg *kcs_nl_request(struct kcs_nl *nl, uint8_t cmd, bool dump);

/**
 * kcs_nl_call() - send a request and take the whole answer
 * @nl: connected; @sentence is filled
 * @msg: freed in any case; NULL is -ENOMEM, so that errors of
 *	kcs_nl_request() and of adding attributes can be left to here
 * @reply: called per message, may be NULL
 * @arg: for @reply
 *
 * Return: 0 or -errno; -EBADMSG for an answer that is malformed.
 */
int kcs_nl_call(struct kcs_nl *nl, struct nl_msg *msg, kcs_nl_reply_fn *reply,
		void *arg);

/**
 * kcs_nl_parse() - the attributes of a message of the family
 * @nlh: the message
 * @attrs: KCORESNAP_A_MAX + 1 of them, by enum kcoresnap_attr
 *
 * Return: whether it is well formed.
 */
bool kcs_nl_parse(struct nlmsghdr *nlh, struct nlattr **attrs);

/**
 * kcs_nl_fail() - say why a call failed: the module's sentence where it gave one
 * @nl: of the call
 * @err: what kcs_nl_call() returned
 *
 * Return: the exit code.
 */
enum kcs_exit kcs_nl_fail(const struct kcs_nl *nl, int err);

/* Value of an attribute; 0 or "" if it is absent. */
uint32_t kcs_nl_u32(struct nlattr **attrs, int type);
uint64_t kcs_nl_u64(struct nlattr **attrs, int type);
const char *kcs_nl_string(struct nlattr **attrs, int type);

#endif /* KCS_NL_H */
