// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: load CONNECTIONS PER-SECOND
 *
 * Clients of store, each with a connection and requests at a rate of its own.
 * Ends with status 1 when an answer is wrong.
 */
#include <err.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "wire.h"

#define USEC_PER_SEC 1000000

static useconds_t interval_us;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *be_a_client(void *seed)
{
	uint64_t state = (uintptr_t)seed * 0x9e3779b97f4a7c15;
	int fd = kcs_connect(KCS_STORE_PORT);

	for (;;) {
		struct kcs_request request = { next_random(&state) };
		struct kcs_reply reply;

		if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0 ||
		    recv(fd, &reply, sizeof(reply), MSG_WAITALL) !=
			    sizeof(reply))
			err(1, "the store does not answer");
		if (reply.key != request.key)
			errx(1, "the store answered another request");
		usleep(interval_us);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 3 || atoi(argv[1]) <= 0 || atoi(argv[2]) <= 0)
		errx(2, "usage: load CONNECTIONS PER-SECOND");
	interval_us = USEC_PER_SEC / atoi(argv[2]);
	for (int i = 1; i < atoi(argv[1]); i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, be_a_client,
				   (void *)(uintptr_t)i))
			errx(1, "starting a thread");
	}
	be_a_client((void *)(uintptr_t)atoi(argv[1]));
	return 0;
}
