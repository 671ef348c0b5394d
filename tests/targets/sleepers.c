// SPDX-License-Identifier: GPL-2.0
/*
 * A process that is asleep, and sees whether anybody disturbs it.
 *
 * Each thread is blocked in a system call of its own: forever, or until a timeout, after which
 * it makes the call again. Prints "ready" when all have begun. For each line on stdin, prints a
 * line per thread
 *
 *   NAME TID blocked|timed CALLS ENDS WRONG RETURN ERRNO
 *
 * (ENDS: how often the timeout came as it should; WRONG: how often the call returned anything
 * else, or early; the latter two are of the last such return), a line with what the main thread
 * sees
 *
 *   main signals N children ERRNO attached N blocks N offset N
 *
 * (signals of any kind that were delivered; the errno of looking for a child, ECHILD if there is
 * none, 0 if there is one; how often its SysV segment is attached; how many blocks its memory
 * file has, and the file's position), and "end".
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_S 4
#define STACK_SIZE (64UL << 10)
#define MAP_SIZE (4UL << 20)
#define NS 1000000000LL
/* SO_RCVTIMEO counts whole ticks, the first of which may be nearly over: the longest tick. */
#define TICK_NS 10000000LL

static const struct timespec period = { .tv_sec = PERIOD_S };
static int epoll_fd, pipe_fd, semaphore, queue, listener, lock_fd, memory_fd, segment;
static int sockets[2];
static uint32_t futexes[2];
static sigset_t waited_for[2];
static atomic_ulong signals;

static long call_epoll(void)
{
	struct epoll_event event;

	return epoll_wait(epoll_fd, &event, 1, -1);
}

static long call_sigwaitinfo(void)
{
	return sigwaitinfo(&waited_for[0], NULL);
}

static long call_semop(void)
{
	struct sembuf op = { .sem_num = 0, .sem_op = -1 };

	return semop(semaphore, &op, 1);
}

static long call_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;

	return msgrcv(queue, &message, sizeof(message.text), 0, 0);
}

static long call_futex(void)
{
	return syscall(SYS_futex, &futexes[0], FUTEX_WAIT_PRIVATE, 0, NULL);
}

static long call_read(void)
{
	char c;

	return read(pipe_fd, &c, 1);
}

static long call_poll(void)
{
	struct pollfd fd = { .fd = pipe_fd, .events = POLLIN };

	return poll(&fd, 1, -1);
}

static long call_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fd, &set);
	return select(pipe_fd + 1, &set, NULL, NULL, NULL);
}

static long call_accept(void)
{
	return accept(listener, NULL, NULL);
}

static long call_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK };

	return fcntl(lock_fd, F_OFD_SETLKW, &lock);
}

static long call_pause(void)
{
	return pause();
}

static long timed_recv(void)
{
	char c;

	return recv(sockets[0], &c, 1, 0);
}

static long timed_nanosleep(void)
{
	return nanosleep(&period, NULL);
}

static long timed_semop(void)
{
	struct sembuf op = { .sem_num = 1, .sem_op = -1 };

	return semtimedop(semaphore, &op, 1, &period);
}

static long timed_futex(void)
{
	return syscall(SYS_futex, &futexes[1], FUTEX_WAIT_PRIVATE, 0, &period);
}

static long timed_sigwait(void)
{
	return sigtimedwait(&waited_for[1], NULL, &period);
}

static long timed_epoll(void)
{
	struct epoll_event event;

	return epoll_wait(epoll_fd, &event, 1, PERIOD_S * 1000);
}

static long timed_poll(void)
{
	struct pollfd fd = { .fd = pipe_fd, .events = POLLIN };

	return poll(&fd, 1, PERIOD_S * 1000);
}

static long timed_select(void)
{
	struct timeval timeout = { .tv_sec = PERIOD_S };

	return select(0, NULL, NULL, NULL, &timeout);
}

/**
 * struct sleeper - one thread
 * @call: what it is blocked in
 * @timed: the call ends after the period
 * @result: what it returns then
 * @error: and with which errno
 * @early_ns: by how much it may be early
 */
static struct sleeper {
	const char *name;
	long (*call)(void);
	bool timed;
	long result;
	int error;
	long long early_ns;
	atomic_int tid;
	atomic_ulong calls, ends, wrong;
	long wrong_result;
	int wrong_error;
} sleepers[] = {
	{ .name = "epoll_wait", .call = call_epoll },
	{ .name = "sigwaitinfo", .call = call_sigwaitinfo },
	{ .name = "semop", .call = call_semop },
	{ .name = "msgrcv", .call = call_msgrcv },
	{ .name = "futex", .call = call_futex },
	{ .name = "read", .call = call_read },
	{ .name = "poll", .call = call_poll },
	{ .name = "select", .call = call_select },
	{ .name = "accept", .call = call_accept },
	{ .name = "fcntl-lock", .call = call_lock },
	{ .name = "pause", .call = call_pause },
	{ .name = "recv-timeout", .call = timed_recv, .timed = true, .result = -1,
	  .error = EAGAIN, .early_ns = TICK_NS },
	{ .name = "nanosleep", .call = timed_nanosleep, .timed = true },
	{ .name = "semtimedop", .call = timed_semop, .timed = true, .result = -1,
	  .error = EAGAIN },
	{ .name = "futex-timeout", .call = timed_futex, .timed = true, .result = -1,
	  .error = ETIMEDOUT },
	{ .name = "sigtimedwait", .call = timed_sigwait, .timed = true, .result = -1,
	  .error = EAGAIN },
	{ .name = "epoll-timeout", .call = timed_epoll, .timed = true },
	{ .name = "poll-timeout", .call = timed_poll, .timed = true },
	{ .name = "select-timeout", .call = timed_select, .timed = true },
};

