/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/PID/stat and /proc/PID/status, see proc(5). Pure functions. */
#ifndef KCS_STAT_H
#define KCS_STAT_H

#include <stdint.h>
#include <sys/types.h>

#define KCS_COMM_SIZE 64

/**
 * struct kcs_stat - what is used of /proc/PID/stat
 * @comm: field 2, cut to fit
 * @state: field 3
 * @start_time: field 22, clock ticks
 */
struct kcs_stat {
	char comm[KCS_COMM_SIZE];
	char state;
	uint64_t start_time;
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
 * kcs_status_tgid() - thread group leader in the text of /proc/PID/status
 * @text: NUL-terminated
 *
 * Return: the pid, or -EINVAL for text of another form.
 */
pid_t kcs_status_tgid(const char *text);

#endif /* KCS_STAT_H */
