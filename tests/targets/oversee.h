/* SPDX-License-Identifier: GPL-2.0 */
/* The parent of a process of states. */
#ifndef KCS_TESTS_OVERSEE_H
#define KCS_TESTS_OVERSEE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, int number)
{
	printf("child %s %d\n", what, number);
	fflush(stdout);
}

/* Return: what it exited with, or -1 as long as it lives. */
static int hear(pid_t child)
{
	int status;
	bool heard = false;

	while (waitpid(child, &status, WUNTRACED | WCONTINUED | WNOHANG) == child) {
		heard = true;
		if (WIFSTOPPED(status)) {
			say("stopped", WSTOPSIG(status));
		} else if (WIFCONTINUED(status)) {
			say("continued", 0);
		} else {
			say(WIFEXITED(status) ? "exited" : "killed",
			    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		}
	}
	if (!heard)
		say("signal", SIGCHLD);
	return -1;
}

static int oversee(pid_t child, int from, const sigset_t *signals)
{
	char line[256] = "";
	ssize_t n = read(from, line, sizeof(line) - 1);
	int number, status = -1;

	if (n != 5)
		printf("%s", n > 0 ? line : "unavailable it died\n");
	else
		printf("ready %d\n", child);
	fflush(stdout);
	while (status < 0) {
		number = sigwaitinfo(signals, NULL);
		if (number == SIGTERM)
			kill(child, SIGTERM);
		else if (number == SIGCHLD)
			status = hear(child);
	}
	return status;
}

#endif
