// SPDX-License-Identifier: GPL-2.0
/*
 * handover PID COUNT: what becomes of a snapshot of PID whose descriptor can't be
 * handed over, or whose requester goes away meanwhile. A line "ok NAME" or
 * "not ok NAME (WHY)" per test. As root; sets the module's policy and
 * fs.file-max, and puts them back.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "netlink.h"

#define MAGIC 0x6b637361	/* of the snapshots' file system */
#define MAX_FD 64
#define FILLING 400		/* replies, more than a receive buffer takes */
#define NOBODY 65534

static const char policy[] = "/sys/module/kcoresnap/parameters/policy";
static const char file_max[] = "/proc/sys/fs/file-max";

static struct kcs_client client, watcher;
static pid_t target;
static int count;
static long request_us;		/* how long a request takes */

static void result(const char *name, bool good, const char *why)
{
	if (good)
		printf("ok %s\n", name);
	else
		printf("not ok %s (%s; errno %d, sentence '%s')\n", name, why, errno,
		       client.sentence);
	fflush(stdout);
}

#define TEST(name, condition) result(name, condition, #condition)

static void open_client(struct kcs_client *which)
{
	errno = kcs_open(which);
	if (!errno)
		return;
	perror("handover");
	exit(1);
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void get_text(const char *path, char text[64])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, 63);

	text[len > 0 ? len : 0] = '\0';
	close(fd);
}

/* Returns how many of the descriptors are snapshots, and closes these. */
static int close_snapshots(void)
{
	struct statfs fs;
	int fd, found = 0;

	for (fd = 0; fd < MAX_FD; fd++) {
		if (fstatfs(fd, &fs) || fs.f_type != MAGIC)
			continue;
		close(fd);
		found++;
	}
	return found;
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static bool nothing_left(void)
{
	return kcs_list(&watcher) == 0;
}

static void ask_snapshot(struct kcs_client *which)
{
	struct kcs_msg msg;

	kcs_msg_init(&msg, which->family, NLM_F_ACK, KCORESNAP_CMD_SNAPSHOT);
	kcs_msg_put_u32(&msg, KCORESNAP_A_PID, target);
	kcs_msg_put_u64(&msg, KCORESNAP_A_MAX_PAUSE_US, 20000000);
	kcs_send(which, &msg);
}

/* All that is in the queue. Returns how many descriptors it names. */
static int drain(struct kcs_client *which)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)which->buf;
	int named = 0;
	ssize_t len;

	for (;;) {
		len = recv(which->fd, which->buf, sizeof(which->buf), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len < 0)
			return named;
		memset(which->attrs, 0, sizeof(which->attrs));
		if (nlh->nlmsg_type == which->family)
			kcs_parse(which->attrs, (const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
				  which->buf + len);
		if (which->attrs[KCORESNAP_A_FD])
			named++;
	}
}

static void test_descriptors(void)
{
	struct rlimit before, none;
	int fd, err;

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit) { .rlim_cur = lowest_fd(), .rlim_max = before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	err = kcs_snapshot(&client, target, &fd);
	setrlimit(RLIMIT_NOFILE, &before);
	TEST("a requester without a descriptor left is told so",
	     err == EMFILE && strstr(client.sentence, "no file descriptor left"));
	TEST("and nothing is left", nothing_left() && !close_snapshots());
	TEST("with one it is served",
	     !kcs_snapshot(&client, target, &fd) && close_snapshots() == 1);
}

/* By itself, of itself. */
static void __attribute__((noreturn)) ask_as_nobody(int ready, int go)
{
	int fd = -1, err;
	char c = 0;

	close(client.fd);
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	open_client(&client);
	if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	err = kcs_snapshot(&client, getpid(), &fd);
	_exit(err == ENFILE && strstr(client.sentence, "fs.file-max") ? 42 : err);
}

static void test_files(void)
{
	int ready[2], go[2], status;
	char before[64], c;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		exit(1);
	put_text(policy, "2");
	pid = fork();
	if (!pid)
		ask_as_nobody(ready[1], go[0]);
	get_text(file_max, before);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		exit(1);
	put_text(file_max, "1");
	if (write(go[1], "", 1) != 1)
		exit(1);
	waitpid(pid, &status, 0);
	put_text(file_max, before);
	put_text(policy, "0");
	errno = WEXITSTATUS(status);
	TEST("so is one on a machine without a file left",
	     WIFEXITED(status) && WEXITSTATUS(status) == 42);
	TEST("and nothing is left", nothing_left());
	close(ready[0]);
	close(go[0]);
	close(go[1]);
}

