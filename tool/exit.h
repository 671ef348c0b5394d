/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit codes are an interface: scripts rely on them, numbers are never reused.
 * A tool ended by signal N dies of that signal, which a shell shows as 128 + N.
 */
#ifndef KCS_EXIT_H
#define KCS_EXIT_H

#include <stdio.h>

/**
 * enum kcs_exit - how the tool ends
 * @KCS_EXIT_OK: complete core, or the command did what it says
 * @KCS_EXIT_ERROR: unexpected error
 * @KCS_EXIT_USAGE: wrong option or argument
 * @KCS_EXIT_NO_TARGET: no such process or snapshot; also a reused pid, a kernel
 *	thread, a zombie, and a target that exited or called execve meanwhile
 * @KCS_EXIT_PERMISSION: not permitted
 * @KCS_EXIT_REFUSED: refused as unsafe for the target or as out of bounds
 * @KCS_EXIT_BUSY: as many snapshots as allowed are open
 * @KCS_EXIT_MODULE: the module is not loaded or of another version
 * @KCS_EXIT_OUTPUT: the output failed before anything was written: the file
 *	exists, there is no room, it is a terminal or a directory
 * @KCS_EXIT_INCOMPLETE: the core is incomplete: the output failed or the snapshot
 *	was dropped on the way, memory could no longer be read or whether it could
 *	is not known, or the limit on size or time was reached
 * @KCS_EXIT_INEXACT: the core is complete, but private memory in it, which the
 *	mode promises to be exact, is from after the instant
 */
enum kcs_exit {
	KCS_EXIT_OK = 0,
	KCS_EXIT_ERROR = 1,
	KCS_EXIT_USAGE = 2,
	KCS_EXIT_NO_TARGET = 3,
	KCS_EXIT_PERMISSION = 4,
	KCS_EXIT_REFUSED = 5,
	KCS_EXIT_BUSY = 6,
	KCS_EXIT_MODULE = 7,
	KCS_EXIT_OUTPUT = 8,
	KCS_EXIT_INCOMPLETE = 9,
	KCS_EXIT_INEXACT = 10,
};

/**
 * kcs_exit_of_errno() - exit code for an error of the module
 * @err: positive errno
 *
 * Return: the code; KCS_EXIT_ERROR for what the module's contract does not name.
 */
enum kcs_exit kcs_exit_of_errno(int err);

/**
 * kcs_exit_print() - print the table of exit codes, one per line
 * @to: where
 */
void kcs_exit_print(FILE *to);

#endif /* KCS_EXIT_H */
