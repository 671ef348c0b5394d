// SPDX-License-Identifier: GPL-2.0
/*
 * awkward KIND [ARGUMENT]: a process in a state that a snapshot may be refused
 * for. Prints "ready", or "unavailable" and why if it can't be had, and then
 * sleeps; a thread of its own beside the main one does too.
 *
 *	plain
 *	odirect FILE	has it open with O_DIRECT
 *	aio		has an AIO context
 *	io_uring	has a ring
 *	userfaultfd	a mapping is registered
 *	marks		likewise, and is protected where nothing is (Linux 6.4)
 *	mlockall	all memory is locked, that to come too
 *	realtime	the other thread runs under SCHED_FIFO
 *	deadline	likewise, SCHED_DEADLINE
 *	undumpable	by prctl(2)
 *	used MIB	has used that much memory
 *	mapped MIB	has mapped that much private memory and used a byte of it
 *	zombie		is a zombie: its parent, who says so, does not reap it;
 *			prints "ready PID"
 *	leaderless	only the other thread is left
 *	sharer KIND [ARGUMENT]	a process that shares its memory, and nothing else,
 *			is so
 *	pinned MIB TOTAL	has used TOTAL MiB, MIB of which are pinned
 *	unpinned MIB	has used MIB, all of which was pinned and is no more
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/if_xdp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#define MIB (1UL << 20)

static void __attribute__((noreturn)) unavailable(const char *what)
{
	printf("unavailable %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static void need(int failed, const char *what)
{
	if (failed)
		unavailable(what);
}

static char *map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p == MAP_FAILED, "mmap");
	return p;
}

/* Return: the descriptor */
static int set_userfaultfd(char *start, uint64_t mode, uint64_t features)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)start, .len = MIB },
		.mode = mode,
	};

	need(fd < 0, "userfaultfd");
	need(ioctl(fd, UFFDIO_API, &api), "UFFDIO_API with these features");
	need(ioctl(fd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER");
	return fd;
}

/* Nobody brings in what is missing, and where nothing is there are marks. */
static void set_marks(void)
{
	char *start = map(MIB);
	struct uffdio_writeprotect protect = {
		.range = { .start = (uintptr_t)start, .len = MIB },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd;

	*start = 1;	/* or it would not be in a core */
	fd = set_userfaultfd(start, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
			     UFFD_FEATURE_WP_UNPOPULATED);
	need(ioctl(fd, UFFDIO_WRITEPROTECT, &protect), "UFFDIO_WRITEPROTECT");
}

/* As struct sched_attr of include/uapi/linux/sched/types.h, which old C libraries do not have. */
static int become_deadline(void)
{
	const struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {
		.size = sizeof(attr),
		.policy = SCHED_DEADLINE,
		.runtime = 1000000,
		.deadline = 100000000,
		.period = 100000000,
	};

	return syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void *other_thread(void *arg)
{
	const char *kind = arg;
	struct sched_param param = { .sched_priority = 1 };

	if (!strcmp(kind, "realtime"))
		need(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), "SCHED_FIFO");
	if (!strcmp(kind, "deadline"))
		need(become_deadline(), "SCHED_DEADLINE");
	/* After the leader is gone. */
	if (!strcmp(kind, "leaderless"))
		sleep(1);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return NULL;
}

/* As buffers of an XDP socket, which every kernel pins. Returns the socket. */
static int pin(char *memory, size_t len)
{
	struct xdp_umem_reg reg = { .addr = (uintptr_t)memory, .len = len, .chunk_size = 4096 };
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	need(fd < 0, "AF_XDP");
	need(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)), "XDP_UMEM_REG");
	return fd;
}

static char *use(size_t len)
{
	return memset(map(len), 'u', len);
}

static void become(const char *kind, const char *argument)
{
	static uint64_t params[15];	/* of io_uring: 120 bytes of zeros */
	aio_context_t aio = 0;

	if (!strcmp(kind, "odirect"))
		need(open(argument, O_RDWR | O_DIRECT) < 0, "O_DIRECT");
	else if (!strcmp(kind, "aio"))
		need(syscall(SYS_io_setup, 8, &aio), "io_setup");
	else if (!strcmp(kind, "io_uring"))
		need(syscall(SYS_io_uring_setup, 8, params) < 0, "io_uring_setup");
	else if (!strcmp(kind, "userfaultfd"))
		set_userfaultfd(map(MIB), UFFDIO_REGISTER_MODE_MISSING, 0);
	else if (!strcmp(kind, "marks"))
		set_marks();
	else if (!strcmp(kind, "mlockall"))
		need(mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
	else if (!strcmp(kind, "undumpable"))
		need(prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE");
	else if (!strcmp(kind, "used"))
		use(atol(argument) * MIB);
	else if (!strcmp(kind, "unpinned"))
		close(pin(use(atol(argument) * MIB), atol(argument) * MIB));
	else if (!strcmp(kind, "mapped"))
		*map(atol(argument) * MIB) = 1;
}

static int share(void *arg)
{
	char **argv = arg;
	struct sched_param param = { .sched_priority = 1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(argv[0], "realtime"))
		need(sched_setscheduler(0, SCHED_FIFO, &param), "SCHED_FIFO");
	else
		become(argv[0], argv[1] ? argv[1] : "");
	printf("ready %d\n", getppid());
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

/* The sharer goes with its parent. */
static void be_shared(char **argv)
{
	char *stack = map(MIB);

	need(clone(share, stack + MIB, CLONE_VM, argv) < 0, "clone");
	for (;;)
		pause();
}

static int leave_zombie(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	printf("ready %d\n", pid);
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "plain";
	pthread_t thread;

	if (!strcmp(kind, "zombie"))
		return leave_zombie();
	if (!strcmp(kind, "sharer") && argc > 2)
		be_shared(argv + 2);
	if (!strcmp(kind, "pinned") && argc > 3)
		pin(use(atol(argv[3]) * MIB), atol(argv[2]) * MIB);
	else
		become(kind, argc > 2 ? argv[2] : "");
	need(pthread_create(&thread, NULL, other_thread, (void *)kind), "pthread_create");
	if (!strcmp(kind, "leaderless"))
		pthread_exit(NULL);
	for (;;)
		pause();
}
