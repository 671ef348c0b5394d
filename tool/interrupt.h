/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that end the tool. They are blocked in every thread but one that waits
 * for them, so nothing runs in signal context; that thread removes the temporary
 * file, says so and lets the signal take its default action, which ends even a
 * request in the kernel. The descriptor of the snapshot goes with the process.
 */
#ifndef KCS_INTERRUPT_H
#define KCS_INTERRUPT_H

/**
 * kcs_interrupt_start() - start waiting for SIGINT, SIGTERM, SIGHUP, SIGQUIT
 *
 * A signal that the caller of the tool had ignored stays ignored.
 *
 * Return: 0 or -errno.
 */
int kcs_interrupt_start(void);

/**
 * kcs_interrupt_hold() - no signal ends the process until released
 *
 * To be held only while the output gets or loses a name.
 */
void kcs_interrupt_hold(void);
void kcs_interrupt_release(void);

/**
 * kcs_interrupt_set_temp() - name the file to remove; call it held
 * @dirfd: its directory
 * @name: its name, NULL if there is none
 */
void kcs_interrupt_set_temp(int dirfd, const char *name);

/** kcs_interrupt_set_done() - from here on a signal ends a finished tool */
void kcs_interrupt_set_done(void);

#endif /* KCS_INTERRUPT_H */
