// SPDX-License-Identifier: GPL-2.0
/*
 * reader stopped read|sendfile SECONDS
 *
 * A snapshot of a process that all the time rewrites its memory, whose only reader is stopped in
 * the middle: between two reads, or in a sendfile(2) to a pipe that is full. The process has to do
 * meanwhile, for at least that long, as much as before; continued, the reader has to get a core of
 * one instant.
 *
 * reader closes COUNT [MIB]	close the snapshot, of so much memory, after a part of it
 * reader cancelled COUNT	cancel the snapshot while it is read
 * reader cancelled-pipe COUNT	cancel it while it is sent to a pipe that is full
 *
 * Prints "failed: ..." for what is wrong, and exits with 1 if anything was.
 */
#include <stdarg.h>
#include <sys/sendfile.h>

#include "core.h"
#include "netlink.h"
#include "watched.h"

#define MEMORY_MIB 8
#define PAGE 4096UL
#define PAGES ((MEMORY_MIB << 20) / PAGE)
#define BEFORE_SECONDS 1
#define UNTOUCHED 0xee

static struct kcs_client client;
static struct watched *target;
static volatile uint64_t *memory;	/* the target's, at the same address here */
static volatile uint64_t *pass;		/* shared: how often it was rewritten */
static bool failed;

static void __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("failed: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	failed = true;
}

static void *rewrite(void *arg)
{
	size_t i;

	setpriority(PRIO_PROCESS, 0, 19);
	for (;; (*pass)++)
		for (i = 0; i < PAGES; i++) {
			memory[i * PAGE / 8] = *pass;
			memory[(i + 1) * PAGE / 8 - 1] = *pass;
		}
	return arg;
}

static int take(size_t *size)
{
	int fd, err = kcs_snapshot(&client, target->pid, &fd);

	if (err) {
		printf("failed: no snapshot: %s\n", client.sentence);
		exit(1);
	}
	*size = kcs_attr(&client, KCORESNAP_A_SIZE);
	return fd;
}

static void finish(const char *harm)
{
	if (harm)
		fail("%s", harm);
	if (kcs_list(&client))
		fail("a snapshot is left");
}

/* Copies that much, or to the end. */
static void copy(int from, int to, size_t len)
{
	static char buf[50000];
	ssize_t n = 1;

	while (len && n > 0) {
		n = read(from, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n > 0 && write(to, buf, n) != n)
			_exit(3);
		len -= n;
	}
	if (n < 0)
		_exit(4);
}

static void __attribute__((noreturn)) read_and_stop(int fd, int to, size_t size)
{
	copy(fd, to, size / 3);
	kill(getpid(), SIGSTOP);
	copy(fd, to, SIZE_MAX);
	_exit(0);
}

/* Where splicing would have to wait for a page, it fails and a piece is read and written. */
static ssize_t send_some(int pipe, int fd, size_t size)
{
	static char buf[50000];
	ssize_t n = sendfile(pipe, fd, NULL, size), done = 0, part = 1;

	if (n >= 0 || errno != EINVAL)
		return n;
	n = read(fd, buf, sizeof(buf));
	for (; done < n && part > 0; done += part)
		part = write(pipe, buf + done, n - done);
	return n;
}

static void __attribute__((noreturn)) send_to(int pipe, int fd, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;

	for (; done < size && n > 0; done += n)
		n = send_some(pipe, fd, size);
	_exit(done < size);
}

static bool in_state(pid_t pid, char state)
{
	char path[64], text[4096], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_text(path, text, sizeof(text));
	at = strrchr(text, ')');
	return at && at[2] == state;
}

static void await_state(pid_t pid, char state)
{
	while (!in_state(pid, state)) {
		if (in_state(pid, 'Z')) {
			fail("the reader has ended");
			return;
		}
		usleep(1000);
	}
}

/* Until it has done as much again as it did in a second before, and for at least that long. */
static void watch_progress(uint64_t before, unsigned int seconds)
{
	uint64_t begun = now_ns(), from = *pass, counted = target->count[0];

	sleep(seconds);
	while (*pass - from < before * seconds / 2 || target->count[0] == counted) {
		if (now_ns() - begun > (seconds + 10 * WATCHED_SECONDS) * 1000000000ULL) {
			fail("%llu passes over the memory, %llu in a second before",
			     (unsigned long long)(*pass - from), (unsigned long long)before);
			return;
		}
		usleep(10000);
	}
}

