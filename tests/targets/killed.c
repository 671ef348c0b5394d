// SPDX-License-Identifier: GPL-2.0
/*
 * killed requester-kill|requester-sibling|requester-exit|requester-exec COUNT
 *
 * COUNT requests for a snapshot, each of a process that ends while its request is under way: by
 * SIGKILL from another process or from another thread, by exit_group or by execve of another
 * thread; the delays are spread over the time that a request takes, and somewhat more. The
 * process shares its table of descriptors, so that what is left in it can be seen.
 *
 * killed target-kill|target-exit COUNT [MODE PAUSE_MS]
 *
 * The same with the target, which gets SIGKILL or exits. With a MODE (enum kcoresnap_mode) and a
 * bound of the pause it is killed while it is held, which must not keep it.
 *
 * Prints what is wrong as a line "failed: ..." each, and at the end, for a requester, "BEFORE
 * DURING AFTER", how many ended before, during and after the request; for a target "TAKEN
 * REFUSED". Exits with 1 if anything was wrong.
 */
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "netlink.h"
#include "watched.h"

#define MEMORY_MIB 8
#define HELD_SECONDS 10

/**
 * struct stage - how far the request is, shared with the process that makes it
 * @sending: it is about to be made
 * @returned: it was answered
 * @err: by what
 * @sentence: likewise
 * @size: of the snapshot
 * @bytes: of it that were read
 * @why: errno that ended the reading
 * @gone: the target is
 */
static struct stage {
	volatile int sending;
	volatile int returned;
	int err;
	char sentence[sizeof(((struct kcs_client *)0)->sentence)];
	size_t size;
	size_t bytes;
	int why;
	volatile int gone;
} *stage;

static struct kcs_client client;
static struct watched *target;
static bool failed;
static uint64_t whole_ns;	/* of a request, and somewhat more */
static uint64_t delay_ns;
static const char *ending;

static void __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("failed: after %llu us: ", (unsigned long long)delay_ns / 1000);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	failed = true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median: on a busy machine, some take much longer. */
static void learn_whole(void)
{
	uint64_t took[7];
	int i, fd = -1;

	for (i = 0; i < 7; i++) {
		took[i] = now_ns();
		if (kcs_snapshot(&client, target->pid, &fd)) {
			fail("%s", client.sentence);
			return;
		}
		took[i] = now_ns() - took[i];
		close(fd);
	}
	qsort(took, 7, sizeof(took[0]), compare);
	whole_ns = took[3] * 3 / 2;
}

static void await(volatile int *flag)
{
	while (!*flag)
		;
}

static void *sibling(void *arg)
{
	char *const argv[] = { "killed", NULL };

	await(&stage->sending);
	spin_ns(delay_ns);
	if (!strcmp(ending, "requester-sibling"))
		kill(getpid(), SIGKILL);
	if (!strcmp(ending, "requester-exec"))
		execv("/proc/self/exe", argv);
	_exit(0);
	return arg;
}