#define SLEEPERS (sizeof(sleepers) / sizeof(sleepers[0]))

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static void *sleeper_thread(void *arg)
{
	struct sleeper *s = arg;

	s->tid = syscall(SYS_gettid);
	for (;;) {
		long long start = now_ns();
		long result;

		s->calls++;
		errno = 0;
		result = s->call();
		if (s->timed && result == s->result && errno == s->error &&
		    now_ns() - start >= PERIOD_S * NS - s->early_ns) {
			s->ends++;
			continue;
		}
		s->wrong_result = result;
		s->wrong_error = errno;
		s->wrong++;
		usleep(10000);
	}
	return NULL;
}

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	for (int i = 0; i < 2; i++) {
		sigemptyset(&waited_for[i]);
		sigaddset(&waited_for[i], SIGRTMIN + i);
		pthread_sigmask(SIG_BLOCK, &waited_for[i], NULL);
	}
	/* What can't be caught is refused, and what is blocked not delivered. */
	for (int i = 1; i <= SIGRTMAX; i++)
		sigaction(i, &action, NULL);
}

static void must(bool good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

static void make_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = PERIOD_S };
	struct epoll_event event = { .events = EPOLLIN };
	struct flock lock = { .l_type = F_WRLCK };
	char path[32];
	int fds[2];

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	must(epoll_fd >= 0 && !pipe(fds), "epoll_create1, pipe");
	pipe_fd = fds[0];
	must(!epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fd, &event), "epoll_ctl");
	semaphore = semget(IPC_PRIVATE, 2, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	must(semaphore >= 0 && queue >= 0, "semget, msgget");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	must(!setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
	     "SO_RCVTIMEO");
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	/* With no name of its own it gets one from the kernel. */
	must(listener >= 0 &&
	     !bind(listener, (struct sockaddr *)&address, sizeof(address.sun_family)) &&
	     !listen(listener, 1), "listener");

	memory_fd = memfd_create("sleepers", MFD_CLOEXEC);
	must(memory_fd >= 0 && !fcntl(memory_fd, F_OFD_SETLK, &lock), "memfd_create");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory_fd);
	lock_fd = open(path, O_RDWR | O_CLOEXEC);
	must(lock_fd >= 0, path);
}

static uint8_t *map(int flags, int fd)
{
	uint8_t *p = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(p != MAP_FAILED, "mmap");
	madvise(p, MAP_SIZE, MADV_NOHUGEPAGE);
	/* The rest are holes. */
	p[0] = 1;
	p[MAP_SIZE / 2] = 1;
	return p;
}

static void map_memory(void)
{
	static uint8_t flushed[128 * 4096UL];
	uint8_t *attached;

	must(!ftruncate(memory_fd, MAP_SIZE), "ftruncate");
	map(MAP_SHARED, memory_fd);
	must(lseek(memory_fd, 12345, SEEK_SET) == 12345, "lseek");
	map(MAP_SHARED | MAP_ANONYMOUS, -1);
	map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(!madvise(map(MAP_PRIVATE | MAP_ANONYMOUS, -1), MAP_SIZE, MADV_DONTFORK),
	     "MADV_DONTFORK");
	must(!madvise(map(MAP_PRIVATE | MAP_ANONYMOUS, -1), MAP_SIZE, MADV_WIPEONFORK),
	     "MADV_WIPEONFORK");
	segment = shmget(IPC_PRIVATE, MAP_SIZE, 0600);
	attached = shmat(segment, NULL, 0);
	must(attached != (void *)-1 && !shmctl(segment, IPC_RMID, NULL), "shmget, shmat");
	attached[0] = 1;
	/* Before v6.2 what a task touches is added to RssShmem once it has had 64 faults. */
	memset(flushed, 1, sizeof(flushed));
}

static void report(void)
{
	struct shmid_ds shm;
	struct stat st;
	int error = 0;

	for (unsigned int i = 0; i < SLEEPERS; i++) {
		struct sleeper *s = &sleepers[i];

		printf("%s %d %s %lu %lu %lu %ld %d\n", s->name, s->tid,
		       s->timed ? "timed" : "blocked", s->calls, s->ends, s->wrong,
		       s->wrong_result, s->wrong_error);
	}
	if (syscall(SYS_wait4, -1, NULL, __WALL | WNOHANG, NULL) < 0)
		error = errno;
	must(!shmctl(segment, IPC_STAT, &shm) && !fstat(memory_fd, &st), "IPC_STAT, fstat");
	printf("main signals %lu children %d attached %lu blocks %lld offset %lld\nend\n", signals,
	       error, (unsigned long)shm.shm_nattch, (long long)st.st_blocks,
	       (long long)lseek(memory_fd, 0, SEEK_CUR));
	fflush(stdout);
}

int main(void)
{
	char line[16];

	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	catch_signals();
	make_files();
	map_memory();
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, &attr, sleeper_thread, &sleepers[i]);
		must(!errno, "pthread_create");
		while (!sleepers[i].calls)
			usleep(1000);
	}
	puts("ready");
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0)
		report();
	must(!semctl(semaphore, 0, IPC_RMID) && !msgctl(queue, IPC_RMID, NULL), "IPC_RMID");
	return 0;
}
