/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/PID/stat and /proc/PID/status, see proc(5). Pure functions. */
#ifndef KCS_STAT_H
#define KCS_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KCS_COMM_SIZE 64

/**
 * struct kcs_stat - what is used of /proc/PID/stat
 * @comm: field 2, cut to fit
 * @state: field 3
 * @kernel: by field 9, a thread of the kernel
 * @threads: field 20
 * @start_time: field 22, clock ticks
 * @rss_pages: field 24
 */
struct kcs_stat {
	char comm[KCS_COMM_SIZE];
	char state;
	bool kernel;
	uint64_t threads;
	uint64_t start_time;
	uint64_t rss_pages;
};

/**
 * kcs_stat_parse() - parse the text of /proc/PID/stat
 * @text: NUL-terminated; field 2 may hold blanks, parentheses and newlines
 * @stat: filled on success
 *
 * Return: 0, or -EINVAL for text of another form.
 */
int kcs_stat_parse(const char *text, struct kcs_stat *stat);

/**
 * kcs_stat_is_dead() - has the process exited, or is it none?
 * @stat: of a thread group leader
 *
 * One whose leader only has exited is alive.
 */
bool kcs_stat_is_dead(const struct kcs_stat *stat);

/**
 * kcs_status_tgid() - thread group leader in the text of /proc/PID/status
 * @text: NUL-terminated
 *
 * Return: the pid, or -EINVAL for text of another form.
 */
pid_t kcs_status_tgid(const char *text);

/* As many as the kernel nests (MAX_PID_NS_LEVEL), and the outermost. */
#define KCS_PID_LEVELS 33

/**
 * kcs_status_nspids() - the pids in the text of /proc/PID/status
 * @text: NUL-terminated
 * @pids: KCS_PID_LEVELS of them: that in the pid namespace of /proc first, that in
 *	the process's own last
 *
 * Return: how many, or -EINVAL for text of another form.
 */
int kcs_status_nspids(const char *text, pid_t *pids);

#endif /* KCS_STAT_H */
