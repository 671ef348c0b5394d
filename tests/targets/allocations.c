// SPDX-License-Identifier: GPL-2.0
/*
 * allocations KNOB STRIDE FIRST COUNTED plain|threads|mappings|hugetlb|excluded MODE
 * allocations task STRIDE FIRST 0 read
 *
 * The n-th allocation of a request for a snapshot fails, for every n (or from FIRST on in strides)
 * until a request passes without a failure; in the second form that of a read, a seek, a splice or
 * a list of one that is open. KNOB says which are counted:
 *
 *	failslab, fail_page_alloc	in all tasks, where a function of the module is on the stack
 *				(the directory of that name in debugfs, whose filter is set already)
 *	task			all of both kinds in the task that asks, wherever they are made
 *
 * A request has to succeed in full or to fail by a sentence (except "task", where it may be the
 * socket's failure), and to leave nothing; the target runs on. In the end a snapshot succeeds.
 * Prints "failed: ..." for what is wrong, a line "ERROR SENTENCE: COUNT" for each kind of answer,
 * and at the end "injected COUNT counted COUNTED", for the next one with this KNOB. Exits with 1 if
 * anything was wrong.
 */
#include <stdarg.h>
#include <sys/sendfile.h>

#include "netlink.h"
#include "watched.h"

#define MEMORY_MIB 2
#define EXTRA_THREADS 150
#define EXTRA_MAPPINGS 600
#define HUGE_PAGE (2UL << 20)
#define MAX_ANSWERS 64
#define BOUND 20000		/* allocations: no request makes as many */
#define NOTES_MAX 16384		/* bytes of a thread's floating-point notes, at most */
#define TRIES 100

static struct kcs_client client;
static struct watched *target;
static volatile int *ready;		/* shared: the extra thread has done what it does */
static const char *knob;
static bool failed;
static unsigned long counted;		/* what fault_attr.count is, with an interval above 1 */
static unsigned long injected;
static unsigned long first, stride;

static struct answer {
	int err;
	int count;
	char sentence[1024];
} answers[MAX_ANSWERS];

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

