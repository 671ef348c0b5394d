// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "output.h"
#include "test.h"

static struct {
	bool no_unnamed;	/* a file system without O_TMPFILE */
	bool no_links;
	bool no_flags;		/* of renameat2(2) */
	bool answers_lost;	/* what was done is asked for again */
	int fsync_errno;
} lacks;

static char dir[] = "/tmp/tool_output.XXXXXX";
static int messages = -1;

int __real_openat(int dirfd, const char *path, int flags, mode_t mode);
int __real_linkat(int from, const char *old, int to, const char *new, int flags);
int __real_renameat2(int from, const char *old, int to, const char *new, unsigned int flags);
int __real_fsync(int fd);

int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	if (lacks.no_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_openat(dirfd, path, flags, mode);
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (lacks.no_links) {
		errno = EPERM;
		return -1;
	}
	if (lacks.answers_lost)
		__real_linkat(from, old, to, new, flags);
	return __real_linkat(from, old, to, new, flags);
}

int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	if (lacks.no_flags && flags) {
		errno = EINVAL;
		return -1;
	}
	if (lacks.answers_lost)
		__real_renameat2(from, old, to, new, flags);
	return __real_renameat2(from, old, to, new, flags);
}

int __wrap_fsync(int fd)
{
	errno = lacks.fsync_errno;
	return errno ? -1 : __real_fsync(fd);
}

static int count_files(void)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(stream)))
		count += strcmp(entry->d_name, ".") &&
			 strcmp(entry->d_name, "..");
	closedir(stream);
	return count;
}

static int make_dir(void **state)
{
	messages = open("/dev/null", O_WRONLY);
	return !mkdtemp(dir) || chdir(dir) || messages < 0 ||
	       dup2(messages, STDERR_FILENO) < 0;
}

static int remove_dir(void **state)
{
	return chdir("/") || rmdir(dir);
}

static int lack_nothing(void **state)
{
	memset(&lacks, 0, sizeof(lacks));
	return 0;
}

static void write_file(const char *path)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	struct stat st;

	assert_int_equal(kcs_output_open(&out, path, false), KCS_EXIT_OK);
	assert_int_equal(out.sink, KCS_SINK_SPARSE);
	assert_int_equal(out.base, 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(count_files(), lacks.no_unnamed);
	assert_int_equal(write(out.fd, "core", 4), 4);
	assert_int_equal(kcs_output_commit(&out, 4), 0);
	kcs_output_close(&out);

	assert_int_equal(count_files(), 1);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(unlink(path), 0);
}

static void file_appears_when_committed(void **state)
{
	char path[64];

	write_file("core");
	write_file("./core");
	snprintf(path, sizeof(path), "%s/core", dir);
	write_file(path);
}

static void named_file_is_the_fallback(void **state)
{
	lacks.no_unnamed = true;
	write_file("core");
}

static void rename_is_the_last_resort(void **state)
{
	lacks.no_unnamed = true;
	lacks.no_links = true;
	write_file("core");
}

static void where_no_flags_are_known_it_is_renamed(void **state)
{
	lacks.no_unnamed = true;
	lacks.no_links = true;
	lacks.no_flags = true;
	write_file("core");
}

static void what_was_done_twice_was_done(void **state)
{
	lacks.answers_lost = true;
	write_file("core");
	lacks.no_unnamed = true;
	write_file("core");
	lacks.no_links = true;
	write_file("core");
}

static void abandon_file(void)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "core", 4), 4);
	kcs_output_close(&out);
	assert_int_equal(count_files(), 0);
}

static void abandoned_file_is_removed(void **state)
{
	abandon_file();
	lacks.no_unnamed = true;
	abandon_file();
}

static void lose_race(void)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	struct stat st;

	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "core", 4), 4);
	assert_int_equal(symlink("elsewhere", "core"), 0);
	assert_int_equal(kcs_output_commit(&out, 4), -EEXIST);
	kcs_output_close(&out);

	assert_int_equal(count_files(), 1);
	assert_int_equal(lstat("core", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink("core"), 0);
}

static void name_taken_meanwhile_is_kept(void **state)
{
	lose_race();
	lacks.no_unnamed = true;
	lose_race();
	lacks.no_links = true;
	lose_race();
	lacks.no_flags = true;
	lose_race();
}

