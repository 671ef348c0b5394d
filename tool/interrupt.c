// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "interrupt.h"
#include "say.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int temp_dirfd;
static const char *temp_name;
static bool done;

static void end_by(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The lock is kept: nobody names the output any more. */
static void *wait_for_end(void *arg)
{
	sigset_t *set = arg;
	int sig;

	if (sigwait(set, &sig))
		return NULL;
	pthread_mutex_lock(&lock);
	if (temp_name)
		unlinkat(temp_dirfd, temp_name, 0);
	if (!done)
		kcs_say("ended by signal %d (%s): no complete core was written",
			sig, strsignal(sig));
	kcs_say_end(128 + sig);
	end_by(sig);
	return NULL;
}

int kcs_interrupt_start(void)
{
	static sigset_t set;
	struct sigaction old;
	pthread_t thread;
	size_t i;
	int ret;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		if (!sigaction(ending[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	}

	ret = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (ret)
		return -ret;
	ret = pthread_create(&thread, NULL, wait_for_end, &set);
	if (ret) {
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		return -ret;
	}
	pthread_detach(thread);
	return 0;
}

void kcs_interrupt_hold(void)
{
	pthread_mutex_lock(&lock);
}

void kcs_interrupt_release(void)
{
	pthread_mutex_unlock(&lock);
}

void kcs_interrupt_set_temp(int dirfd, const char *name)
{
	temp_dirfd = dirfd;
	temp_name = name;
}

void kcs_interrupt_set_done(void)
{
	done = true;
}
