// SPDX-License-Identifier: GPL-2.0
/*
 * onlooker FILE...: watch files by inotify and fanotify, for all that there is
 * to see, and print a line for each event. Another fanotify group is asked for
 * permission (FAN_OPEN_PERM, FAN_ACCESS_PERM) and gives it, until SIGUSR1: then
 * "silent" is printed, and who asks from then on is left without an answer.
 *
 * Prints "ready" when it watches, or "unavailable" and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SEEN (FAN_ACCESS | FAN_MODIFY | FAN_OPEN | FAN_OPEN_EXEC | FAN_CLOSE)
#define ASKED (FAN_OPEN_PERM | FAN_ACCESS_PERM)

static volatile sig_atomic_t silent;

static void be_silent(int signal)
{
	silent = 1;
}

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	printf("unavailable %s: %s\n", what, strerror(errno));
	exit(1);
}

static int watch_by_fanotify(unsigned int class, uint64_t mask, char **files)
{
	int group = fanotify_init(class | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);

	check(group < 0, "fanotify_init");
	for (; *files; files++)
		check(fanotify_mark(group, FAN_MARK_ADD, mask, AT_FDCWD, *files), *files);
	return group;
}

static int watch_by_inotify(char **files)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	check(fd < 0, "inotify_init");
	for (; *files; files++)
		check(inotify_add_watch(fd, *files, IN_ALL_EVENTS) < 0, *files);
	return fd;
}

static void name_of(int fd, char *name, size_t size)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, name, size - 1);
	name[len > 0 ? len : 0] = '\0';
}

static void take_fanotify(int group)
{
	char buf[4096] __attribute__((aligned(8))), name[256];
	const struct fanotify_event_metadata *event = (void *)buf;
	ssize_t len = read(group, buf, sizeof(buf));

	for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
		name_of(event->fd, name, sizeof(name));
		printf("fanotify %#llx of %d on %s\n", (unsigned long long)event->mask,
		       event->pid, name);
		if ((event->mask & ASKED) && !silent) {
			struct fanotify_response allow = { event->fd, FAN_ALLOW };

			check(write(group, &allow, sizeof(allow)) < 0, "an answer");
		}
		close(event->fd);
	}
}

static void take_inotify(int fd, char **files)
{
	char buf[4096] __attribute__((aligned(8))), *at;
	ssize_t len = read(fd, buf, sizeof(buf));

	for (at = buf; at < buf + len;) {
		const struct inotify_event *event = (void *)at;

		printf("inotify %#x on %s\n", event->mask, files[event->wd - 1]);
		at += sizeof(*event) + event->len;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[3] = { { .events = POLLIN }, { .events = POLLIN }, { .events = POLLIN } };
	sigset_t usr1, none;
	int said = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	signal(SIGUSR1, be_silent);
	fds[0].fd = watch_by_fanotify(FAN_CLASS_CONTENT, ASKED, argv + 1);
	fds[1].fd = watch_by_fanotify(FAN_CLASS_NOTIF, SEEN, argv + 1);
	fds[2].fd = watch_by_inotify(argv + 1);
	puts("ready");
	for (;;) {
		ppoll(fds, 3, NULL, &none);
		take_fanotify(fds[0].fd);
		take_fanotify(fds[1].fd);
		take_inotify(fds[2].fd, argv + 1);
		if (silent && !said++)
			puts("silent");
	}
}