static void check_instant(int file)
{
	char path[64];
	struct core core;
	uint64_t last = UINT64_MAX, first = 0;
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	core_open(&core, path);
	for (i = 0; i < PAGES * 2; i++) {
		uint64_t at = (uint64_t)memory + (i / 2 + i % 2) * PAGE - i % 2 * 8;
		const uint64_t *word = core_at(&core, at, 8);

		if (!word) {
			fail("page %zu is not in the core", i / 2);
			return;
		}
		first = i ? first : *word;
		if (*word > last || first - *word > 1) {
			fail("page %zu of pass %llu, behind one of %llu; the first of %llu", i / 2,
			     (unsigned long long)*word, (unsigned long long)last,
			     (unsigned long long)first);
			return;
		}
		last = *word;
	}
	if (!first)
		fail("the memory was not written yet");
}

static void stopped(bool by_sendfile, unsigned int seconds)
{
	int copied = memfd_create("core", 0), pipes[2], status, fd;
	uint64_t before;
	size_t size;
	pid_t pid;

	watched_start(target, 1, rewrite);
	before = *pass;
	sleep(BEFORE_SECONDS);
	while (*pass - before < 2)
		usleep(10000);
	before = *pass - before;

	fd = take(&size);
	if (pipe(pipes))
		exit(2);
	pid = fork();
	if (pid == 0) {
		if (by_sendfile)
			send_to(pipes[1], fd, size);
		read_and_stop(fd, copied, size);
	}
	close(fd);
	close(pipes[1]);
	if (by_sendfile) {
		copy(pipes[0], copied, size / 3);
		await_state(pid, 'S');
		kill(pid, SIGSTOP);
	}
	await_state(pid, 'T');
	watch_progress(before, seconds);
	if (kcs_list(&client) != 1)
		fail("the snapshot is gone");
	kill(pid, SIGCONT);
	if (by_sendfile)
		copy(pipes[0], copied, SIZE_MAX);
	waitpid(pid, &status, 0);
	if (status)
		fail("the reader's status is %#x", status);
	check_instant(copied);
	finish(watched_harm(target));
	watched_end(target);
}

/* What is in a pipe already stays as it is when the snapshot is gone. */
static void close_after(size_t part)
{
	static char read_before[4096], from_pipe[4096];
	size_t size, done = 0;
	ssize_t n = 1, lent = 0;
	int pipes[2], quarter;
	loff_t pos;
	int fd = take(&size);

	part = part < size ? part : size - 1;
	while (done < part && n > 0) {
		n = read(fd, from_pipe, part - done < 4096 ? part - done : 4096);
		done += n > 0 ? n : 0;
	}
	if (done < part)
		fail("only %zu bytes could be read", done);
	if (pipe(pipes))
		exit(2);
	/* Where it would have to wait for a page, it can't be spliced. */
	for (quarter = 3; quarter >= 0 && lent <= 0; quarter--) {
		pos = size / 4 * quarter;
		if (pread(fd, read_before, sizeof(read_before), pos) < 4096)
			fail("quarter %d can't be read", quarter);
		lent = splice(fd, &pos, pipes[1], NULL, sizeof(from_pipe), 0);
	}
	close(fd);
	finish(watched_harm(target));
	n = read(pipes[0], from_pipe, sizeof(from_pipe));
	if (lent <= 0 || n != lent || memcmp(from_pipe, read_before, n))
		fail("what was in a pipe is not what it was (%zd bytes of %zd)", n, lent);
	close(pipes[0]);
	close(pipes[1]);
}

static void closes(int count, size_t mib)
{
	int i;

	watched_start(target, mib, NULL);
	for (i = 0; i < count && !failed; i++)
		close_after(((mib + 1) << 20) * i / count);
	watched_end(target);
}

/* struct reading - one that is cancelled */
struct reading {
	int fd;
	size_t size;
	char *buf;
	volatile int begun;
	ssize_t got;
	int err;
	pid_t tid;
};

