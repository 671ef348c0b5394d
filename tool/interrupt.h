/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ends the tool before its work is done: signals and a limit on its time.
 * Signals are blocked in every thread but one that waits for them; that thread
 * removes the output, says so and lets the signal take its default action, which
 * ends even a request in the kernel. The descriptor of the snapshot goes with the
 * process.
 *
 * When the time is over the main thread is told: a flag is set, and system calls
 * that wait are interrupted until it has seen it. Where it doesn't, because the
 * output answers to nothing, that thread ends the process.
 */
#ifndef KCS_INTERRUPT_H
#define KCS_INTERRUPT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct kcs_unfinished - a file that is being written
 * @fd: the file
 * @dirfd: its directory
 * @partial: the name that it is to have there while it is incomplete
 * @named: it has this name, else none
 */
struct kcs_unfinished {
	int fd;
	int dirfd;
	const char *partial;
	bool named;
};

/**
 * kcs_interrupt_signals() - what ends the tool: SIGINT, SIGTERM, SIGHUP, SIGQUIT
 * @set: filled; without those that the caller of the tool has ignored
 */
void kcs_interrupt_signals(sigset_t *set);

/**
 * kcs_interrupt_start() - start waiting for kcs_interrupt_signals()
 * @timeout_us: how long the caller, the main thread, may take; 0 for any time
 *
 * Return: 0 or -errno.
 */
int kcs_interrupt_start(uint64_t timeout_us);

/** kcs_interrupt_expired() - Return: set for good when the time is over */
const atomic_bool *kcs_interrupt_expired(void);

/**
 * kcs_interrupt_hold() - no signal ends the process until released
 *
 * To be held only while the output gets or loses a name.
 */
void kcs_interrupt_hold(void);
void kcs_interrupt_release(void);

/**
 * kcs_interrupt_set_unfinished() - name the file that is being written; call it
 *	held
 * @file: copied; NULL if there is none
 */
void kcs_interrupt_set_unfinished(const struct kcs_unfinished *file);

/**
 * kcs_interrupt_set_done() - whether a signal ends a tool whose work is done
 * @done: at the start it is not; call it held
 */
void kcs_interrupt_set_done(bool done);

#endif /* KCS_INTERRUPT_H */