static void exchanged_temporary_file_is_not_published(void **state)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	char got[8] = "";
	int fd;

	lacks.no_unnamed = true;
	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "core", 4), 4);
	assert_int_equal(rename(out.partial, "mine"), 0);
	fd = open(out.partial, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, "evil", 4), 4);
	close(fd);
	assert_int_equal(kcs_output_commit(&out, 4), 0);
	kcs_output_close(&out);

	fd = open("core", O_RDONLY);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	close(fd);
	assert_string_equal(got, "core");
	unlink("core");
	unlink("mine");
	/* Whoever put it there may keep it. */
	assert_int_equal(unlink("core.incomplete"), 0);
	assert_int_equal(count_files(), 0);
}

static void late_disk_error_leaves_nothing(void **state)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	lacks.fsync_errno = ENOSPC;
	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "core", 4), 4);
	assert_int_equal(kcs_output_commit(&out, 4), -ENOSPC);
	kcs_output_close(&out);
	assert_int_equal(count_files(), 0);
}

static void check_content(const char *path, const char *want)
{
	char got[16] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(read(fd, got, sizeof(got)), strlen(want));
	assert_string_equal(got, want);
	close(fd);
}

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void keep_part(void)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "part", 4), 4);
	assert_int_equal(kcs_output_keep(&out), 0);
	assert_string_equal(out.kept, ".incomplete");
	kcs_output_close(&out);
	assert_int_equal(count_files(), 1);
	check_content("core.incomplete", "part");

	/* A second one must not take its place. */
	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OUTPUT);
	kcs_output_close(&out);
	check_content("core.incomplete", "part");
	unlink("core.incomplete");
}

static void incomplete_core_is_kept(void **state)
{
	keep_part();
	lacks.no_unnamed = true;
	keep_part();
	lacks.no_links = true;
	keep_part();
}

static void replace_file(void)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	make_file("core", "old");
	assert_int_equal(kcs_output_open(&out, "core", true), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "new", 3), 3);
	check_content("core", "old");
	assert_int_equal(kcs_output_commit(&out, 3), 0);
	kcs_output_close(&out);
	assert_int_equal(count_files(), 1);
	check_content("core", "new");
	unlink("core");
}

static void forced_core_takes_the_place(void **state)
{
	replace_file();
	lacks.no_unnamed = true;
	replace_file();
	lacks.no_links = true;
	replace_file();
}

/* What becomes of a name that turns into something else meanwhile. */
static void replace_link(void)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	struct stat st;

	make_file("core", "old");
	assert_int_equal(kcs_output_open(&out, "core", true), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "new", 3), 3);
	unlink("core");
	assert_int_equal(symlink("victim", "core"), 0);
	assert_int_equal(kcs_output_commit(&out, 3), -EEXIST);
	kcs_output_close(&out);
	assert_int_equal(lstat("core", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink("core");
	assert_int_equal(count_files(), 0);
}

static void forced_core_replaces_no_link(void **state)
{
	replace_link();
	lacks.no_unnamed = true;
	replace_link();
}

/* Where links do not help, what is moved must be the file that was written. */
static void exchanged_file_is_not_moved(void **state)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	lacks.no_unnamed = true;
	make_file("core", "old");
	assert_int_equal(kcs_output_open(&out, "core", true), KCS_EXIT_OK);
	assert_int_equal(write(out.fd, "new", 3), 3);
	assert_int_equal(unlink("core.incomplete"), 0);
	make_file("core.incomplete", "evil");
	assert_int_equal(kcs_output_commit(&out, 3), -ESTALE);
	kcs_output_close(&out);
	check_content("core", "old");
	check_content("core.incomplete", "evil");
	unlink("core");
	unlink("core.incomplete");
}

static void forced_core_replaces_files_only(void **state)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	static const char *const names[] = { "fifo", "link", "dir" };
	size_t i;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("victim", "link"), 0);
	assert_int_equal(mkdir("dir", 0700), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(kcs_output_open(&out, names[i], true),
				 KCS_EXIT_OUTPUT);
		kcs_output_close(&out);
	}
	assert_int_equal(symlink("victim", "core.incomplete"), 0);
	assert_int_equal(kcs_output_open(&out, "core", true), KCS_EXIT_OUTPUT);
	kcs_output_close(&out);
	unlink("core.incomplete");
	unlink("fifo");
	unlink("link");
	rmdir("dir");
	assert_int_equal(count_files(), 0);
}

static void room_is_known_for_files(void **state)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	assert_int_equal(kcs_output_open(&out, "core", false), KCS_EXIT_OK);
	assert_true(kcs_output_room(&out) < UINT64_MAX);
	kcs_output_close(&out);
}

static void refuse(const char *path)
{
	struct kcs_output out = KCS_OUTPUT_INIT;

	assert_int_equal(kcs_output_open(&out, path, false), KCS_EXIT_OUTPUT);
	kcs_output_close(&out);
}

