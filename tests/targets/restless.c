// SPDX-License-Identifier: GPL-2.0
/*
 * restless exec|exit|kill COUNT
 *
 * Take COUNT snapshots of a process that meanwhile calls execve over and over
 * (with a thread beside it), or of as many processes that exit, or are killed,
 * about then. Prints a line "OUTCOME COUNT SENTENCE" for each outcome and at the
 * end "TAKEN REFUSED". Each snapshot has to be one, or to be refused with ESRCH
 * or EAGAIN and a sentence, and none may be left at the end, else the status is 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"

#define OUTCOMES 32

static struct kcs_client client;
static bool failed;

static struct outcome {
	int err;
	int count;
	char sentence[256];
} outcomes[OUTCOMES];

/* Digits differ from process to process. */
static void strip(char *to, const char *from)
{
	size_t n = 0;

	for (; *from && n < 255; from++)
		if (*from < '0' || *from > '9')
			to[n++] = *from;
	to[n] = '\0';
}

static void note(int err, const char *sentence)
{
	char text[256];
	int i;

	strip(text, sentence);
	for (i = 0; i < OUTCOMES - 1 && outcomes[i].count; i++)
		if (outcomes[i].err == err && !strcmp(outcomes[i].sentence, text))
			break;
	outcomes[i].err = err;
	outcomes[i].count++;
	strcpy(outcomes[i].sentence, text);
}

static void fail(const char *what)
{
	printf("failed: %s (%s)\n", what, strerror(errno));
	failed = true;
}

static void read_snapshot(int fd, size_t size)
{
	char buf[65536];
	size_t done = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (!done && memcmp(buf, "\177ELF", 4))
			fail("it does not begin like a core");
		done += n;
		/* Mostly libraries and holes: its end, and what is before, tell enough. */
		if (done < size / 2 && done > 1 << 20)
			done = lseek(fd, size / 2, SEEK_SET);
	}
	if (n < 0 || done != size)
		fail("it can't be read to its end");
}

static void attempt(pid_t pid)
{
	int fd = -1, err = kcs_snapshot(&client, pid, &fd);

	note(err, client.sentence);
	if (!err) {
		if (kcs_attr(&client, KCORESNAP_A_THREADS) < 1)
			fail("a core without a thread");
		read_snapshot(fd, kcs_attr(&client, KCORESNAP_A_SIZE));
		close(fd);
	} else if ((err != ESRCH && err != EAGAIN) || !client.sentence[0]) {
		errno = err;
		fail(client.sentence[0] ? client.sentence : "no sentence");
	}
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void start_threads(int count)
{
	pthread_t thread;

	while (count--)
		pthread_create(&thread, NULL, sleeper, NULL);
}

static void __attribute__((noreturn)) exec_again(char *program)
{
	char *const argv[] = { program, "again", NULL };
	volatile int i;

	start_threads(2);
	for (i = random() % 200000; i > 0; i--)
		;
	execv("/proc/self/exe", argv);
	_exit(1);
}

/* About as long as it takes to be asked for it; sooner or later by chance. */
static void __attribute__((noreturn)) exit_soon(bool wait_for_kill)
{
	start_threads(4);
	while (wait_for_kill)
		pause();
	usleep(random() % 8000);
	_exit(0);
}

static void try_exec(char *program, int count)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_again(program);
	while (count--)
		attempt(pid);
	if (waitpid(pid, NULL, WNOHANG))
		fail("the process that calls execve is gone");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void try_exit(int count, bool kills)
{
	while (count--) {
		pid_t killer = 0, pid;

		srandom(count);
		pid = fork();
		if (pid == 0)
			exit_soon(kills);
		usleep(random() % 8000);
		if (kills)
			killer = fork();
		if (kills && killer == 0) {
			usleep(random() % 8000);
			kill(pid, SIGKILL);
			_exit(0);
		}
		attempt(pid);
		waitpid(pid, NULL, 0);
		if (killer)
			waitpid(killer, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	int i, left, refused = 0;

	if (argc == 2 && !strcmp(argv[1], "again")) {
		srandom(getpid() + clock());
		exec_again(argv[0]);
	}
	if (argc != 3 || kcs_open(&client))
		return 2;
	if (!strcmp(argv[1], "exec"))
		try_exec(argv[0], atoi(argv[2]));
	else
		try_exit(atoi(argv[2]), !strcmp(argv[1], "kill"));
	for (i = 0; i < OUTCOMES && outcomes[i].count; i++) {
		printf("%s: %d %s\n", outcomes[i].err ? strerror(outcomes[i].err) : "taken",
		       outcomes[i].count, outcomes[i].sentence);
		refused += outcomes[i].err ? outcomes[i].count : 0;
	}
	printf("%d %d\n", atoi(argv[2]) - refused, refused);
	left = kcs_list(&client);
	if (left)
		fail("snapshots are left");
	return failed;
}
