// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test guest.
 *
 * The initramfs holds this program as /init, the modules it takes to reach the
 * disk (/config/modules, in order), the built tree (/payload) and what to do
 * (/config). It mounts the disk as the root, shows the tree there as /kcs and
 * the host's directory as /out, loads the module, and then, as /config/mode
 * says:
 *
 *   tests	runs the scripts of /config/plan (lines "SECONDS NAME") and reports
 *		in KTAP on the second serial port
 *   run	runs the shell command of /config/command, its output going there
 *   shell	runs a shell there
 *
 * and powers off. Whatever a script leaves running is killed when it ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MODULE_NAME "kcoresnap"
#define MODULE_FILE "/kcs/kcoresnap.ko"
#define GUEST_TESTS "/kcs/tests/guest/"
#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define DISK_WAIT_MS 20000
#define KILL_WAIT_MS 10000
#define UNLOAD_WAIT_MS 10000
#define LEAK_TRIES 3
#define LEAK_AGE_MS 6000	/* kmemleak says nothing of what is younger than 5 s */
#define PLAN_MAX 256

static int port = -1;		/* the second serial port */
static char row[64] = "unknown";
static bool shows_blocked_tasks;

static void __attribute__((noreturn)) power_off(void)
{
	if (port >= 0)
		tcdrain(port);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "init: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(ap);
	power_off();
}

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buf += n;
		len -= n;
	}
}

static void __attribute__((format(printf, 1, 2))) ktap(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	write_all(port, line, len);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	write_all(fd, text, strlen(text));
	close(fd);
}

/* Puts the file's first line, or all of it, into @buf. Returns false if it can't be read. */
static bool read_file(const char *path, char *buf, size_t size, bool first_line)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = '\0';
	if (first_line)
		buf[strcspn(buf, "\n")] = '\0';
	return true;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void mount_fs(const char *type, const char *dir, const char *options)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, options) && errno != EBUSY)
		fprintf(stderr, "init: mount %s on %s: %s\n", type, dir, strerror(errno));
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

static void load_boot_modules(void)
{
	static char list[16384];
	char *path;

	if (!read_file("/config/modules", list, sizeof(list), false))
		die("/config/modules");
	for (path = strtok(list, "\n"); path; path = strtok(NULL, "\n"))
		if (load_module(path) && errno != EEXIST)
			fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
}

static void mount_root(void)
{
	long deadline = now_ms() + DISK_WAIT_MS;

	while (mount("/dev/vda", "/root", "ext4", 0, NULL)) {
		if (now_ms() > deadline)
			die("mounting the disk");
		sleep_ms(50);
	}
	mkdir("/root/kcs", 0755);
	if (mount("/payload", "/root/kcs", NULL, MS_BIND, NULL))
		die("showing /payload as /kcs");
	mkdir("/root/config", 0755);
	if (mount("/config", "/root/config", NULL, MS_BIND, NULL))
		die("showing /config");
	if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL))
		die("moving /dev");
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("changing to the disk's root");
}

static void mount_rest(void)
{
	mount_fs("proc", "/proc", NULL);
	mount_fs("sysfs", "/sys", NULL);
	mount_fs("tmpfs", "/run", "mode=0755");
	mount_fs("tmpfs", "/tmp", "mode=1777");
	mount_fs("devpts", "/dev/pts", "mode=0620,ptmxmode=0666");
	mount_fs("tmpfs", "/dev/shm", "mode=1777");
	mount_fs("mqueue", "/dev/mqueue", NULL);
	mount_fs("hugetlbfs", "/dev/hugepages", NULL);
	mount_fs("cgroup2", "/sys/fs/cgroup", NULL);
	mount_fs("debugfs", "/sys/kernel/debug", NULL);
	mount_fs("tracefs", "/sys/kernel/tracing", NULL);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");

	mkdir("/out", 0755);
	if (mount("out", "/out", "9p", 0, "trans=virtio,version=9p2000.L,msize=262144,cache=none"))
		fprintf(stderr, "init: mounting /out: %s\n", strerror(errno));

	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		fprintf(stderr, "init: /dev/fd: %s\n", strerror(errno));
}

static void bring_up_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		fprintf(stderr, "init: lo: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void open_port(void)
{
	struct termios tio;

	port = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port < 0)
		die("/dev/ttyS1");
	tcgetattr(port, &tio);
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tcsetattr(port, TCSANOW, &tio);
}

