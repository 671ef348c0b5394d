// SPDX-License-Identifier: GPL-2.0
/*
 * removal MODULE once|until COUNT
 *
 * COUNT requests for snapshots, each of a process that reads a little and exits without closing.
 * From a moment on that differs from one to the next, the module is removed: tried once, or in a
 * tight loop until it goes, as soon as nothing of the request is left; and loaded again. Either it
 * goes or it is in use; the request succeeds, or fails for want of the module; the target runs on.
 *
 * Prints "failed: ..." for what is wrong, and at the end "REMOVED REFUSED". Exits with 1 if
 * anything was wrong.
 */
#include <stdarg.h>
#include <sys/syscall.h>

#include "netlink.h"
#include "watched.h"

#define MEMORY_MIB 2

/* What the requester found. */
static struct outcome {
	volatile int begun;
	int err;
	char sentence[1024];
} *outcome;

static struct watched *target;
static const char *module;
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

static void __attribute__((noreturn)) request(void)
{
	static struct kcs_client client;
	char magic[4];
	int fd;

	outcome->err = kcs_open(&client);
	outcome->begun = 1;
	if (!outcome->err)
		outcome->err = kcs_snapshot(&client, target->pid, &fd);
	strcpy(outcome->sentence, client.sentence);
	if (!outcome->err && (read(fd, magic, 4) != 4 || memcmp(magic, "\177ELF", 4)))
		outcome->err = EIO;
	_exit(0);
}

static bool insert(void)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC), err;

	err = fd < 0 ? fd : syscall(SYS_finit_module, fd, "", 0);
	if (err)
		fail("it can't be loaded again: %s", strerror(errno));
	close(fd);
	return !err;
}

/* Return: did it go? */
static bool remove_module(bool until)
{
	uint64_t end = now_ns() + WATCHED_SECONDS * 1000000000ULL;

	do {
		if (!syscall(SYS_delete_module, "kcoresnap", O_NONBLOCK))
			return true;
		if (errno != EWOULDBLOCK && errno != EBUSY) {
			fail("removing it: %s", strerror(errno));
			return false;
		}
	} while (until && now_ns() < end);
	if (until)
		fail("it is in use for good");
	return false;
}

static void check_request(void)
{
	switch (outcome->err) {
	case 0:
	case ENOENT:	/* no such family any more */
		return;
	case ENODEV:
		if (strstr(outcome->sentence, "unloaded"))
			return;
	}
	fail("the request: %d %s", outcome->err, outcome->sentence);
}

static void attempt(uint64_t delay_ns, bool until, int *removed, int *refused)
{
	const char *harm;
	int status;
	pid_t pid;
	bool gone;

	memset(outcome, 0, sizeof(*outcome));
	pid = fork();
	if (pid == 0)
		request();
	while (!outcome->begun)
		;
	spin_ns(delay_ns);
	gone = remove_module(until);
	(*(gone ? removed : refused))++;
	waitpid(pid, &status, 0);
	if (status)
		fail("the requester's status is %#x", status);
	check_request();
	harm = watched_harm(target);
	if (harm)
		fail("%s", harm);
	if (gone && !insert())
		exit(1);
}

int main(int argc, char **argv)
{
	int removed = 0, refused = 0, count, i;
	uint64_t whole_ns;

	if (argc != 4)
		return 2;
	module = argv[1];
	count = atoi(argv[3]);
	outcome = shared_memory(sizeof(*outcome));
	target = shared_memory(sizeof(*target));
	watched_start(target, MEMORY_MIB, NULL);
	whole_ns = now_ns();
	if (fork() == 0)
		request();
	wait(NULL);
	whole_ns = now_ns() - whole_ns;
	for (i = 0; i < count && !failed; i++)
		attempt(whole_ns * i / count, !strcmp(argv[2], "until"), &removed, &refused);
	watched_end(target);
	printf("%d %d\n", removed, refused);
	return failed;
}
