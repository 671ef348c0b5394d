// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

#define LINE_SIZE 512
#define BACKLOG 16

static const struct kcs_control *control;
static int listener;

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int kcs_listen(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG))
		err(1, "listening on port %u", port);
	return fd;
}

int kcs_connect(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "connecting to port %u", port);
	return fd;
}

static void answer(int fd)
{
	char line[LINE_SIZE] = "";
	ssize_t len = read(fd, line, sizeof(line) - 1);

	if (len > 0 && !strncmp(line, "reset", strlen("reset"))) {
		control->reset();
		strcpy(line, "ok");
	} else if (len > 0 && !strncmp(line, "report", strlen("report"))) {
		control->report(line, sizeof(line) - 1);
	} else {
		strcpy(line, "?");
	}
	strcat(line, "\n");
	len = write(fd, line, strlen(line));
	if (len < 0)
		warn("answering");
}

static void *serve_control(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		err(1, "epoll");
	for (;;) {
		int count = epoll_wait(epoll, &event, 1, -1), fd;

		if (count < 0 && errno == EINTR && control->eintr)
			control->eintr();
		if (count <= 0)
			continue;
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		answer(fd);
		close(fd);
	}
	return arg;
}

int kcs_control_start(const struct kcs_control *answers, uint16_t port)
{
	pthread_t thread;

	control = answers;
	listener = kcs_listen(port);
	return pthread_create(&thread, NULL, serve_control, NULL);
}
