// SPDX-License-Identifier: GPL-2.0
/*
 * snapshot_fd hold PID	take a snapshot, print "held ID" and keep it
 * snapshot_fd check PID	check what its descriptor can do, a line "ok NAME" or
 *				"not ok NAME (WHY)" per test; kills the process on the way
 * snapshot_fd stream PID	likewise, of a descriptor that is read forward only
 * snapshot_fd half PID		take one that is read forward only, read half of it, print
 *				"held ID" and keep it
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.h"

#define READS 300
#define PIECE 65536

static struct kcs_client client;
static int fd = -1;
static size_t size;
static char *core;	/* what the first, sequential read brought */

static void result(const char *name, bool good, const char *why)
{
	if (good)
		printf("ok %s\n", name);
	else
		printf("not ok %s (%s, errno %d %s)\n", name, why, errno, strerror(errno));
	fflush(stdout);
}

#define TEST(name, condition) do { errno = 0; result(name, condition, #condition); } while (0)

static void take_as(pid_t pid, bool stream)
{
	int err = kcs_snapshot_as(&client, pid, KCORESNAP_MODE_AUTO, stream, &fd);

	if (err) {
		fprintf(stderr, "snapshot_fd: %s: %s\n", strerror(err), client.sentence);
		exit(1);
	}
	size = kcs_attr(&client, KCORESNAP_A_SIZE);
}

static void take(pid_t pid)
{
	take_as(pid, false);
}

/* In pieces of odd sizes. */
static bool read_all(int from, char *to)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && (n = read(from, to + done, (done * 7 + 1) % 300007 + 1)) > 0)
		done += n;
	return done == size && read(from, to, 1) == 0;
}

static bool holds_core(int from, off_t start, size_t len)
{
	static __thread char buf[PIECE];
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(from, buf, len - done < PIECE ? len - done : PIECE, start + done);
		if (n <= 0 || memcmp(buf, core + start + done, n))
			return false;
		done += n;
	}
	return true;
}

static bool random_preads(void)
{
	int i;

	srandom(1);
	for (i = 0; i < READS; i++) {
		off_t start = random() % size;
		size_t len = random() % (i % 3 ? 9000 : 200000) + 1;

		if (!holds_core(fd, start, len < size - start ? len : size - start))
			return false;
	}
	return true;
}

static bool stat_is_right(void)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0400 &&
	       (size_t)st.st_size == size && st.st_uid == getuid() && st.st_gid == getgid();
}

/* What the snapshot would have to wait for can't be spliced, and is read. */
static bool by_splice(void)
{
	static char buf[PIECE];
	size_t done = 0, spliced = 0;
	off_t pos = 0;
	int pipes[2];
	ssize_t n, m;

	if (pipe(pipes))
		return false;
	while (done < size) {
		n = splice(fd, &pos, pipes[1], NULL, PIECE, 0);
		if (n < 0 && errno == EINVAL && done) {
			n = pread(fd, buf, 4096, pos);
			if (n <= 0 || memcmp(buf, core + done, n))
				break;
			done += n;
			pos += n;
			continue;
		}
		if (n <= 0)
			break;
		spliced += n;
		for (; n > 0; n -= m, done += m) {
			m = read(pipes[0], buf, n);
			if (m <= 0 || memcmp(buf, core + done, m))
				return false;
		}
	}
	close(pipes[0]);
	close(pipes[1]);
	return done == size && (size_t)pos == size && spliced;
}

static bool by_sendfile(void)
{
	int copy = memfd_create("copy", MFD_CLOEXEC);
	off_t pos = 0;
	bool good;

	while ((size_t)pos < size && sendfile(copy, fd, &pos, 1 << 20) > 0)
		;
	good = (size_t)pos == size && holds_core(copy, 0, size);
	close(copy);
	return good;
}

static int reopen(int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static bool reopened(void)
{
	int again = reopen(O_RDONLY | O_CLOEXEC);
	bool good;

	good = again >= 0 && lseek(again, 0, SEEK_CUR) == 0 &&
	       lseek(fd, 0, SEEK_CUR) == (off_t)size &&
	       holds_core(again, size / 3, size - size / 3);
	close(again);
	return good;
}

/* Not even by who may open any file for writing. */
static bool written(void)
{
	int again = reopen(O_RDWR | O_CLOEXEC);
	bool done = write(fd, "x", 1) > 0 || (again >= 0 && pwrite(again, "x", 1, 0) > 0);

	close(again);
	return done;
}

static bool truncated(void)
{
	int again = reopen(O_RDWR | O_CLOEXEC);
	bool done = ftruncate(fd, 0) == 0 || (again >= 0 && ftruncate(again, 0) == 0);

	close(again);
	return done || lseek(fd, 0, SEEK_END) != (off_t)size || !stat_is_right();
}

/* The descriptor goes to another process, which reads with it once it has gone here. */
static bool passed_on(pid_t *reader, int *done)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return false;
	*reader = fork();
	if (*reader == 0) {
		int theirs;

		close(pair[0]);
		close(fd);
		if (recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC) != 1)
			_exit(2);
		memcpy(&theirs, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(theirs));
		if (read(pair[1], &byte, 1) != 1)
			_exit(3);
		byte = holds_core(theirs, 0, size) ? 'y' : 'n';
		if (write(pair[1], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1)
			_exit(4);
		_exit(0);
	}
	close(pair[1]);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	*done = pair[0];
	return sendmsg(pair[0], &msg, 0) == 1;
}

