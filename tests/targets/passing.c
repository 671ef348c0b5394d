// SPDX-License-Identifier: GPL-2.0
/*
 * passing PID
 *
 * Who may hold a snapshot, and who does not: it lives exactly as long as a descriptor of it does,
 * wherever that is. A line "ok NAME", "not ok NAME (WHY)" or "skip NAME (WHY)" per test.
 *
 * "passing compare FD REFERENCE" is what it executes: are the two descriptors' contents the same?
 */
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "netlink.h"
#include "watched.h"

#define IO_URING_REGISTER_FILES 2

#ifndef F_SETLEASE
#define F_SETLEASE 1024
#endif

static struct kcs_client client;
static pid_t target;
static size_t size;
static int reference = -1;	/* a memfd that holds the core */

static void result(const char *name, bool good, const char *why)
{
	if (good)
		printf("ok %s\n", name);
	else
		printf("not ok %s (%s, errno %d %s)\n", name, why, errno, strerror(errno));
	fflush(stdout);
}

#define TEST(name, condition) do { errno = 0; result(name, condition, #condition); } while (0)

static int take(void)
{
	int fd, err = kcs_snapshot(&client, target, &fd);

	if (err) {
		printf("not ok a snapshot (%s)\n", client.sentence);
		exit(1);
	}
	size = kcs_attr(&client, KCORESNAP_A_SIZE);
	return fd;
}

/* Reads from where the descriptors are to the end, in pieces of odd sizes. */
static bool same(int fd, int other, unsigned int seed)
{
	static char one[70000], two[70000];
	size_t done = 0;
	ssize_t n;

	do {
		n = read(fd, one, (done * seed + 1) % sizeof(one) + 1);
		if (n < 0 || pread(other, two, n, done) != n || memcmp(one, two, n))
			return false;
		done += n;
	} while (n > 0);
	return done > 1 << 20 && done == (size_t)lseek(other, 0, SEEK_END);
}

/* Reads the whole as the reference, and begins anew. */
static int take_and_read(void)
{
	static char buf[1 << 16];
	int fd = take();
	ssize_t n;

	close(reference);
	reference = memfd_create("reference", 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(reference, buf, n) != n)
			exit(2);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static bool is_held(void)
{
	return kcs_list(&client) == 1;
}

/* Some are let go of by a thread of the kernel's. */
static bool is_gone(void)
{
	uint64_t end = now_ns() + WATCHED_SECONDS * 1000000000ULL;

	while ((kcs_list(&client) || module_references()) && now_ns() < end) {
		usleep(1000);
		/* What starts the collector of sockets that hold each other. */
		close(socket(AF_UNIX, SOCK_DGRAM, 0));
	}
	return now_ns() < end;
}

static bool is_gone_at_once(void)
{
	return !kcs_list(&client);
}

static bool send_fds(int socket, const int *fds, int count)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	return sendmsg(socket, &msg, 0) == 1;
}

static int receive_fd(int socket)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static bool ended(pid_t pid, int status)
{
	int got;

	return waitpid(pid, &got, 0) == pid && got == status;
}

static void test_socket(void)
{
	int pair[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return;
	/* The reference has to outlive the sender, and so is made here. */
	fd = take_and_read();
	pid = fork();
	if (pid == 0)
		_exit(!send_fds(pair[0], &fd, 1));
	close(fd);
	TEST("sent by a process that exits at once, it is held by nobody but the socket",
	     ended(pid, 0) && is_held());
	fd = receive_fd(pair[1]);
	TEST("received then, it reads the same", fd >= 0 && same(fd, reference, 7));
	close(fd);
	TEST("and is gone when it is closed", is_gone_at_once());

	fd = take();
	TEST("in a socket from which nobody receives, it is held",
	     send_fds(pair[0], &fd, 1) && !close(fd) && is_held());
	close(pair[0]);
	close(pair[1]);
	TEST("until the socket is closed", is_gone());
}

/* What holds the socket is a message in the socket itself. */
static void test_socket_cycle(void)
{
	int fds[3];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		return;
	fds[2] = take();
	TEST("in a socket that is itself in the message, it is held",
	     send_fds(fds[0], fds, 3) && !close(fds[2]) && is_held());
	close(fds[0]);
	close(fds[1]);
	TEST("until the collector finds it", is_gone());
}

static pid_t execute(int fd)
{
	char numbers[2][16];
	char *const argv[] = { "passing", "compare", numbers[0], numbers[1], NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	snprintf(numbers[0], 16, "%d", fd);
	snprintf(numbers[1], 16, "%d", reference);
	execv("/proc/self/exe", argv);
	_exit(9);
}

static void test_inherited(void)
{
	int fd = take_and_read(), gate[2];
	char byte;
	pid_t pid;

	TEST("closed by execve, it can't be read there", ended(execute(fd), 1 << 8));
	fcntl(fd, F_SETFD, 0);
	TEST("inherited over fork and execve, it reads the same", ended(execute(fd), 0));
	if (pipe(gate))
		return;
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) < 0);
	}
	close(gate[0]);
	close(fd);
	TEST("held by a child alone, it is in the list", is_held());
	kill(pid, SIGKILL);
	TEST("and goes with it when it is killed", ended(pid, SIGKILL) && is_gone_at_once());
	close(gate[1]);
}

