// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "dir.h"

/* As many as the kernel follows. */
#define MAX_LINKS 40

static bool is_trusted(const struct stat *st)
{
	return !st->st_uid || st->st_uid == geteuid();
}

static int start_at(bool root)
{
	int fd = open(root ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

/* What is left to walk after a link: its text, then the rest. */
static int follow(int link, char **rest, const char *behind)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(link, "", text, sizeof(text) - 1);
	char *joined;

	if (len < 0)
		return -errno;
	text[len] = '\0';
	if (asprintf(&joined, "%s/%s", text, behind) < 0)
		return -ENOMEM;
	free(*rest);
	*rest = joined;
	return 0;
}

/*
 * Takes the first component off *rest. Return: the directory from where the
 * rest is to be walked, or -errno.
 */
static int step(int dir, char **rest, int *links)
{
	size_t len = strcspn(*rest, "/");
	char *behind = *rest + len;
	int next KCS_CLEANUP(kcs_close) = -1;
	char name[NAME_MAX + 1];
	struct stat st;
	int ret;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, *rest, len);
	name[len] = '\0';
	behind += strspn(behind, "/");

	next = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || fstat(next, &st))
		return -errno;
	if (S_ISDIR(st.st_mode)) {
		memmove(*rest, behind, strlen(behind) + 1);
		return duplicate(next);
	}
	if (!S_ISLNK(st.st_mode))
		return -ENOTDIR;
	if (!is_trusted(&st) || ++*links > MAX_LINKS)
		return -ELOOP;
	ret = follow(next, rest, behind);
	if (ret)
		return ret;
	return **rest == '/' ? start_at(true) : duplicate(dir);
}

int kcs_dir_open(const char *path, const char **name)
{
	char *rest KCS_CLEANUP(kcs_free) = strdup(path);
	const char *slash = strrchr(path, '/');
	int dir, next, links = 0;

	if (!rest)
		return -ENOMEM;
	*name = slash ? slash + 1 : path;
	rest[*name - path] = '\0';

	dir = start_at(*rest == '/');
	while (dir >= 0) {
		memmove(rest, rest + strspn(rest, "/"),
			strlen(rest + strspn(rest, "/")) + 1);
		if (!*rest)
			break;
		next = step(dir, &rest, &links);
		close(dir);
		dir = next;
	}
	return dir;
}