static void set_environment(void)
{
	char host[80], text[32];

	read_file("/config/row", row, sizeof(row), true);
	snprintf(host, sizeof(host), "kcs-%s", row);
	sethostname(host, strlen(host));
	clearenv();
	setenv("PATH", "/kcs/tool:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "linux", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("KCS_ROW", row, 1);
	setenv("KCS_TREE", "/kcs", 1);
	setenv("KCS", "/kcs/tool/kcoresnap", 1);
	setenv("KCS_KO", MODULE_FILE, 1);
	setenv("KCS_TARGETS", "/kcs/tests/targets", 1);
	setenv("KCS_OUT", "/out", 1);
	setenv("KCS_TMP", "/tmp/kcs", 1);
	if (read_file("/config/slow", text, sizeof(text), true))
		setenv("KCS_SLOW", text, 1);
	if (read_file("/config/scale", text, sizeof(text), true))
		setenv("KCS_SCALE", text, 1);
	if (read_file("/config/seed", text, sizeof(text), true))
		setenv("KCS_SEED", text, 1);
}

/* Kills every process but this one. Returns false if some don't go. */
static bool kill_everything(void)
{
	long deadline = now_ms() + KILL_WAIT_MS;

	kill(-1, SIGKILL);
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return true;
		if (pid > 0)
			continue;
		if (now_ms() > deadline)
			return false;
		kill(-1, SIGKILL);
		sleep_ms(10);
	}
}

struct stream {
	int fd;
	const char *prefix;
	size_t len;
	char line[2048];
};

static void stream_flush(struct stream *s)
{
	if (s->len)
		ktap("%s%.*s\n", s->prefix, (int)s->len, s->line);
	s->len = 0;
}

/* Passes on what is there, line by line. Returns false at the end. */
static bool stream_pump(struct stream *s)
{
	char buf[4096];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		stream_flush(s);
		close(s->fd);
		s->fd = -1;
		return false;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n' && !s->len)
			ktap("%s\n", s->prefix);
		else if (buf[i] == '\n')
			stream_flush(s);
		else
			s->line[s->len++] = buf[i];
		if (s->len == sizeof(s->line) - 1)
			stream_flush(s);
	}
	return true;
}

static void __attribute__((noreturn)) exec_script(const char *name, int out, int err)
{
	char path[256];
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (chdir("/tmp/kcs"))
		_exit(127);
	snprintf(path, sizeof(path), GUEST_TESTS "%s", name);
	setenv("KCS_TEST", name, 1);
	execl("/bin/bash", "bash", path, NULL);
	_exit(127);
}

static void fresh_scratch_dir(void)
{
	umount2("/tmp/kcs", MNT_DETACH);
	mkdir("/tmp/kcs", 0755);
	if (mount("tmpfs", "/tmp/kcs", "tmpfs", 0, "mode=1777"))
		fprintf(stderr, "init: /tmp/kcs: %s\n", strerror(errno));
}

static void note_in_log(const char *name, const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "init: %s %s\n", name, what);
	write_file("/dev/kmsg", line);
}