static void *read_whole(void *arg)
{
	return holds_core(fd, 0, size) ? arg : NULL;
}

static bool two_readers(void)
{
	pthread_t threads[2];
	void *good[2];
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_whole, &client);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], &good[i]);
	return good[0] && good[1];
}

static bool is_zero(const char *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* Holes and data in turn, from 0 to the end; what is said to be a hole is zero. */
static bool holes_are_holes(size_t *holes)
{
	off_t pos = 0, data, hole;

	*holes = 0;
	while ((size_t)pos < size) {
		data = lseek(fd, pos, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			data = size;
		if (data < pos || !is_zero(core + pos, data - pos))
			return false;
		*holes += data - pos;
		if ((size_t)data == size)
			break;
		if (lseek(fd, data, SEEK_DATA) != data)
			return false;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole <= data || (size_t)hole > size)
			return false;
		if ((size_t)hole < size && lseek(fd, hole, SEEK_HOLE) != hole)
			return false;
		pos = hole;
	}
	return true;
}

static bool seek_fails(off_t pos, int whence, int err)
{
	errno = 0;
	return lseek(fd, pos, whence) == -1 && errno == err;
}

static void test_reading(void)
{
	char byte;

	core = malloc(size);
	TEST("a regular file of the caller's, mode 0400, of the size that was said",
	     stat_is_right());
	TEST("close-on-exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
	TEST("for reading only", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	TEST("reads from beginning to end", read_all(fd, core) && !memcmp(core, "\177ELF", 4));
	core[0] = 0177;	/* the read at the end had to go somewhere */
	TEST("pread reads the same", random_preads());
	TEST("splice to a pipe brings the same", by_splice());
	TEST("sendfile brings the same", by_sendfile());
	TEST("reopened through /proc/self/fd, with a position of its own", reopened());
	TEST("two readers at a time read the same", two_readers());
	TEST("reading at or past the end brings nothing",
	     pread(fd, &byte, 1, size) == 0 && pread(fd, &byte, 1, size + 5000) == 0 &&
	     pread(fd, &byte, 1, 1LL << 62) == 0);
}

static void test_seeking(void)
{
	size_t holes;
	char byte;

	TEST("SEEK_END is the size", lseek(fd, 0, SEEK_END) == (off_t)size);
	TEST("SEEK_SET may go past the end, where there is nothing",
	     lseek(fd, size + 4096, SEEK_SET) == (off_t)size + 4096 && read(fd, &byte, 1) == 0);
	TEST("SEEK_CUR counts from where it is",
	     lseek(fd, 100, SEEK_SET) == 100 && lseek(fd, -50, SEEK_CUR) == 50);
	TEST("SEEK_DATA and SEEK_HOLE part it, and holes are zeros", holes_are_holes(&holes));
	TEST("a stack that was hardly used is a hole", holes > 4 << 20);
	TEST("SEEK_DATA at the beginning is there", lseek(fd, 0, SEEK_DATA) == 0);
	TEST("SEEK_DATA and SEEK_HOLE at the end fail",
	     seek_fails(size, SEEK_DATA, ENXIO) && seek_fails(size, SEEK_HOLE, ENXIO) &&
	     seek_fails(size + 1, SEEK_DATA, ENXIO) && seek_fails(1LL << 62, SEEK_HOLE, ENXIO));
	TEST("negative positions fail",
	     seek_fails(-1, SEEK_SET, EINVAL) && seek_fails(-1, SEEK_DATA, ENXIO) &&
	     seek_fails(-(off_t)size - 1, SEEK_END, EINVAL) && seek_fails(0, 99, EINVAL));
}

static void test_lifetime(pid_t pid)
{
	pid_t reader = -1;
	int copy, done = -1, status;
	char byte;

	TEST("it is in the list",
	     kcs_list(&client) == 1 && (pid_t)kcs_attr(&client, KCORESNAP_A_PID) == pid);
	TEST("can't be written to", !written());
	TEST("can't be truncated", !truncated());
	TEST("its mode and owner are kept",
	     fchmod(fd, 0666) && fchown(fd, 1, 1) && stat_is_right());
	copy = dup(fd);
	close(fd);
	fd = copy;
	TEST("a duplicate reads the same", holds_core(fd, 0, size));
	kill(pid, SIGKILL);
	/* It is the shell's child, which reaps it. */
	while (!kill(pid, 0))
		usleep(10000);
	TEST("reads the same when the target is dead", holds_core(fd, 0, size));
	TEST("can be passed to another process", passed_on(&reader, &done));
	close(fd);
	TEST("where it reads the same, when it is closed here",
	     write(done, "x", 1) == 1 && read(done, &byte, 1) == 1 && byte == 'y');
	TEST("and keeps the snapshot in the list", kcs_list(&client) == 1);
	TEST("until that one is gone too",
	     write(done, "x", 1) == 1 && waitpid(reader, &status, 0) == reader && status == 0 &&
	     kcs_list(&client) == 0);
}

static void test_cancel(pid_t pid)
{
	uint32_t id;
	char byte;

	take(pid);
	id = kcs_attr(&client, KCORESNAP_A_ID);
	TEST("a snapshot is cancelled by its id", kcs_cancel(&client, id) == 0);
	TEST("reading it fails from then on",
	     read(fd, &byte, 1) == -1 && errno == ECANCELED &&
	     pread(fd, &byte, 1, 4096) == -1 && errno == ECANCELED);
	TEST("so does SEEK_DATA", seek_fails(0, SEEK_DATA, ECANCELED));
	TEST("its entry says so",
	     kcs_list(&client) == 1 && kcs_attr(&client, KCORESNAP_A_DROPPED) == ECANCELED);
	close(fd);
	TEST("and goes with the descriptor", kcs_list(&client) == 0);
	TEST("a snapshot that is not there can't be cancelled",
	     kcs_cancel(&client, id) == ENOENT && strstr(client.sentence, "no snapshot"));
}

static bool read_fails(int from, off_t pos, int err)
{
	char byte;

	errno = 0;
	return pread(from, &byte, 1, pos) == -1 && errno == err;
}

/* The process sleeps, so that two snapshots of it are alike but for the times in their notes. */
static void test_stream(pid_t pid)
{
	static char piece[PIECE];
	size_t half, done, n;
	int again, other;

	take(pid);
	core = malloc(size);
	TEST("a core to compare with", read_all(fd, core));
	close(fd);

	take_as(pid, true);
	half = size / 2 / PIECE * PIECE;
	for (done = 0; done < half; done += n) {
		n = read(fd, piece, sizeof(piece));
		if ((ssize_t)n <= 0 || (done >= PIECE && memcmp(piece, core + done, n)))
			break;
	}
	TEST("half of it is read forward, and is the same", done == half);
	again = reopen(O_RDONLY | O_CLOEXEC);
	other = dup(fd);
	TEST("what is behind can't be read again",
	     read_fails(fd, 0, EIO) && read_fails(fd, half - 1, EIO) &&
	     read_fails(again, 4096, EIO) && read_fails(other, half / 2, EIO));
	TEST("nor looked for",
	     seek_fails(0, SEEK_DATA, EIO) && seek_fails(half - 1, SEEK_HOLE, EIO));
	TEST("nor spliced, and not a byte comes", lseek(again, 0, SEEK_SET) == 0 &&
	     sendfile(STDERR_FILENO, again, NULL, 4096) == -1);
	TEST("what is ahead can be", lseek(fd, half, SEEK_DATA) >= (off_t)half &&
	     holds_core(other, half, size - half));
	TEST("then nothing is left but the end",
	     read_fails(fd, size - 1, EIO) && pread(fd, piece, 1, size) == 0);
	close(again);
	close(other);
	close(fd);
	TEST("and nothing stays open", kcs_list(&client) == 0);
}

static void read_half(pid_t pid)
{
	static char piece[PIECE];
	size_t done = 0;
	ssize_t n = 1;

	take_as(pid, true);
	while (done < size / 2 && (n = read(fd, piece, sizeof(piece))) > 0)
		done += n;
}

static void hold(void)
{
	printf("held %u\n", (unsigned int)kcs_attr(&client, KCORESNAP_A_ID));
	fflush(stdout);
	for (;;)
		pause();
}

static int usage(void)
{
	fprintf(stderr, "usage: snapshot_fd hold|check|stream|half PID\n");
	return 2;
}

int main(int argc, char **argv)
{
	pid_t pid;
	int err;

	if (argc != 3)
		return usage();
	pid = atoi(argv[2]);
	err = kcs_open(&client);
	if (err) {
		fprintf(stderr, "snapshot_fd: %s\n", strerror(err));
		return 1;
	}
	if (!strcmp(argv[1], "hold")) {
		take(pid);
		hold();
	}
	if (!strcmp(argv[1], "half")) {
		read_half(pid);
		hold();
	}
	if (!strcmp(argv[1], "stream")) {
		test_stream(pid);
		return 0;
	}
	if (strcmp(argv[1], "check"))
		return usage();
	test_cancel(pid);
	take(pid);
	test_reading();
	test_seeking();
	test_lifetime(pid);
	return 0;
}
