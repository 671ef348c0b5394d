// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: store MIB
 *
 * A service that keeps MIB of records in memory and updates one per request: a
 * thread for its connections, workers, and a thread for each of the things that
 * a service waits for besides. The waits that a stop and continue would end
 * early are epoll_wait(2), sigwaitinfo(2), semop(2) and recv(2) with a timeout
 * (see signal(7)); each EINTR is counted.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control.h"
#include "gap.h"
#include "wire.h"

#define RECORD_WORDS	125	/* makes a record 1 KiB */
#define WORKERS		4
#define STRIPES		64
#define QUEUE_SIZE	256	/* more than load has connections */
#define EVENTS		16
#define UPSTREAM_TIMEOUT_S 3600

struct record {
	uint64_t key;
	uint64_t version;
	uint64_t sum;
	uint64_t words[RECORD_WORDS];
};

struct job {
	int fd;
	struct kcs_request request;
};

enum wait_site { EPOLL_WAIT, SIGWAITINFO, SEMOP, RECV, WAIT_SITES };

static struct record *records;
static size_t record_count;
static pthread_mutex_t stripes[STRIPES];

static struct job queue[QUEUE_SIZE];
static size_t queue_head, queue_len;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;

static atomic_ulong eintrs[WAIT_SITES];
static atomic_ulong requests;

static int reload_semaphore;
static int upstream;

static void note_wait(long ret, enum wait_site site)
{
	if (ret < 0 && errno == EINTR)
		atomic_fetch_add(&eintrs[site], 1);
}

static uint64_t sum_of(const struct record *record)
{
	uint64_t sum = record->key ^ record->version;

	for (size_t i = 0; i < RECORD_WORDS; i++)
		sum = (sum << 7 | sum >> 57) + record->words[i];
	return sum;
}

static void fill_records(size_t mib)
{
	size_t size = mib << 20;

	record_count = size / sizeof(struct record);
	records = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (records == MAP_FAILED)
		err(1, "memory for %zu records", record_count);
	/* Small pages are the harder case: there is more to copy in the pause. */
	madvise(records, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < record_count; i++) {
		struct record *record = &records[i];

		record->key = i;
		for (size_t j = 0; j < RECORD_WORDS; j++)
			record->words[j] = (i + 1) * 0x9e3779b97f4a7c15 + j;
		record->sum = sum_of(record);
	}
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&stripes[i], NULL);
}

static struct kcs_reply update_record(uint64_t key)
{
	size_t index = key % record_count;
	struct record *record = &records[index];
	struct kcs_reply reply;

	pthread_mutex_lock(&stripes[index % STRIPES]);
	if (record->sum != sum_of(record))
		errx(1, "record %zu is damaged", index);
	record->version++;
	record->words[record->version % RECORD_WORDS] ^= key;
	record->sum = sum_of(record);
	reply = (struct kcs_reply){ key, record->version, record->sum };
	pthread_mutex_unlock(&stripes[index % STRIPES]);
	return reply;
}

static void *work(void *arg)
{
	for (;;) {
		struct kcs_reply reply;
		struct job job;

		pthread_mutex_lock(&queue_lock);
		while (!queue_len)
			pthread_cond_wait(&queue_filled, &queue_lock);
		job = queue[queue_head++ % QUEUE_SIZE];
		queue_len--;
		pthread_mutex_unlock(&queue_lock);

		reply = update_record(job.request.key);
		atomic_fetch_add(&requests, 1);
		send(job.fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	return arg;
}

/* A client has one request under way, so the queue can't overflow. */
static void take_request(int epoll, int fd)
{
	struct job job = { .fd = fd };
	ssize_t len = recv(fd, &job.request, sizeof(job.request), MSG_WAITALL);

	if (len != sizeof(job.request)) {
		epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
		return;
	}
	pthread_mutex_lock(&queue_lock);
	queue[(queue_head + queue_len++) % QUEUE_SIZE] = job;
	pthread_cond_signal(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
}

static void add_to_epoll(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "a new connection");
}

static void *serve_connections(void *arg)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener = kcs_listen(KCS_STORE_PORT);

	add_to_epoll(epoll, listener);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		note_wait(count, EPOLL_WAIT);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				add_to_epoll(epoll, accept(listener, NULL, NULL));
			else
				take_request(epoll, events[i].data.fd);
		}
	}
	return arg;
}

static void *wait_for_signals(void *set)
{
	for (;;) {
		int signo = sigwaitinfo(set, NULL);

		note_wait(signo, SIGWAITINFO);
		if (signo == SIGTERM) {
			semctl(reload_semaphore, 0, IPC_RMID);
			exit(0);
		}
	}
	return NULL;
}

static void *wait_for_reload(void *arg)
{
	for (;;) {
		struct sembuf down = { .sem_op = -1 };

		note_wait(semop(reload_semaphore, &down, 1), SEMOP);
	}
	return arg;
}

static void *wait_for_upstream(void *arg)
{
	struct timeval timeout = { .tv_sec = UPSTREAM_TIMEOUT_S };
	int pair[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		err(1, "upstream");
	upstream = pair[1];
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	for (;;)
		note_wait(recv(pair[0], &byte, 1, 0), RECV);
	return arg;
}

static void reset(void)
{
	for (int i = 0; i < WAIT_SITES; i++)
		atomic_store(&eintrs[i], 0);
	atomic_store(&requests, 0);
	kcs_gap_reset();
}

static void report(char *line, size_t size)
{
	unsigned long sum = 0;

	for (int i = 0; i < WAIT_SITES; i++)
		sum += eintrs[i];
	snprintf(line, size,
		 "gap_ns=%ju eintr=%lu requests=%lu epoll_wait=%lu sigwaitinfo=%lu semop=%lu recv=%lu",
		 (uintmax_t)kcs_gap_longest(), sum, requests,
		 eintrs[EPOLL_WAIT], eintrs[SIGWAITINFO], eintrs[SEMOP],
		 eintrs[RECV]);
}

static void note_control_eintr(void)
{
	atomic_fetch_add(&eintrs[EPOLL_WAIT], 1);
}

static const struct kcs_control control = {
	.reset = reset,
	.report = report,
	.eintr = note_control_eintr,
};

static void start(void *(*function)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, arg);
	if (errno)
		err(1, "starting a thread");
}

int main(int argc, char **argv)
{
	static sigset_t set;

	if (argc != 2 || atol(argv[1]) <= 0)
		errx(2, "usage: store MIB");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);

	reload_semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	if (reload_semaphore < 0)
		err(1, "semget");
	fill_records((size_t)atol(argv[1]));

	for (int i = 0; i < WORKERS; i++)
		start(work, NULL);
	start(serve_connections, NULL);
	start(wait_for_reload, NULL);
	start(wait_for_upstream, NULL);
	errno = kcs_gap_start(KCS_ANY_CPU);
	if (!errno)
		errno = kcs_control_start(&control, KCS_STORE_CONTROL_PORT);
	if (errno)
		err(1, "starting a thread");
	wait_for_signals(&set);
	return 0;
}
