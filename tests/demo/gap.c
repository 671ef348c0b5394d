// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gap.h"

#define NSEC_PER_SEC 1000000000ULL
#define HIGHEST_PRIORITY (-20)

static _Atomic uint64_t longest_ns;

uint64_t kcs_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void kcs_go_first(void)
{
	setpriority(PRIO_PROCESS, (id_t)gettid(), HIGHEST_PRIORITY);
}

void kcs_gap_note(uint64_t ns)
{
	if (ns > atomic_load(&longest_ns))
		atomic_store(&longest_ns, ns);
}

void kcs_gap_reset(void)
{
	atomic_store(&longest_ns, 0);
}

uint64_t kcs_gap_longest(void)
{
	return atomic_load(&longest_ns);
}

static void *watch_for_gaps(void *arg)
{
	const struct timespec interval = { .tv_nsec = KCS_GAP_INTERVAL_NS };
	uint64_t last = kcs_now_ns();

	kcs_go_first();
	prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		uint64_t now;

		nanosleep(&interval, NULL);
		now = kcs_now_ns();
		kcs_gap_note(now - last);
		last = now;
	}
	return arg;
}

int kcs_gap_start(int cpu)
{
	pthread_t thread;
	cpu_set_t set;
	int ret;

	ret = pthread_create(&thread, NULL, watch_for_gaps, NULL);
	if (ret || cpu == KCS_ANY_CPU)
		return ret;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(thread, sizeof(set), &set);
}