/* All at once, over and over, until it fails; @got is what the last one brought. */
static void *read_over(void *arg)
{
	struct reading *r = arg;
	ssize_t n;

	do {
		memset(r->buf, UNTOUCHED, r->size);
		r->begun = 1;
		r->got = pread(r->fd, r->buf, r->size, 0);
	} while (r->got == (ssize_t)r->size);
	/* After what there was before it, there is nothing. */
	n = pread(r->fd, r->buf + (r->got < 0 ? 0 : r->got), 1, r->got < 0 ? 0 : r->got);
	r->err = n < 0 ? errno : 0;
	return arg;
}

static void *send_over(void *arg)
{
	struct reading *r = arg;
	int *pipes = (int *)r->buf;
	ssize_t n;

	do {
		r->begun = 1;
		n = send_some(pipes[1], r->fd, r->size);
	} while (n > 0);
	r->err = n < 0 ? errno : 0;
	close(pipes[1]);
	return arg;
}

static uint64_t read_reference(struct reading *r, char *reference)
{
	uint64_t begun = now_ns();

	if (pread(r->fd, reference, r->size, 0) != (ssize_t)r->size)
		fail("it can't be read at all");
	return now_ns() - begun;
}

static void check_reading(const struct reading *r, const char *reference)
{
	if (r->err != ECANCELED)
		fail("the error is %d (%s)", r->err, strerror(r->err));
	if (r->got > 0 && memcmp(r->buf, reference, r->got))
		fail("the %zd bytes that were read are not those of the core", r->got);
	close(r->fd);
}

static void cancel_while_read(int part, int parts, int *partly)
{
	struct reading r = {};
	char *reference;
	pthread_t thread;
	uint64_t whole;
	uint32_t id;

	r.fd = take(&r.size);
	id = kcs_attr(&client, KCORESNAP_A_ID);
	reference = malloc(r.size);
	r.buf = malloc(r.size + 1);
	whole = read_reference(&r, reference);
	pthread_create(&thread, NULL, read_over, &r);
	while (!r.begun)
		;
	spin_ns(whole * part / parts);
	if (kcs_cancel(&client, id))
		fail("it can't be cancelled: %s", client.sentence);
	pthread_join(thread, NULL);
	*partly += r.got > 0;
	check_reading(&r, reference);
	finish(watched_harm(target));
	free(reference);
	free(r.buf);
}

static void cancel_while_sent(void)
{
	struct reading r = {};
	char *reference;
	size_t done = 0;
	pthread_t thread;
	int pipes[2];
	uint32_t id;
	ssize_t n;

	if (pipe(pipes))
		exit(2);
	r.fd = take(&r.size);
	id = kcs_attr(&client, KCORESNAP_A_ID);
	reference = malloc(r.size);
	read_reference(&r, reference);
	r.buf = (char *)pipes;
	pthread_create(&thread, NULL, send_over, &r);
	while (!r.begun)
		;
	/* It is blocked then, by all the pipe can hold. */
	usleep(20000);
	if (kcs_cancel(&client, id))
		fail("it can't be cancelled: %s", client.sentence);
	r.buf = malloc(r.size);
	while ((n = read(pipes[0], r.buf + done, r.size - done)) > 0)
		done += n;
	pthread_join(thread, NULL);
	close(pipes[0]);
	r.got = done;
	if (!done || done >= r.size)
		fail("%zu bytes of %zu were sent", done, r.size);
	check_reading(&r, reference);
	finish(watched_harm(target));
	free(reference);
	free(r.buf);
}

static void cancelled(int count, bool sent)
{
	int i, partly = 0;

	watched_start(target, MEMORY_MIB, NULL);
	for (i = 0; i < count && !failed; i++)
		if (sent)
			cancel_while_sent();
		else
			cancel_while_read(i, count, &partly);
	watched_end(target);
	if (!sent)
		printf("%d\n", partly);
}

int main(int argc, char **argv)
{
	if (argc < 3 || kcs_open(&client))
		return 2;
	target = shared_memory(sizeof(*target));
	pass = shared_memory(sizeof(*pass));
	*pass = 1;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (!strcmp(argv[1], "stopped"))
		stopped(!strcmp(argv[2], "sendfile"), argc > 3 ? atoi(argv[3]) : 1);
	else if (!strcmp(argv[1], "closes"))
		closes(atoi(argv[2]), argc > 3 ? atoi(argv[3]) : MEMORY_MIB);
	else
		cancelled(atoi(argv[2]), !strcmp(argv[1], "cancelled-pipe"));
	return failed;
}
