// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: probe PORT
 *
 * How long a Redis server can be without an answer: sends it a PING every
 * two milliseconds and keeps the longest time that one took.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "gap.h"
#include "wire.h"

#define INTERVAL_US 2000

static const char ping[] = "PING\r\n", pong[] = "+PONG\r\n";

static void report(char *line, size_t size)
{
	snprintf(line, size, "gap_ns=%ju", (uintmax_t)kcs_gap_longest());
}

static const struct kcs_control control = {
	.reset = kcs_gap_reset,
	.report = report,
};

int main(int argc, char **argv)
{
	char answer[sizeof(pong) - 1];
	int fd;

	if (argc != 2)
		errx(2, "usage: probe PORT");
	fd = kcs_connect((uint16_t)atoi(argv[1]));
	if (kcs_control_start(&control, KCS_PROBE_CONTROL_PORT))
		errx(1, "starting a thread");
	kcs_go_first();
	for (;;) {
		uint64_t start_ns = kcs_now_ns();

		if (send(fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL) < 0 ||
		    recv(fd, answer, sizeof(answer), MSG_WAITALL) !=
			    sizeof(answer) ||
		    memcmp(answer, pong, sizeof(answer)))
			errx(1, "the server does not answer");
		kcs_gap_note(kcs_now_ns() - start_ns);
		usleep(INTERVAL_US);
	}
}