static void write_number(const char *path, unsigned long value)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%lu", value), fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, len) != len) {
		printf("failed: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

static void set(const char *name, unsigned long value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", knob, name);
	write_number(path, value);
}

static unsigned long get(const char *path)
{
	char text[32];

	read_text(path, text, sizeof(text));
	return strtoul(text, NULL, 10);
}

static int nth_fd = -1;

static void write_nth(unsigned long n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%lu", n), i;

	for (i = 0; i < 3; i++)
		if (pwrite(nth_fd, text, len, 0) == len)
			return;
	printf("failed: fail-nth: %s\n", strerror(errno));
	exit(1);
}

static bool by_task(void)
{
	return !strcmp(knob, "task");
}

/*
 * Whatever passes the filter is counted, and fails where the count is a multiple of the interval.
 * So the n-th from now on fails with an interval of the count by then.
 */
static void arm(unsigned long n)
{
	if (by_task()) {
		write_nth(n);
		return;
	}
	set("interval", counted + n);
	set("times", 1);
	set("probability", 100);
}

/* Return: did one fail? */
static bool disarm(unsigned long n)
{
	char path[128];
	bool hit;

	if (by_task()) {
		/* Copying to user space is counted too, so it may be this that fails. */
		hit = pread(nth_fd, path, sizeof(path), 0) > 0 && path[0] == '0';
		write_nth(0);
		injected += hit;
		return hit;
	}
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/times", knob);
	hit = get(path) == 0;
	set("probability", 0);
	if (hit)
		counted += n;
	injected += hit;
	return hit;
}

static void note(int err, const char *sentence)
{
	int i;

	for (i = 0; i < MAX_ANSWERS - 1 && answers[i].count; i++)
		if (answers[i].err == err && !strcmp(answers[i].sentence, sentence))
			break;
	answers[i].err = err;
	answers[i].count++;
	strcpy(answers[i].sentence, sentence);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int request(uint32_t mode)
{
	struct kcs_msg msg;

	kcs_msg_init(&msg, client.family, NLM_F_ACK, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&msg, KCORESNAP_A_PID, target->pid);
	kcs_msg_put_u32(&msg, KCORESNAP_A_MODE, mode);
	kcs_msg_put_u64(&msg, KCORESNAP_A_MAX_PAUSE_US, 20000000);
	return kcs_call(&client, &msg);
}

/* What a snapshot has to be, however many allocations failed that it can do without. */
static uint64_t whole_size, whole_threads;

/*
 * A thread that is in the kernel all the while has no floating-point notes. Not @exact, there may
 * be such threads.
 */
static void check_whole(int fd, bool exact)
{
	uint64_t size = lseek(fd, 0, SEEK_END);
	uint64_t least = exact ? whole_size : whole_size - whole_threads * NOTES_MAX;
	char magic[4];

	if (pread(fd, magic, 4, 0) != 4 || memcmp(magic, "\177ELF", 4))
		fail("the core can't be read");
	if (size < least || size > whole_size)
		fail("the core has %llu bytes, not %llu", (unsigned long long)size,
		     (unsigned long long)whole_size);
}

static void check_refusal(int err)
{
	/* In the task that asks, the socket's own allocations fail too. */
	if (by_task() && !client.sentence[0])
		return;
	if (err != ENOMEM && err != EAGAIN && err != ENFILE)
		fail("refused by error %d '%s'", err, client.sentence);
	else if (!client.sentence[0])
		fail("error %d without a sentence", err);
}

/* Return: did an allocation fail? */
static bool try_nth(unsigned long n, uint32_t mode)
{
	int fd = lowest_free(), err;
	const char *harm;
	bool hit;

	arm(n);
	err = request(mode);
	hit = disarm(n);
	note(err, client.sentence);
	if (!err && kcs_attr(&client, KCORESNAP_A_THREADS) != whole_threads)
		fail("%llu threads, not %llu",
		     (unsigned long long)kcs_attr(&client, KCORESNAP_A_THREADS),
		     (unsigned long long)whole_threads);
	/* Where the answer could not be allocated, the descriptor is there all the same. */
	if (fcntl(fd, F_GETFD) >= 0) {
		check_whole(fd, !err && !kcs_attr(&client, KCORESNAP_A_INEXACT_THREADS));
		close(fd);
	} else if (!err) {
		fail("no descriptor");
	}
	if (lowest_free() != fd)
		fail("a descriptor is left reserved");
	if (err)
		check_refusal(err);
	if (kcs_list(&client))
		fail("a snapshot is left");
	harm = watched_harm(target);
	if (harm)
		fail("%s", harm);
	if (failed)
		printf("failed: at allocation %lu\n", n);
	return hit;
}

static void *extra_threads(void *arg)
{
	int i;

	for (i = 0; i < EXTRA_THREADS; i++)
		watched_thread(watched_sleeps, NULL);
	*ready = 1;
	return watched_sleeps(arg);
}

static void *extra_mappings(void *arg)
{
	int i;

	for (i = 0; i < EXTRA_MAPPINGS; i++) {
		char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				(i % 3 ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);

		*at = 1;
		mprotect(at, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
	}
	*ready = 1;
	return watched_sleeps(arg);
}

static void *extra_hugetlb(void *arg)
{
	char *at = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (at == MAP_FAILED)
		_exit(2);
	memset(at, 1, 2 * HUGE_PAGE);
	*ready = 1;
	return watched_sleeps(arg);
}

static void *extra_excluded(void *arg)
{
	static const int advice[] = { MADV_DONTFORK, MADV_WIPEONFORK };
	int i;

	for (i = 0; i < 8; i++) {
		char *at = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(at, 1, 64 << 10);
		madvise(at, 64 << 10, advice[i % 2]);
	}
	*ready = 1;
	return watched_sleeps(arg);
}

static const struct {
	const char *name;
	void *(*fn)(void *arg);
} kinds[] = {
	{ "threads", extra_threads }, { "mappings", extra_mappings },
	{ "hugetlb", extra_hugetlb }, { "excluded", extra_excluded },
};

static void start_target(const char *kind)
{
	void *(*fn)(void *) = NULL;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, kind))
			fn = kinds[i].fn;
	watched_start(target, MEMORY_MIB, fn);
	while (fn && !*ready && !waitpid(target->pid, NULL, WNOHANG))
		usleep(1000);
	/* Those that have said so are about to. */
	usleep(100000);
}

/* One that every thread has all its notes in. */
static int take(uint32_t mode)
{
	int i, fd;

	for (i = 0; i < TRIES; i++) {
		if (request(mode)) {
			fail("no snapshot at all: %s", client.sentence);
			return -1;
		}
		whole_size = kcs_attr(&client, KCORESNAP_A_SIZE);
		whole_threads = kcs_attr(&client, KCORESNAP_A_THREADS);
		fd = (int)kcs_attr(&client, KCORESNAP_A_FD);
		if (!kcs_attr(&client, KCORESNAP_A_INEXACT_THREADS))
			return fd;
		close(fd);
	}
	fail("no snapshot has all threads asleep");
	return -1;
}

static void until_hit(unsigned long n, uint32_t mode)
{
	while (!failed && !try_nth(n, mode))
		;
}

static void sweep_requests(const char *kind, uint32_t mode)
{
	unsigned long n;
	int i;

	start_target(kind);
	close(take(mode));
	/* An interval of 1 is not counted. */
	if (!by_task() && !counted)
		until_hit(2, mode);
	for (n = first; n < BOUND && !failed && try_nth(n, mode); n += stride)
		;
	/* How far it was counted is known again then. */
	if (!by_task())
		until_hit(n, mode);
	if (!failed)
		close(take(mode));
	if (n >= BOUND)
		fail("there is no end of it");
	watched_end(target);
	for (i = 0; i < MAX_ANSWERS && answers[i].count; i++)
		printf("%s %s: %d\n", answers[i].err ? strerror(answers[i].err) : "taken",
		       answers[i].sentence, answers[i].count);
}

static int snapshot = -1;
static char *reference, *copy;

static uint64_t lost_bytes(void)
{
	return kcs_list(&client) == 1 ? kcs_attr(&client, KCORESNAP_A_LOST_BYTES) : 0;
}

/* Of a call that may fail: right as far as it came, or what is not is counted as lost. */
static void check_bytes(const char *what, ssize_t got, off_t pos)
{
	static uint64_t lost_before;
	uint64_t lost = lost_bytes();

	if (got > 0 && memcmp(copy, reference + pos, got) && lost == lost_before)
		fail("%s brings other bytes", what);
	lost_before = lost;
}

static ssize_t op_pread(off_t pos)
{
	return pread(snapshot, copy, 1 << 20, pos);
}

static ssize_t op_splice(off_t pos)
{
	int pipes[2];
	ssize_t n;

	if (pipe(pipes))
		return -1;
	n = splice(snapshot, &pos, pipes[1], NULL, 1 << 15, 0);
	close(pipes[1]);
	if (n > 0)
		n = read(pipes[0], copy, n);
	close(pipes[0]);
	return n;
}

static ssize_t op_seek(off_t pos)
{
	return lseek(snapshot, pos, SEEK_DATA) < 0 || lseek(snapshot, pos, SEEK_HOLE) < 0 ? -1 : 0;
}

static ssize_t op_list(off_t pos)
{
	return kcs_list(&client);
}

static const struct {
	const char *name;
	ssize_t (*fn)(off_t pos);
} ops[] = {
	{ "pread", op_pread }, { "splice", op_splice }, { "lseek", op_seek }, { "list", op_list },
};

static void sweep_op(size_t op)
{
	off_t pos = whole_size / 3;
	unsigned long n;
	ssize_t got;
	bool hit;

	for (n = first; n < BOUND && !failed; n += stride) {
		arm(n);
		got = ops[op].fn(pos);
		hit = disarm(n);
		if (op < 2)
			check_bytes(ops[op].name, got, pos);
		if (!hit)
			break;
	}
	printf("%s: up to %lu\n", ops[op].name, n - 1);
}

static void sweep_reads(void)
{
	const char *harm;
	size_t op;

	start_target("plain");
	snapshot = take(KCORESNAP_MODE_COW);
	reference = calloc(1, whole_size + (1 << 20));
	copy = malloc(whole_size + (1 << 20));
	if (pread(snapshot, reference, whole_size, 0) != (ssize_t)whole_size)
		fail("it can't be read at all");
	memset(copy, 0, whole_size);
	for (op = 0; op < sizeof(ops) / sizeof(ops[0]); op++)
		sweep_op(op);
	if (pread(snapshot, copy, whole_size, 0) != (ssize_t)whole_size ||
	    memcmp(copy, reference, whole_size))
		fail("it is not read the same afterwards");
	close(snapshot);
	if (kcs_list(&client))
		fail("the snapshot is left");
	harm = watched_harm(target);
	if (harm)
		fail("%s", harm);
	watched_end(target);
}

int main(int argc, char **argv)
{
	if (argc < 6 || kcs_open(&client))
		return 2;
	knob = argv[1];
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	stride = strtoul(argv[2], NULL, 10);
	first = strtoul(argv[3], NULL, 10);
	counted = strtoul(argv[4], NULL, 10);
	target = shared_memory(sizeof(*target));
	ready = shared_memory(sizeof(*ready));
	if (!strcmp(argv[5], "read"))
		sweep_reads();
	else
		sweep_requests(argv[5], argc > 6 ? atoi(argv[6]) : KCORESNAP_MODE_COW);
	printf("injected %lu counted %lu\n", injected, counted);
	return failed;
}
