/* SPDX-License-Identifier: GPL-2.0 */
/* Files of /proc/PID. Says nothing to people. */
#ifndef KCS_PROC_H
#define KCS_PROC_H

#include <sys/types.h>

#define KCS_PROC_TEXT_SIZE 8192

/**
 * kcs_proc_open() - open /proc/PID
 * @pid: a process or thread
 *
 * The descriptor stands for this very process: once it is gone, everything under
 * it fails, whoever has its pid by then.
 *
 * Return: the descriptor of the directory, or -errno.
 */
int kcs_proc_open(pid_t pid);

/**
 * kcs_proc_read() - read a file of a directory
 * @dir: from kcs_proc_open()
 * @name: path from there
 * @text: KCS_PROC_TEXT_SIZE bytes, filled with a NUL-terminated text; what does
 *	not fit is cut off
 *
 * Return: 0 or -errno.
 */
int kcs_proc_read(int dir, const char *name, char *text);

/**
 * kcs_proc_find() - find a line
 * @text: lines
 * @label: what the line begins with
 *
 * Return: what is behind the label, or NULL.
 */
const char *kcs_proc_find(const char *text, const char *label);

/**
 * kcs_proc_each() - go through the numbers in a directory
 * @dir: a descriptor, such as one of kcs_proc_open(); or AT_FDCWD
 * @name: path from there, such as "/proc" or "task"
 * @fn: called for each, in no order; ends the walk by not returning 0
 * @arg: for @fn
 *
 * Return: 0, -errno of the directory, or what @fn returned.
 */
int kcs_proc_each(int dir, const char *name, int (*fn)(pid_t pid, void *arg),
		  void *arg);

#endif /* KCS_PROC_H */
