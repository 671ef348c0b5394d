/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that answers two words on a port of the loopback device: "reset" and "report". */
#ifndef KCS_DEMO_CONTROL_H
#define KCS_DEMO_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct kcs_control - what is answered
 * @reset: forgets what was counted
 * @report: puts one line, without its end, into the buffer
 * @eintr: called when a wait for a question was interrupted; may be NULL
 */
struct kcs_control {
	void (*reset)(void);
	void (*report)(char *line, size_t size);
	void (*eintr)(void);
};

/**
 * kcs_listen() - a listening socket on the loopback device
 * @port: the port
 *
 * Return: the socket. Ends the process with a message if it can't be had.
 */
int kcs_listen(uint16_t port);

/**
 * kcs_connect() - a connection over the loopback device
 * @port: the port
 *
 * Return: the socket. Ends the process with a message if it can't be had.
 */
int kcs_connect(uint16_t port);

/**
 * kcs_control_start() - start the thread
 * @control: what is answered; used for as long as the process lives
 * @port: the port
 *
 * Return: 0, or an error number
 */
int kcs_control_start(const struct kcs_control *control, uint16_t port);

#endif /* KCS_DEMO_CONTROL_H */
