/* SPDX-License-Identifier: GPL-2.0 */
/* What a template can say of a process, from /proc. */
#ifndef KCS_FACTS_H
#define KCS_FACTS_H

#include <limits.h>

#include "exit.h"
#include "stat.h"
#include "target.h"
#include "template.h"

/**
 * struct kcs_fact_text - where the strings of struct kcs_facts are
 * @host: HOST_NAME_MAX bytes and a NUL
 * @comm: as in /proc/PID/stat
 * @exe: as /proc/PID/exe reads
 */
struct kcs_fact_text {
	char host[HOST_NAME_MAX + 1];
	char comm[KCS_COMM_SIZE];
	char exe[PATH_MAX];
};

/**
 * kcs_facts_read() - look at a process
 * @facts: filled, with the time of now
 * @text: what it points to
 * @target: pinned; a process that has got its pid since then is not taken for it
 *
 * What /proc does not tell: the dumpable mode of a process that isn't dumpable
 * is taken to be what fs.suid_dumpable gives one, and a process of root's to be
 * dumpable.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_facts_read(struct kcs_facts *facts,
			     struct kcs_fact_text *text,
			     const struct kcs_target *target);

#endif /* KCS_FACTS_H */
