// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "proc.h"

int kcs_proc_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int kcs_proc_read(int dir, const char *name, char *text)
{
	int fd KCS_CLEANUP(kcs_close) = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + len, KCS_PROC_TEXT_SIZE - 1 - len);
		if (n < 0)
			return -errno;
		len += n;
	} while (n && len < KCS_PROC_TEXT_SIZE - 1);
	text[len] = '\0';
	return 0;
}

const char *kcs_proc_find(const char *text, const char *label)
{
	size_t len = strlen(label);

	while (text && strncmp(text, label, len) != 0) {
		text = strchr(text, '\n');
		text += !!text;
	}
	return text ? text + len : NULL;
}

int kcs_proc_each(int dir, const char *name, int (*fn)(pid_t pid, void *arg),
		  void *arg)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int ret = 0;
	pid_t pid;
	DIR *all;

	if (fd < 0)
		return -errno;
	all = fdopendir(fd);
	if (!all) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while (!ret && (entry = readdir(all)))
		if (!kcs_parse_pid(entry->d_name, &pid))
			ret = fn(pid, arg);
	closedir(all);
	return ret;
}
