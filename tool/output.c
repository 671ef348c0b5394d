// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "interrupt.h"
#include "output.h"
#include "say.h"

#define CORE_MODE 0600
/* What an unprivileged pipe may hold on a stock kernel; the default is 64 KiB. */
#define PIPE_SIZE (1024 * 1024)

static enum kcs_exit refuse_existing(const struct kcs_output *out)
{
	kcs_say("'%s' exists and is not overwritten: remove it or give another name",
		out->path);
	return KCS_EXIT_OUTPUT;
}

static enum kcs_exit refuse_directory(const struct kcs_output *out)
{
	kcs_say("'%s' is a directory: give the name of a file in it", out->path);
	return KCS_EXIT_OUTPUT;
}

static const char *remedy(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return "free some space or write elsewhere";
	case EFBIG:
		return "raise the limit on file sizes (ulimit -f) or write elsewhere";
	case EACCES:
	case EPERM:
	case EROFS:
		return "write to a directory that you may write to";
	case ENOENT:
	case ENOTDIR:
		return "create the directory first";
	case EPIPE:
		return "keep the reader until the core has ended";
	case EBADF:
		return "open standard output for writing";
	default:
		return "write elsewhere";
	}
}

enum kcs_exit kcs_output_fail(const struct kcs_output *out, int err)
{
	kcs_say("can't write the core to %s%s%s: %s: %s",
		out->path ? "'" : "", out->path ? out->path : "standard output",
		out->path ? "'" : "", strerror(err), remedy(err));
	return KCS_EXIT_OUTPUT;
}

/*
 * Blocks may be left out only where nothing was before. In append mode pwrite()
 * ignores its offset.
 */
static void choose_file_sink(struct kcs_output *out, const struct stat *st,
			     int flags)
{
	off_t pos = lseek(out->fd, 0, SEEK_CUR);

	if ((flags & O_APPEND) || pos < st->st_size)
		return;
	out->sink = KCS_SINK_SPARSE;
	out->base = pos;
}

static enum kcs_exit open_stdout(struct kcs_output *out)
{
	struct stat st;
	int flags;

	out->fd = STDOUT_FILENO;
	out->sink = KCS_SINK_STREAM;
	flags = fcntl(out->fd, F_GETFL);
	if (flags < 0 || fstat(out->fd, &st))
		return kcs_output_fail(out, errno);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return kcs_output_fail(out, EBADF);
	if (isatty(out->fd)) {
		kcs_say("standard output is a terminal, a core is not text: redirect it or use -o FILE");
		return KCS_EXIT_OUTPUT;
	}

	if (S_ISREG(st.st_mode)) {
		choose_file_sink(out, &st, flags);
	} else if (S_ISFIFO(st.st_mode)) {
		out->sink = KCS_SINK_PIPE;
		fcntl(out->fd, F_SETPIPE_SZ, PIPE_SIZE);
	}
	return KCS_EXIT_OK;
}

static int open_directory(struct kcs_output *out)
{
	char *dir KCS_CLEANUP(kcs_free) = strdup(out->path);
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	out->name = slash ? out->path + (slash - dir) + 1 : out->path;
	if (slash == dir)
		slash++;
	if (slash)
		*slash = '\0';

	out->dirfd = open(slash ? dir : ".",
			  O_PATH | O_DIRECTORY | O_CLOEXEC);
	return out->dirfd < 0 ? -errno : 0;
}

/* The name is known to the watcher before the file is there to be removed. */
static int open_named(struct kcs_output *out)
{
	uint64_t random;
	int err;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;

	kcs_interrupt_hold();
	snprintf(out->temp, sizeof(out->temp), ".kcoresnap.%016" PRIx64, random);
	kcs_interrupt_set_temp(out->dirfd, out->temp);
	kcs_interrupt_release();

	out->fd = openat(out->dirfd, out->temp, O_WRONLY | O_CREAT | O_EXCL |
			 O_NOFOLLOW | O_CLOEXEC, CORE_MODE);
	if (out->fd >= 0)
		return 0;

	err = errno;
	kcs_interrupt_hold();
	kcs_interrupt_set_temp(-1, NULL);
	out->temp[0] = '\0';
	kcs_interrupt_release();
	return -err;
}

