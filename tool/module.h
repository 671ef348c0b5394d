/* SPDX-License-Identifier: GPL-2.0 */
/* The requests of <linux/kcoresnap.h> as functions; what they mean stands there. */
#ifndef KCS_MODULE_H
#define KCS_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "exit.h"
#include "nl.h"
#include "target.h"

#define KCS_VERSION_SIZE 64

/** struct kcs_info - reply to KCORESNAP_CMD_INFO */
struct kcs_info {
	char version[KCS_VERSION_SIZE];
	uint32_t modes;
	uint32_t max_snapshots;
	uint32_t active;
	uint64_t max_pause_us;
	uint32_t policy;
	uint32_t lifetime_s;
};

/**
 * struct kcs_wish - what of KCORESNAP_CMD_SNAPSHOT the user chooses
 * @mode: enum kcoresnap_mode
 * @filter: coredump_filter bits, if @has_filter
 * @has_filter: else the target's own filter holds
 * @max_pause_us: 0 for the module's bound
 * @allow: enum kcoresnap_allow
 * @pids: enum kcoresnap_pids
 * @dry_run: predict only
 */
struct kcs_wish {
	uint32_t mode;
	uint32_t filter;
	bool has_filter;
	uint64_t max_pause_us;
	uint32_t allow;
	uint32_t pids;
	bool dry_run;
};

/**
 * struct kcs_taken - reply to KCORESNAP_CMD_SNAPSHOT
 * @fd: the core, -1 for a dry run
 * @refusal: a dry run's sentence, empty if there is none
 * @err: positive errno of @refusal
 *
 * The others are named as their attributes.
 */
struct kcs_taken {
	int fd;
	uint32_t id;
	uint32_t mode;
	uint64_t size;
	uint64_t data_bytes;
	uint64_t inexact_bound;
	uint32_t threads;
	uint32_t inexact_threads;
	uint32_t segments;
	uint64_t pause_ns;
	uint64_t park_ns;
	uint64_t regs_ns;
	uint64_t clone_ns;
	uint64_t predicted_ns;
	uint64_t growth_bound;
	char refusal[KCS_SENTENCE_SIZE];
	int err;
};

/** struct kcs_entry - one snapshot of KCORESNAP_CMD_LIST */
struct kcs_entry {
	uint32_t id;
	uint32_t pid;
	char comm[KCS_COMM_SIZE];
	uint32_t uid;
	uint32_t mode;
	uint32_t threads;
	uint64_t size;
	uint64_t data_bytes;
	uint64_t pause_ns;
	uint64_t age_ns;
	uint64_t read_bytes;
	uint64_t inexact_bytes;
	uint64_t missed_bytes;
	uint64_t lost_bytes;
	uint32_t dropped;
};

typedef void kcs_entry_fn(const struct kcs_entry *entry, void *arg);

/*
 * kcs_module_*() return KCS_EXIT_OK, or the exit code once the sentence has been
 * said.
 */

enum kcs_exit kcs_module_info(struct kcs_nl *nl, struct kcs_info *info);

/** kcs_module_check() - is the loaded module of this tool's version? */
enum kcs_exit kcs_module_check(struct kcs_nl *nl);

/** kcs_module_take() - take a snapshot; @taken->fd is the caller's to close */
enum kcs_exit kcs_module_take(struct kcs_nl *nl, const struct kcs_target *target,
			      const struct kcs_wish *wish,
			      struct kcs_taken *taken);

/**
 * kcs_module_predict() - a dry run of which nothing is said
 * @nl: open
 * @target: the process
 * @wish: the same as for a snapshot
 * @taken: filled; @taken->fd is -1
 *
 * Return: 0, or the -errno of a request that failed, with its sentence in
 * @nl->sentence.
 */
int kcs_module_predict(struct kcs_nl *nl, const struct kcs_target *target,
		       const struct kcs_wish *wish, struct kcs_taken *taken);

/**
 * kcs_module_list() - call @each for every snapshot the caller may see
 * @nl: open
 * @each: called
 * @arg: for it
 *
 * Return: 0, or -errno for kcs_nl_fail().
 */
int kcs_module_list(struct kcs_nl *nl, kcs_entry_fn *each, void *arg);

/**
 * kcs_module_entry() - what a message of the list, or an event, tells of a snapshot
 * @attrs: of the message
 * @entry: filled, with a name that can be printed; what is absent is 0
 */
void kcs_module_entry(struct nlattr **attrs, struct kcs_entry *entry);

enum kcs_exit kcs_module_cancel(struct kcs_nl *nl, uint32_t id);

#endif /* KCS_MODULE_H */