static void run_script(int number, const char *name, long limit_ms)
{
	struct stream out = { .prefix = "  " }, err = { .prefix = "  # " };
	long deadline = now_ms() + limit_ms;
	char why[128] = "";
	int pipe_out[2], pipe_err[2], status = 0;
	int stem = strcspn(name, ".");
	bool ended = false, late = false;
	pid_t pid;

	fresh_scratch_dir();
	note_in_log(name, "starts");
	ktap("  # Subtest: %.*s\n", stem, name);
	if (pipe2(pipe_out, O_CLOEXEC) || pipe2(pipe_err, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid == 0)
		exec_script(name, pipe_out[1], pipe_err[1]);
	close(pipe_out[1]);
	close(pipe_err[1]);
	out.fd = pipe_out[0];
	err.fd = pipe_err[0];
	fcntl(out.fd, F_SETFL, O_NONBLOCK);
	fcntl(err.fd, F_SETFL, O_NONBLOCK);

	while (!ended) {
		struct pollfd fds[2] = {
			{ .fd = out.fd, .events = POLLIN },
			{ .fd = err.fd, .events = POLLIN },
		};
		int one;
		pid_t reaped;

		poll(fds, 2, 20);
		if (fds[1].revents)
			stream_pump(&err);
		if (fds[0].revents)
			stream_pump(&out);
		while ((reaped = waitpid(-1, &one, WNOHANG)) > 0) {
			if (reaped == pid) {
				status = one;
				ended = true;
			}
		}
		if (!ended && now_ms() > deadline) {
			late = true;
			shows_blocked_tasks = true;
			write_file("/proc/sysrq-trigger", "w");
			break;
		}
	}

	if (late)
		snprintf(why, sizeof(why), "it ran longer than its %ld s", limit_ms / 1000);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "it was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(why, sizeof(why), "it exited with status %d", WEXITSTATUS(status));
	if (!kill_everything())
		snprintf(why, sizeof(why), "it left processes that can't be killed");

	for (deadline = now_ms() + 2000; err.fd >= 0 && now_ms() < deadline;)
		stream_pump(&err);
	for (deadline = now_ms() + 2000; out.fd >= 0 && now_ms() < deadline;)
		stream_pump(&out);
	if (err.fd >= 0)
		close(err.fd);
	if (out.fd >= 0)
		close(out.fd);
	if (*why)
		ktap("# %.*s: %s\n", stem, name, why);
	ktap("%s %d %.*s\n", *why ? "not ok" : "ok", number, stem, name);
	note_in_log(name, *why ? "failed" : "passed");
}

static bool module_is_loaded(void)
{
	return access("/sys/module/" MODULE_NAME, F_OK) == 0;
}

static bool check_unload(void)
{
	long deadline = now_ms() + UNLOAD_WAIT_MS;

	if (!module_is_loaded() && load_module(MODULE_FILE)) {
		ktap("# " MODULE_FILE " does not load again: %s\n", strerror(errno));
		return false;
	}
	while (syscall(SYS_delete_module, MODULE_NAME, O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || now_ms() > deadline) {
			ktap("# the module does not unload: %s\n", strerror(errno));
			return false;
		}
		sleep_ms(50);
	}
	if (module_is_loaded()) {
		ktap("# the module is still there after it was unloaded\n");
		return false;
	}
	return true;
}

static bool is_splat(const char *text)
{
	static const char * const marks[] = {
		"WARNING:", "BUG:", "BUG ", "Oops", "KASAN", "UBSAN", "KFENCE", "ODEBUG",
		"general protection fault", "unable to handle", "possible recursive locking",
		"possible circular locking", "locking correctness validator", "register non-static key",
		"suspicious RCU usage", "sleeping function called", "bad unlock balance",
		"held lock freed", "Bad page state", "Bad rss-counter", "rcu: INFO:", "detected stalls",
		"self-detected stall", "soft lockup", "hard LOCKUP", "blocked for more than",
		"unregister_netdevice", "refcount_t:", "list_add corruption",
		"list_del corruption", "double free", "stack-protector", "scheduling while atomic",
		"kernel panic", "Kernel panic", "nonzero pgtables_bytes",
	};
	/* Want of memory is no fault of the kernel and shows a trace. So do blocked tasks. */
	static const char * const no_memory[] = {
		"invoked oom-killer", "page allocation failure", "vmalloc error", "FAULT_INJECTION:",
	};
	static int no_memory_lines;

	if (no_memory_lines)
		no_memory_lines--;
	for (size_t i = 0; i < sizeof(no_memory) / sizeof(no_memory[0]); i++)
		if (strstr(text, no_memory[i]))
			no_memory_lines = 40;
	if (strstr(text, "Call Trace"))
		return !no_memory_lines && !shows_blocked_tasks;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(text, marks[i]))
			return true;
	return false;
}

static bool check_log(void)
{
	enum {
		TAINT_BAD_PAGE = 1 << 5,
		TAINT_DIE = 1 << 7,
		TAINT_WARN = 1 << 9,
		TAINT_LOCKUP = 1 << 14,
	};
	char text[64] = "0", record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool clean = true;
	long taint;
	ssize_t n;

	read_file("/proc/sys/kernel/tainted", text, sizeof(text), true);
	taint = atol(text);
	if (taint & (TAINT_BAD_PAGE | TAINT_DIE | TAINT_WARN | TAINT_LOCKUP)) {
		ktap("# the kernel is tainted: %ld\n", taint);
		clean = false;
	}
	if (fd < 0) {
		ktap("# /dev/kmsg: %s\n", strerror(errno));
		return false;
	}
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		char *message;

		if (n < 0) {
			ktap("# the kernel's log has lost its beginning\n");
			clean = false;
			continue;
		}
		record[n] = '\0';
		message = strchr(record, ';');
		if (!message)
			continue;
		message++;
		message[strcspn(message, "\n")] = '\0';
		if (is_splat(message)) {
			ktap("# %s\n", message);
			clean = false;
		}
	}
	close(fd);
	return clean;
}

static bool kmemleak_do(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, command, strlen(command)) > 0;

	if (!done)
		ktap("# " KMEMLEAK ": %s: %s\n", command, strerror(errno));
	if (fd >= 0)
		close(fd);
	return done;
}

/* Two scans, because the first one leaves out what has changed since the last. */
static bool scan_for_leaks(void)
{
	return kmemleak_do("scan") && kmemleak_do("scan");
}