static int open_of(pid_t pid, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The two read at the same time, from positions of their own. */
static void test_two_processes(void)
{
	int fd = take_and_read(), ready[2], closed[2];
	pid_t parent = getpid(), pid;
	char byte = 'x';
	bool mine;

	if (pipe(ready) || pipe(closed))
		return;
	pid = fork();
	if (pid == 0) {
		int theirs = open_of(parent, fd);

		close(fd);
		if (theirs < 0 || write(ready[1], &byte, 1) != 1 || !same(theirs, reference, 13))
			_exit(1);
		if (read(closed[0], &byte, 1) != 1)
			_exit(2);
		lseek(theirs, 0, SEEK_SET);
		_exit(!same(theirs, reference, 7));
	}
	mine = read(ready[0], &byte, 1) == 1 && same(fd, reference, 7);
	TEST("reopened by another process through /proc, both read the same at a time", mine);
	close(fd);
	TEST("closed by who took it, it is held by the other one", is_held());
	if (write(closed[1], &byte, 1) != 1)
		return;
	TEST("which reads the same again", ended(pid, 0));
	TEST("and takes it along", is_gone_at_once());
}

static void test_bystanders(void)
{
	int fd = take(), watch = inotify_init1(IN_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TEST("it can't be mapped",
	     mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
	TEST("it can't be executed", syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL }, NULL,
					     0x1000 /* AT_EMPTY_PATH */) == -1);
	TEST("it can't be mounted elsewhere",
	     mkdir("place", 0700) | close(creat("file", 0600)) ||
	     (mount(path, "file", NULL, MS_BIND, NULL) == -1 &&
	      mount(path, "place", NULL, MS_BIND, NULL) == -1));
	TEST("it can't be linked to", linkat(AT_FDCWD, path, AT_FDCWD, "link",
					     AT_SYMLINK_FOLLOW) == -1 && errno == EXDEV);
	/* Not every kernel gives one here. */
	fcntl(fd, F_SETLEASE, F_RDLCK);
	TEST("a watch and a lock can be had",
	     inotify_add_watch(watch, path, IN_ALL_EVENTS) > 0 && !flock(fd, LOCK_EX));
	close(fd);
	TEST("but they don't hold it, nor does a lease", is_gone_at_once());
	close(watch);
}

static void test_io_uring(void)
{
	uint64_t params[64] = { 0 };
	int ring = syscall(425, 4, params), fd;

	if (ring < 0) {
		printf("skip registered with io_uring, it is held (io_uring_setup: %s)\n",
		       strerror(errno));
		printf("skip until the ring is closed (io_uring_setup failed)\n");
		return;
	}
	fd = take();
	TEST("registered with io_uring, it is held",
	     !syscall(427, ring, IO_URING_REGISTER_FILES, &fd, 1) && !close(fd) && is_held());
	close(ring);
	TEST("until the ring is closed", is_gone());
}

int main(int argc, char **argv)
{
	if (argc == 4)
		return !same(atoi(argv[2]), atoi(argv[3]), 11);
	if (argc != 2 || kcs_open(&client))
		return 2;
	target = atoi(argv[1]);
	test_socket();
	test_socket_cycle();
	test_inherited();
	test_two_processes();
	test_bystanders();
	test_io_uring();
	return 0;
}