/*
 * A file without a name can't be left behind, not even by SIGKILL. File systems
 * that have no such files say so in several ways.
 */
static int open_unnamed(struct kcs_output *out)
{
	out->fd = openat(out->dirfd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC,
			 CORE_MODE);
	return out->fd < 0 ? -errno : 0;
}

static enum kcs_exit open_file(struct kcs_output *out)
{
	struct stat st;
	int ret;

	ret = open_directory(out);
	if (ret)
		return kcs_output_fail(out, -ret);
	if (!*out->name)
		return refuse_directory(out);
	if (!fstatat(out->dirfd, out->name, &st, AT_SYMLINK_NOFOLLOW))
		return S_ISDIR(st.st_mode) ? refuse_directory(out) :
					     refuse_existing(out);
	if (errno != ENOENT)
		return kcs_output_fail(out, errno);

	ret = open_unnamed(out);
	if (ret == -EOPNOTSUPP || ret == -EISDIR || ret == -EINVAL)
		ret = open_named(out);
	if (ret)
		return kcs_output_fail(out, -ret);
	out->sink = KCS_SINK_SPARSE;
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_output_open(struct kcs_output *out, const char *path)
{
	out->path = path;
	return path ? open_file(out) : open_stdout(out);
}

/*
 * A link to the open file can't be led astray by whoever else may write to the
 * directory, and it never replaces. Where links are unknown the temporary name
 * is moved.
 */
static int give_name(struct kcs_output *out)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	if (!linkat(AT_FDCWD, self, out->dirfd, out->name, AT_SYMLINK_FOLLOW))
		return 0;
	if (errno == EEXIST || !out->temp[0])
		return -errno;
	if (renameat2(out->dirfd, out->temp, out->dirfd, out->name,
		      RENAME_NOREPLACE))
		return -errno;
	return 0;
}

static void remove_temp(struct kcs_output *out)
{
	if (out->temp[0])
		unlinkat(out->dirfd, out->temp, 0);
	kcs_interrupt_set_temp(-1, NULL);
	out->temp[0] = '\0';
}

static enum kcs_exit commit_file(struct kcs_output *out)
{
	int ret;

	/* A file system may report a full disk as late as this. */
	if (fsync(out->fd) && errno != EINVAL)
		return kcs_output_fail(out, errno);

	kcs_interrupt_hold();
	ret = give_name(out);
	if (!ret) {
		remove_temp(out);
		kcs_interrupt_set_done();
	}
	kcs_interrupt_release();

	if (ret == -EEXIST)
		return refuse_existing(out);
	return ret ? kcs_output_fail(out, -ret) : KCS_EXIT_OK;
}

static enum kcs_exit commit_stdout(struct kcs_output *out, uint64_t size)
{
	/* Where the next writer of a shared descriptor goes on. */
	if (out->sink == KCS_SINK_SPARSE &&
	    lseek(out->fd, (off_t)(out->base + size), SEEK_SET) < 0)
		return kcs_output_fail(out, errno);
	/* NFS reports what could not be written when it is closed. */
	if (close(out->fd))
		return kcs_output_fail(out, errno);

	out->fd = -1;
	kcs_interrupt_hold();
	kcs_interrupt_set_done();
	kcs_interrupt_release();
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_output_commit(struct kcs_output *out, uint64_t size)
{
	return out->path ? commit_file(out) : commit_stdout(out, size);
}

void kcs_output_close(struct kcs_output *out)
{
	kcs_interrupt_hold();
	remove_temp(out);
	kcs_interrupt_release();
	if (out->path)
		kcs_close(&out->fd);
	kcs_close(&out->dirfd);
}
