// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "exit.h"
#include "interrupt.h"
#include "say.h"

/* How long a file server may take to make or remove a name. */
#define REMOVE_S 3
/* How long the main thread may take to end by itself when the time is over. */
#define GRACE_NS (5 * NSEC_PER_SEC)
#define KICK_NS (NSEC_PER_SEC / 20)
/* Sent to the main thread only. */
#define KICK SIGALRM

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kcs_unfinished unfinished;
static bool has_unfinished;
static bool done;
static atomic_bool expired;
static atomic_bool removed;
static pthread_t main_thread;
static sigset_t waited_for;
static uint64_t deadline_ns;

/* Return: the signal, or 0 when the time is over. */
static int wait_until(uint64_t end_ns)
{
	struct timespec wait;
	uint64_t now, left;
	int sig;

	for (;;) {
		now = kcs_now_ns();
		left = end_ns > now ? end_ns - now : 0;
		wait.tv_sec = (time_t)(left / NSEC_PER_SEC);
		wait.tv_nsec = (long)(left % NSEC_PER_SEC);
		sig = sigtimedwait(&waited_for, NULL, end_ns ? &wait : NULL);
		if (sig > 0)
			return sig;
		if (errno == EAGAIN)
			return 0;
	}
}

static void end_by(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *remove_unfinished(void *arg)
{
	(void)arg;
	unlinkat(unfinished.dirfd, unfinished.partial, 0);
	atomic_store(&removed, true);
	return NULL;
}

/* By a thread of its own: the server of the file may have ceased to answer. */
static bool try_to_remove(void)
{
	uint64_t end_ns = kcs_now_ns() + REMOVE_S * NSEC_PER_SEC;
	struct timespec pause = { .tv_nsec = 2000000 };
	pthread_t thread;

	if (!has_unfinished || !unfinished.named)
		return true;
	if (pthread_create(&thread, NULL, remove_unfinished, NULL)) {
		remove_unfinished(NULL);
		return true;
	}
	pthread_detach(thread);
	while (!atomic_load(&removed) && kcs_now_ns() < end_ns)
		nanosleep(&pause, NULL);
	return atomic_load(&removed);
}

/*
 * The lock is kept: nobody names the output any more. Who holds it may be waiting
 * for a server that does not answer.
 */
static bool lock_for_good(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += REMOVE_S;
	return !pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &end);
}

static void end_unfinished(int sig)
{
	bool gone;

	if (!lock_for_good()) {
		kcs_say("ended by signal %d (%s): the output does not answer, no complete core was written",
			sig, strsignal(sig));
		kcs_say_end(128 + sig);
		end_by(sig);
		return;
	}
	gone = try_to_remove();
	if (!gone)
		kcs_say("ended by signal %d (%s): the output does not answer, and '%s' stays in its directory",
			sig, strsignal(sig), unfinished.partial);
	else if (!done)
		kcs_say("ended by signal %d (%s): no complete core was written",
			sig, strsignal(sig));
	kcs_say_end(128 + sig);
	end_by(sig);
}

static void end_late(void)
{
	bool locked = lock_for_good();
	char self[32];

	if (locked && done) {
		pthread_mutex_unlock(&lock);
		return;
	}
	if (locked && has_unfinished && !unfinished.named) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", unfinished.fd);
		has_unfinished = !linkat(AT_FDCWD, self, unfinished.dirfd,
					 unfinished.partial, AT_SYMLINK_FOLLOW);
	}
	kcs_say("the core is incomplete: the time allowed is over, and the output does not answer: write elsewhere, or allow more with --timeout%s%s%s",
		has_unfinished ? "; what was written is kept as '" : "",
		has_unfinished ? unfinished.partial : "",
		has_unfinished ? "'" : "");
	kcs_say_end(KCS_EXIT_INCOMPLETE);
	_exit(KCS_EXIT_INCOMPLETE);
}

static void *wait_for_end(void *arg)
{
	uint64_t last_ns = deadline_ns + GRACE_NS;
	int sig = wait_until(deadline_ns);

	(void)arg;
	if (!sig) {
		atomic_store(&expired, true);
		while (!sig && kcs_now_ns() < last_ns) {
			pthread_kill(main_thread, KICK);
			sig = wait_until(kcs_now_ns() + KICK_NS);
		}
	}
	if (!sig) {
		end_late();
		sig = wait_until(0);
	}
	end_unfinished(sig);
	return NULL;
}

static void kicked(int sig)
{
	(void)sig;
}

/* One that is blocked is not ignored any more: sig_ignored() in kernel/signal.c. */
void kcs_interrupt_signals(sigset_t *set)
{
	struct sigaction old;
	size_t i;

	sigemptyset(set);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		if (!sigaction(ending[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(set, ending[i]);
	}
}

int kcs_interrupt_start(uint64_t timeout_us)
{
	/* Without SA_RESTART, so that what waits returns. */
	struct sigaction kick = { .sa_handler = kicked };
	sigset_t kicks;
	pthread_t thread;
	int ret;

	kcs_interrupt_signals(&waited_for);
	sigaction(KICK, &kick, NULL);
	sigemptyset(&kicks);
	sigaddset(&kicks, KICK);
	pthread_sigmask(SIG_UNBLOCK, &kicks, NULL);
	main_thread = pthread_self();
	deadline_ns = timeout_us ? kcs_now_ns() + timeout_us * NSEC_PER_USEC : 0;

	ret = pthread_sigmask(SIG_BLOCK, &waited_for, NULL);
	if (ret)
		return -ret;
	ret = pthread_create(&thread, NULL, wait_for_end, NULL);
	if (ret) {
		pthread_sigmask(SIG_UNBLOCK, &waited_for, NULL);
		return -ret;
	}
	pthread_detach(thread);
	return 0;
}

const atomic_bool *kcs_interrupt_expired(void)
{
	return &expired;
}

void kcs_interrupt_hold(void)
{
	pthread_mutex_lock(&lock);
}

void kcs_interrupt_release(void)
{
	pthread_mutex_unlock(&lock);
}

void kcs_interrupt_set_unfinished(const struct kcs_unfinished *file)
{
	has_unfinished = file;
	if (file)
		unfinished = *file;
}

void kcs_interrupt_set_done(bool is_done)
{
	done = is_done;
}