static void what_exists_is_refused(void **state)
{
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("nowhere", "link"), 0);
	refuse("dir");
	refuse("dir/");
	refuse("dir/.");
	refuse("/");
	refuse("fifo");
	refuse("link");
	refuse("/dev/null");
	refuse("absent/core");
	refuse("fifo/core");
	unlink("link");
	unlink("fifo");
	rmdir("dir");
	assert_int_equal(count_files(), 0);
}

/* In a child: standard output is what is to be opened. */
static void with_stdout(const char *path, int flags, off_t seek,
			enum kcs_sink sink, uint64_t base)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct kcs_output out = KCS_OUTPUT_INIT;
		int fd = open(path, flags, 0600);

		dup2(fd, STDOUT_FILENO);
		if (lseek(STDOUT_FILENO, seek, SEEK_SET) != seek ||
		    kcs_output_open(&out, NULL, false) || out.sink != sink ||
		    out.base != base || out.fd != STDOUT_FILENO)
			_exit(1);
		kcs_output_close(&out);
		_exit(fcntl(STDOUT_FILENO, F_GETFD) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void stdout_is_sparse_only_at_its_end(void **state)
{
	with_stdout("f", O_WRONLY | O_CREAT, 0, KCS_SINK_SPARSE, 0);
	assert_int_equal(truncate("f", 100), 0);
	with_stdout("f", O_WRONLY, 0, KCS_SINK_STREAM, 0);
	with_stdout("f", O_WRONLY, 99, KCS_SINK_STREAM, 0);
	with_stdout("f", O_WRONLY, 100, KCS_SINK_SPARSE, 100);
	with_stdout("f", O_WRONLY, 200, KCS_SINK_SPARSE, 200);
	with_stdout("f", O_WRONLY | O_APPEND, 100, KCS_SINK_STREAM, 0);
	unlink("f");
}

/* In a child, which a signal ends while its output is open. */
static void end_by_signal(int sig)
{
	struct kcs_output out = KCS_OUTPUT_INIT;
	pid_t child = fork();
	int status;

	if (!child) {
		/* Who started the tests may have it ignored. */
		signal(sig, SIG_DFL);
		if (kcs_interrupt_start(0) || kcs_output_open(&out, "core", false))
			_exit(1);
		if (count_files() != lacks.no_unnamed)
			_exit(2);
		kill(getpid(), sig);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), sig);
	assert_int_equal(count_files(), 0);
}

static void signals_leave_nothing(void **state)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		lacks.no_unnamed = false;
		end_by_signal(ending[i]);
		lacks.no_unnamed = true;
		end_by_signal(ending[i]);
	}
}

static void ignored_signals_stay_ignored(void **state)
{
	pid_t child = fork();
	int status;

	if (!child) {
		signal(SIGHUP, SIG_IGN);
		if (kcs_interrupt_start(0))
			_exit(1);
		kill(getpid(), SIGHUP);
		usleep(50000);
		_exit(7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(file_appears_when_committed,
				       lack_nothing),
		cmocka_unit_test_setup(named_file_is_the_fallback, lack_nothing),
		cmocka_unit_test_setup(rename_is_the_last_resort, lack_nothing),
		cmocka_unit_test_setup(where_no_flags_are_known_it_is_renamed,
				       lack_nothing),
		cmocka_unit_test_setup(what_was_done_twice_was_done,
				       lack_nothing),
		cmocka_unit_test_setup(abandoned_file_is_removed, lack_nothing),
		cmocka_unit_test_setup(name_taken_meanwhile_is_kept,
				       lack_nothing),
		cmocka_unit_test_setup(exchanged_temporary_file_is_not_published,
				       lack_nothing),
		cmocka_unit_test_setup(late_disk_error_leaves_nothing,
				       lack_nothing),
		cmocka_unit_test_setup(incomplete_core_is_kept, lack_nothing),
		cmocka_unit_test_setup(forced_core_takes_the_place,
				       lack_nothing),
		cmocka_unit_test_setup(forced_core_replaces_no_link,
				       lack_nothing),
		cmocka_unit_test_setup(exchanged_file_is_not_moved,
				       lack_nothing),
		cmocka_unit_test_setup(forced_core_replaces_files_only,
				       lack_nothing),
		cmocka_unit_test_setup(room_is_known_for_files, lack_nothing),
		cmocka_unit_test_setup(what_exists_is_refused, lack_nothing),
		cmocka_unit_test_setup(stdout_is_sparse_only_at_its_end,
				       lack_nothing),
		cmocka_unit_test_setup(signals_leave_nothing, lack_nothing),
		cmocka_unit_test_setup(ignored_signals_stay_ignored,
				       lack_nothing),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