static void test_full_queue(void)
{
	struct kcs_client full = client;
	struct kcs_msg msg;
	int i, named, found;

	open_client(&full);
	for (i = 0; i < FILLING; i++) {
		kcs_msg_init(&msg, full.family, 0, KCORESNAP_CMD_INFO);
		kcs_send(&full, &msg);
	}
	ask_snapshot(&full);
	found = close_snapshots();
	named = drain(&full);
	TEST("where the reply can't be queued no descriptor appears", !found && !named);
	TEST("and nothing is left", nothing_left());
	ask_snapshot(&full);
	TEST("where it can, one does", close_snapshots() == 1 && drain(&full) == 1);

	i = 1;
	setsockopt(full.fd, SOL_SOCKET, SO_RCVBUF, &i, sizeof(i));
	for (i = 0, named = 0, found = 0; i < 3; i++) {
		ask_snapshot(&full);
		found += close_snapshots();
		named += drain(&full);
	}
	TEST("the smallest receive buffer takes the reply, if not the acknowledgement",
	     found == 3 && named == 3);
	close(full.fd);
	TEST("and nothing is left", nothing_left());
}

static void *ask_in_thread(void *arg)
{
	ask_snapshot(arg);
	return NULL;
}

static void wait_us(long us)
{
	struct timespec time = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

/* Somewhere in a request, or right behind it. */
static long moment(int i)
{
	return request_us * 3 / 2 * i / count;
}

static void test_closed_socket(void)
{
	struct kcs_client gone = client;
	pthread_t thread;
	int i, found = 0;

	for (i = 0; i < count; i++) {
		open_client(&gone);
		pthread_create(&thread, NULL, ask_in_thread, &gone);
		wait_us(moment(i));
		close(gone.fd);
		pthread_join(thread, NULL);
		found += close_snapshots();
	}
	printf("# %d of %d appeared all the same\n", found, count);
	TEST("a socket that is closed meanwhile leaves nothing behind", nothing_left());
}

static int contested;
static bool contest_over;

static void *contest(void *unused)
{
	while (!__atomic_load_n(&contest_over, __ATOMIC_RELAXED)) {
		dup2(0, contested);
		close(contested);
	}
	return NULL;
}

static void test_contested_number(void)
{
	pthread_t thread;
	int i;

	contested = lowest_fd();
	pthread_create(&thread, NULL, contest, NULL);
	for (i = 0; i < count; i++) {
		ask_snapshot(&client);
		drain(&client);
		close_snapshots();
	}
	__atomic_store_n(&contest_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	close_snapshots();
	TEST("nor does a number that another thread takes and closes all the time", nothing_left());
}

/* A thread asks; the process ends at that moment. */
static void __attribute__((noreturn)) end_meanwhile(int i)
{
	pthread_t thread;

	open_client(&client);
	pthread_create(&thread, NULL, ask_in_thread, &client);
	wait_us(moment(i));
	if (i % 3 == 0)
		_exit(0);
	if (i % 3 == 1)
		kill(getpid(), SIGKILL);
	execl("/bin/true", "true", NULL);
	_exit(1);
}

static void test_ended_requester(void)
{
	int i, left = 0;
	pid_t pid;

	for (i = 0; i < count; i++) {
		pid = fork();
		if (!pid)
			end_meanwhile(i);
		waitpid(pid, NULL, 0);
		left += !nothing_left();
	}
	errno = left;
	TEST("nor does a requester that exits, is killed or calls execve", !left);
}

static void measure(void)
{
	struct timespec from, to;

	ask_snapshot(&client);
	drain(&client);
	close_snapshots();
	clock_gettime(CLOCK_MONOTONIC, &from);
	ask_snapshot(&client);
	clock_gettime(CLOCK_MONOTONIC, &to);
	drain(&client);
	close_snapshots();
	request_us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
	printf("# a request takes %ld us\n", request_us);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		return 2;
	target = atoi(argv[1]);
	count = atoi(argv[2]);
	open_client(&client);
	open_client(&watcher);
	measure();
	test_descriptors();
	test_files();
	test_full_queue();
	test_closed_socket();
	test_contested_number();
	test_ended_requester();
	TEST("a request is served afterwards",
	     !kcs_snapshot(&client, target, &fd) && close_snapshots() == 1 && nothing_left());
	return 0;
}