/*
 * Returns false if memory has been lost since the list was last cleared. Once
 * the module is gone, nothing of it refers to what it has left. What is in a
 * register may be listed, but not for long.
 */
static bool check_leaks(void)
{
	static char list[65536];
	char *line;

	for (int try = 0; try < LEAK_TRIES; try++) {
		sleep_ms(LEAK_AGE_MS);
		if (!scan_for_leaks() || !read_file(KMEMLEAK, list, sizeof(list), false))
			return false;
		if (!*list)
			return true;
	}
	for (line = strtok(list, "\n"); line; line = strtok(NULL, "\n"))
		ktap("# %s\n", line);
	return false;
}

static void run_tests(void)
{
	static char plan[16384];
	char *lines[PLAN_MAX], *line, text[32];
	int count = 0, number = 0;
	long end;
	bool loaded, finds_leaks = access(KMEMLEAK, F_OK) == 0, watched = false;

	if (!read_file("/config/plan", plan, sizeof(plan), false) ||
	    !read_file("/config/budget", text, sizeof(text), true))
		die("/config/plan");
	end = now_ms() + atol(text) * 1000;
	for (line = strtok(plan, "\n"); line && count < PLAN_MAX; line = strtok(NULL, "\n"))
		lines[count++] = line;

	ktap("KTAP version 1\n1..%d\n", count + 3 + finds_leaks);

	if (finds_leaks)
		watched = scan_for_leaks() && kmemleak_do("clear");
	loaded = load_module(MODULE_FILE) == 0;
	if (!loaded)
		ktap("# " MODULE_FILE ": %s\n", strerror(errno));
	ktap("%s %d load\n", loaded ? "ok" : "not ok", ++number);

	for (int i = 0; i < count; i++) {
		char *name = strchr(lines[i], ' ');
		long limit = atol(lines[i]) * 1000, left = end - now_ms();

		if (!name)
			die("a bad line in /config/plan");
		name++;
		if (!loaded || left <= 0) {
			ktap("# %s: not run: %s\n", name,
			     loaded ? "the row's time budget is used up" :
			     "the module did not load");
			ktap("not ok %d %s\n", ++number, name);
			continue;
		}
		run_script(++number, name, limit < left ? limit : left);
	}
	ktap("%s %d clean-rmmod\n", check_unload() ? "ok" : "not ok", ++number);
	if (finds_leaks)
		ktap("%s %d no-leak\n", watched && check_leaks() ? "ok" : "not ok", ++number);
	ktap("%s %d no-splat\n", check_log() ? "ok" : "not ok", ++number);
}

static void run_command(bool interactive)
{
	static char command[65536];
	char text[32];
	int status = 0, fd;
	pid_t pid, reaped;

	if (load_module(MODULE_FILE))
		ktap("init: " MODULE_FILE ": %s\r\n", strerror(errno));
	if (!interactive && !read_file("/config/command", command, sizeof(command), false))
		die("/config/command");
	fresh_scratch_dir();

	pid = fork();
	if (pid == 0) {
		setsid();
		if (interactive) {
			struct termios tio;

			ioctl(port, TIOCSCTTY, 0);
			tcgetattr(port, &tio);
			tio.c_iflag |= ICRNL;
			tio.c_oflag |= OPOST | ONLCR;
			tio.c_lflag |= ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN;
			tcsetattr(port, TCSANOW, &tio);
			dup2(port, 0);
		} else {
			dup2(open("/dev/null", O_RDONLY), 0);
		}
		dup2(port, 1);
		dup2(port, 2);
		if (chdir("/kcs"))
			_exit(127);
		if (interactive)
			execl("/bin/bash", "bash", "-i", NULL);
		else
			execl("/bin/bash", "bash", "-c", command, NULL);
		_exit(127);
	}
	while ((reaped = waitpid(-1, &status, 0)) != pid)
		if (reaped < 0 && errno != EINTR)
			break;
	kill_everything();
	fd = open("/out/.status", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		int len = snprintf(text, sizeof(text), "%d\n", code);

		write_all(fd, text, len);
		close(fd);
	}
}

int main(void)
{
	char mode[32] = "";

	mount_fs("devtmpfs", "/dev", NULL);
	for (int fd = open("/dev/console", O_RDWR); fd >= 0 && fd < 2;)
		fd = dup(fd);
	load_boot_modules();
	mount_root();
	mount_rest();
	bring_up_loopback();
	open_port();
	set_environment();

	read_file("/config/mode", mode, sizeof(mode), true);
	if (!strcmp(mode, "tests"))
		run_tests();
	else
		run_command(!strcmp(mode, "shell"));
	power_off();
}