static void __attribute__((noreturn)) request_and_wait(void)
{
	pthread_t thread;
	int fd;

	if (strcmp(ending, "requester-kill"))
		pthread_create(&thread, NULL, sibling, NULL);
	stage->sending = 1;
	stage->err = kcs_snapshot(&client, target->pid, &fd);
	stage->returned = 1;
	for (;;)
		pause();
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* The descriptor is there, with all that belongs to it, or it is not. Returns whether. */
static bool check_descriptor(int fd)
{
	bool there = fcntl(fd, F_GETFD) >= 0;
	char magic[4];

	if (kcs_list(&client) != there)
		fail("%d snapshots are open, %d descriptors", kcs_list(&client), there);
	if (there) {
		if (pread(fd, magic, 4, 0) != 4 || memcmp(magic, "\177ELF", 4))
			fail("the descriptor that was left can't be read");
		close(fd);
		if (kcs_list(&client))
			fail("the snapshot outlives its descriptor");
	}
	if (lowest_free() != fd)
		fail("a descriptor is left reserved");
	return there;
}

static void try_requester(int *before, int *during, int *after)
{
	int fd = lowest_free(), status = 0;
	const char *harm;
	pid_t pid;

	memset(stage, 0, sizeof(*stage));
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		request_and_wait();
	if (!strcmp(ending, "requester-kill")) {
		await(&stage->sending);
		spin_ns(delay_ns);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	/* Its answers are still queued on the socket, which is ours too. */
	client.seq++;
	if (!check_descriptor(fd))
		(*(stage->sending ? during : before))++;
	else
		(*after)++;
	if (stage->returned && stage->err)
		fail("refused: error %d", stage->err);
	harm = watched_harm(target);
	if (harm)
		fail("%s", harm);
}

static void requesters(int count)
{
	int before = 0, during = 0, after = 0, i;

	watched_start(target, MEMORY_MIB, NULL);
	learn_whole();
	for (i = 0; i < count && !failed; i++) {
		delay_ns = whole_ns * i / count;
		try_requester(&before, &during, &after);
	}
	watched_end(target);
	printf("%d %d %d\n", before, during, after);
}

static int request(uint32_t mode, uint64_t pause_ms, int *fd)
{
	struct kcs_msg msg;
	int err;

	kcs_msg_init(&msg, client.family, NLM_F_ACK, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&msg, KCORESNAP_A_PID, target->pid);
	kcs_msg_put_u32(&msg, KCORESNAP_A_MODE, mode);
	kcs_msg_put_u64(&msg, KCORESNAP_A_MAX_PAUSE_US, pause_ms * 1000);
	err = kcs_call(&client, &msg);
	*fd = err ? -1 : (int)kcs_attr(&client, KCORESNAP_A_FD);
	return err;
}

static void __attribute__((noreturn)) request_and_read(uint32_t mode, uint64_t pause_ms)
{
	static char buf[65536];
	ssize_t n;
	int fd;

	stage->sending = 1;
	stage->err = request(mode, pause_ms, &fd);
	strcpy(stage->sentence, client.sentence);
	stage->size = kcs_attr(&client, KCORESNAP_A_SIZE);
	/* Which would let it go. */
	while (mode == KCORESNAP_MODE_STOP && !stage->gone)
		usleep(1000);
	errno = 0;
	while (!stage->err && (n = read(fd, buf, sizeof(buf))) > 0)
		stage->bytes += n;
	stage->why = errno;
	stage->returned = 1;
	_exit(0);
}

/* Holds the address space, again and again, so that the clone has to wait with all parked. */
static void *populate(void *arg)
{
	size_t size = 8 << 20;

	for (;;) {
		void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		munmap(at, size);
	}
	return arg;
}

static void check_answer(int *taken, int *refused)
{
	if (!stage->err) {
		(*taken)++;
		if (stage->bytes != stage->size || stage->size < MEMORY_MIB << 20)
			fail("%zu bytes of a core of %zu could be read (%s)", stage->bytes,
			     stage->size, strerror(stage->why));
	} else {
		(*refused)++;
		if ((stage->err != ESRCH && stage->err != EAGAIN) || !stage->sentence[0])
			fail("refused by %d '%s'", stage->err, stage->sentence);
	}
	if (kcs_list(&client))
		fail("the snapshot is left");
}

static void try_target(uint32_t mode, uint64_t pause_ms, int *taken, int *refused)
{
	bool killed = !strcmp(ending, "target-kill");
	int status = 0;
	uint64_t begun;
	pid_t pid;

	memset(stage, 0, sizeof(*stage));
	watched_start(target, MEMORY_MIB, (*taken + *refused) % 4 == 3 ? populate : NULL);
	pid = fork();
	if (pid == 0)
		request_and_read(mode, pause_ms);
	await(&stage->sending);
	spin_ns(delay_ns);
	begun = now_ns();
	if (killed)
		kill(target->pid, SIGKILL);
	else
		target->die = 1;
	waitpid(target->pid, &status, 0);
	stage->gone = 1;
	if (killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL :
		     !WIFEXITED(status) || WEXITSTATUS(status) != 42)
		fail("the target's status is %#x", status);
	if (killed && now_ns() - begun > HELD_SECONDS * 1000000000ULL)
		fail("the target was gone only after %llu s",
		     (unsigned long long)((now_ns() - begun) / 1000000000));
	waitpid(pid, &status, 0);
	if (status)
		fail("the requester's status is %#x", status);
	check_answer(taken, refused);
}

static void targets(int count, uint32_t mode, uint64_t pause_ms)
{
	int taken = 0, refused = 0, i;

	watched_start(target, MEMORY_MIB, NULL);
	learn_whole();
	watched_end(target);
	for (i = 0; i < count && !failed; i++) {
		delay_ns = whole_ns * i / count;
		try_target(mode, pause_ms, &taken, &refused);
	}
	if (module_references() && kcs_list(&client))
		fail("something is left");
	printf("%d %d\n", taken, refused);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 0;	/* by execve of requester-exec */
	if ((argc != 3 && argc != 5) || kcs_open(&client))
		return 2;
	ending = argv[1];
	stage = shared_memory(sizeof(*stage));
	target = shared_memory(sizeof(*target));
	if (!strncmp(ending, "requester", 9))
		requesters(atoi(argv[2]));
	else
		targets(atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 0,
			argc > 4 ? atoll(argv[4]) : 20000);
	return failed;
}
