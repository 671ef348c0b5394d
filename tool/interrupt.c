// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "exit.h"
#include "interrupt.h"
#include "say.h"

/* How long a file server, or who reads what is said, may take at the end. */
#define LAST_S 3
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
static atomic_bool is_kept;
static char *last_words;
static int last_code;
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

/*
 * Process 1 of a pid namespace is not ended by a signal of its own: get_signal() in
 * kernel/signal.c.
 */
static void end_by(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + sig);
}

/**
 * struct errand - what may never return, as servers and readers have it
 * @run: done by a thread of its own
 * @done: it has returned
 */
struct errand {
	void (*run)(void);
	atomic_bool done;
};

static void *run_errand(void *arg)
{
	struct errand *errand = arg;

	errand->run();
	atomic_store(&errand->done, true);
	return NULL;
}

/* Return: whether it was done in time. */
static bool do_in_time(struct errand *errand)
{
	uint64_t end_ns = kcs_now_ns() + LAST_S * NSEC_PER_SEC;
	struct timespec pause = { .tv_nsec = 2000000 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_errand, errand)) {
		run_errand(errand);
		return true;
	}
	pthread_detach(thread);
	while (!atomic_load(&errand->done) && kcs_now_ns() < end_ns)
		nanosleep(&pause, NULL);
	return atomic_load(&errand->done);
}

static void remove_unfinished(void)
{
	unlinkat(unfinished.dirfd, unfinished.partial, 0);
}

static bool try_to_remove(void)
{
	static struct errand removal = { .run = remove_unfinished };

	return !has_unfinished || !unfinished.named || do_in_time(&removal);
}

/* Of nothing, nothing is kept. */
static void keep_unfinished(void)
{
	char self[32];
	struct stat st;

	if (!fstat(unfinished.fd, &st) && !st.st_size) {
		if (unfinished.named &&
		    !unlinkat(unfinished.dirfd, unfinished.partial, 0))
			atomic_store(&is_kept, false);
		return;
	}
	if (unfinished.named)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", unfinished.fd);
	if (!linkat(AT_FDCWD, self, unfinished.dirfd, unfinished.partial,
		    AT_SYMLINK_FOLLOW))
		atomic_store(&is_kept, true);
}

/* Return: whether it has a name. */
static bool try_to_keep(void)
{
	static struct errand keeping = { .run = keep_unfinished };

	atomic_store(&is_kept, has_unfinished && unfinished.named);
	if (has_unfinished)
		do_in_time(&keeping);
	return atomic_load(&is_kept);
}

static void say_last_words(void)
{
	if (last_words && *last_words)
		kcs_say("%s", last_words);
	kcs_say_end(last_code);
}

__attribute__((format(printf, 2, 3)))
static void try_to_say(int exit_code, const char *fmt, ...)
{
	static struct errand saying = { .run = say_last_words };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&last_words, fmt, ap) < 0)
		last_words = NULL;
	va_end(ap);
	last_code = exit_code;
	do_in_time(&saying);
}

/*
 * The lock is kept: nobody names the output any more. Who holds it may be waiting
 * for a server that does not answer.
 */
static bool lock_for_good(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += LAST_S;
	return !pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &end);
}

static void end_unfinished(int sig)
{
	const char *name = strsignal(sig);
	int exit_code = 128 + sig;

	if (!lock_for_good())
		try_to_say(exit_code, "ended by signal %d (%s): the output does not answer, no complete core was written",
			   sig, name);
	else if (!try_to_remove())
		try_to_say(exit_code, "ended by signal %d (%s): the output does not answer, and '%s' stays in its directory",
			   sig, name, unfinished.partial);
	else if (!done)
		try_to_say(exit_code, "ended by signal %d (%s): no complete core was written",
			   sig, name);
	else
		try_to_say(exit_code, "%s", "");
	end_by(sig);
}

static void end_late(void)
{
	bool locked = lock_for_good(), kept;

	if (locked && done) {
		pthread_mutex_unlock(&lock);
		return;
	}
	kept = locked ? try_to_keep() : has_unfinished && unfinished.named;
	try_to_say(KCS_EXIT_INCOMPLETE, "the core is incomplete: the time allowed is over, and the module or the output does not answer: write elsewhere, or allow more with --timeout%s%s%s",
		   kept ? "; what was written is kept as '" : "",
		   kept ? unfinished.partial : "", kept ? "'" : "");
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
