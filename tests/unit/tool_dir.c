// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "test.h"

#define SOMEBODY 12345

static char top[] = "/tmp/tool_dir.XXXXXX";

static int make_tree(void **state)
{
	return !mkdtemp(top) || chdir(top) || mkdir("a", 0700) ||
	       mkdir("a/b", 0700) || symlink("b", "a/own") ||
	       symlink("b", "a/theirs") || symlink("loop", "loop") ||
	       symlink("../a/own", "a/far") || symlink("/", "root") ||
	       symlink("theirs", "a/over") || mkfifo("fifo", 0600);
}

static int remove_tree(void **state)
{
	return unlink("a/own") || unlink("a/theirs") || unlink("loop") ||
	       unlink("a/far") || unlink("root") || unlink("a/over") ||
	       unlink("fifo") || rmdir("a/b") || rmdir("a") || chdir("/") ||
	       rmdir(top);
}

static void leads_to(const char *path, const char *dir, const char *name)
{
	const char *got = NULL;
	struct stat want, st;
	int fd = kcs_dir_open(path, &got);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(stat(dir, &want), 0);
	assert_true(st.st_dev == want.st_dev && st.st_ino == want.st_ino);
	assert_string_equal(got, name);
	assert_ptr_equal(got + strlen(got), path + strlen(path));
	close(fd);
}

static void fails(const char *path, int err)
{
	const char *name;

	assert_int_equal(kcs_dir_open(path, &name), -err);
}

static void directories_are_found(void **state)
{
	char path[128];

	leads_to("core", ".", "core");
	leads_to("./core", ".", "core");
	leads_to("a/b/core", "a/b", "core");
	leads_to("a//b///core", "a/b", "core");
	leads_to("a/b/../core", "a", "core");
	leads_to("a/", "a", "");
	leads_to("/", "/", "");
	leads_to("/core", "/", "core");
	leads_to("//tmp//core", "/tmp", "core");
	leads_to("root/tmp/core", "/tmp", "core");
	snprintf(path, sizeof(path), "%s/a/b/core", top);
	leads_to(path, "a/b", "core");
}

static void what_is_no_directory_fails(void **state)
{
	char path[400];

	fails("absent/core", ENOENT);
	fails("a/absent/core", ENOENT);
	fails("fifo/core", ENOTDIR);
	memset(path, 'x', sizeof(path));
	strcpy(path + 300, "/core");
	fails(path, ENAMETOOLONG);
}

static void own_links_are_followed(void **state)
{
	leads_to("a/own/core", "a/b", "core");
	leads_to("a/far/core", "a/b", "core");
	fails("loop/core", ELOOP);
}

static void links_of_others_are_not(void **state)
{
	if (geteuid()) {
		skip();
		return;
	}
	assert_int_equal(lchown("a/theirs", SOMEBODY, SOMEBODY), 0);
	fails("a/theirs/core", ELOOP);
	fails("a/over/core", ELOOP);
	/* A name is not followed, whatever it is. */
	leads_to("a/theirs", "a", "theirs");
	/* To root a link of its own is as good as one of the caller's. */
	leads_to("a/own/core", "a/b", "core");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories_are_found),
		cmocka_unit_test(what_is_no_directory_fails),
		cmocka_unit_test(own_links_are_followed),
		cmocka_unit_test(links_of_others_are_not),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
