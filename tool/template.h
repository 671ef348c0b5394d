/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of cores with the specifiers of core(5), as the kernel's core_pattern
 * has them. Pure functions: no message, no state.
 */
#ifndef KCS_TEMPLATE_H
#define KCS_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct kcs_facts - what the specifiers stand for, of a live process
 * @pid: %P, the process in the pid namespace of the caller
 * @inner_pid: %p, in its own
 * @tid: %I, the thread that was named, in the pid namespace of the caller
 * @inner_tid: %i, in its own
 * @uid: %u, real
 * @gid: %g, real
 * @time: %t, seconds since the epoch
 * @core_limit: %c, soft RLIMIT_CORE in bytes
 * @cpu: %C, on which the thread ran last
 * @dumpable: %d, as PR_GET_DUMPABLE of prctl(2)
 * @host: %h, in its UTS namespace
 * @comm: %e, of the thread
 * @exe: %E, and %f behind its last slash; NULL if it has none
 *
 * %s, the signal, is 0: there is none.
 */
struct kcs_facts {
	pid_t pid;
	pid_t inner_pid;
	pid_t tid;
	pid_t inner_tid;
	uid_t uid;
	gid_t gid;
	uint64_t time;
	uint64_t core_limit;
	int cpu;
	int dumpable;
	const char *host;
	const char *comm;
	const char *exe;
};

/**
 * kcs_template_check() - whether a template can be expanded
 * @text: the template
 * @bad: set to the letter behind a % that is no specifier, 0 for a % at the end
 *
 * Return: 0, or -EINVAL and @bad.
 */
int kcs_template_check(const char *text, char *bad);

/**
 * kcs_template_uses() - whether a specifier stands in a template
 * @text: the template
 * @letters: specifiers, of which one is enough
 */
bool kcs_template_uses(const char *text, const char *letters);

/**
 * kcs_template_tells_apart() - whether two processes of one pid namespace get
 * different names
 * @text: the template
 */
bool kcs_template_tells_apart(const char *text);

/**
 * kcs_template_expand() - the name of a core
 * @text: a template that was checked
 * @facts: for the specifiers
 *
 * A slash in a value becomes '!', so that no value leads into another directory;
 * so do an empty value and the first point of "." and "..".
 *
 * Return: the name, to be freed; NULL without memory.
 */
char *kcs_template_expand(const char *text, const struct kcs_facts *facts);

#endif /* KCS_TEMPLATE_H */
