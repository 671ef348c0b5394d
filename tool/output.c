// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cleanup.h"
#include "dir.h"
#include "interrupt.h"
#include "output.h"
#include "say.h"

#define CORE_MODE 0600
/* What an unprivileged pipe may hold on a stock kernel; the default is 64 KiB. */
#define PIPE_SIZE (1024 * 1024)

const char *kcs_output_remedy(int err)
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
	case ENOMEM:
		return "make memory free, or leave out -z";
	case EPIPE:
		return "keep the reader until the core has ended";
	case EBADF:
		return "open standard output for writing";
	case ELOOP:
		return "a link on the way is somebody else's, or a circle: name the directory";
	default:
		return "write elsewhere";
	}
}

enum kcs_exit kcs_output_fail(const struct kcs_output *out, int err)
{
	kcs_say("can't write the core to %s%s%s: %s: %s",
		out->path ? "'" : "", out->path ? out->path : "standard output",
		out->path ? "'" : "", strerror(err), kcs_output_remedy(err));
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
		out->file = true;
		out->direct = flags & O_DIRECT;
		choose_file_sink(out, &st, flags);
	} else if (S_ISFIFO(st.st_mode)) {
		out->sink = KCS_SINK_PIPE;
		fcntl(out->fd, F_SETPIPE_SZ, PIPE_SIZE);
	}
	return KCS_EXIT_OK;
}

/* Call it held. */
static void set_unfinished(const struct kcs_output *out)
{
	const struct kcs_unfinished file = {
		.fd = out->fd,
		.dirfd = out->dirfd,
		.partial = out->partial,
		.named = out->named,
	};

	kcs_interrupt_set_unfinished(&file);
}

/* The name is known to the watcher before the file is there to be removed. */
static int open_named(struct kcs_output *out)
{
	int err = 0;

	kcs_interrupt_hold();
	if (out->force)
		unlinkat(out->dirfd, out->partial, 0);
	out->fd = openat(out->dirfd, out->partial, O_WRONLY | O_CREAT | O_EXCL |
			 O_NOFOLLOW | O_CLOEXEC, CORE_MODE);
	if (out->fd < 0)
		err = errno;
	else
		out->named = true;
	set_unfinished(out);
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
	if (out->fd < 0)
		return -errno;
	kcs_interrupt_hold();
	set_unfinished(out);
	kcs_interrupt_release();
	return 0;
}

/*
 * Dirty pages of an NFS server that is gone are waited for when the file is
 * closed, and nothing ends that wait. Direct writes can be killed.
 */
static void avoid_cache(struct kcs_output *out)
{
	struct statfs fs;
	int flags = fcntl(out->fd, F_GETFL);

	if (flags < 0 || fstatfs(out->fd, &fs) || fs.f_type != NFS_SUPER_MAGIC)
		return;
	out->direct = !fcntl(out->fd, F_SETFL, flags | O_DIRECT);
}

/* Whether a name is free, or taken by what may be replaced. */
static int check_name(const struct kcs_output *out, const char *name)
{
	struct stat st;

	if (fstatat(out->dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!out->force)
		return -EEXIST;
	return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

static enum kcs_exit refuse_name(const struct kcs_output *out, const char *more,
				 int err)
{
	switch (err) {
	case -EISDIR:
		kcs_say("'%s%s' is a directory: end it with '/' for a file core.NAME.PID in it",
			out->path, more);
		break;
	case -EEXIST:
		kcs_say("'%s%s' exists and is not overwritten%s: remove it, give another name or use --force",
			out->path, more,
			*more ? ", as an incomplete core would have that name" : "");
		break;
	case -ENOTSUP:
		kcs_say("'%s%s' is not a regular file, and --force replaces no other: remove it or give another name",
			out->path, more);
		break;
	default:
		return kcs_output_fail(out, -err);
	}
	return KCS_EXIT_OUTPUT;
}

static int prepare_names(struct kcs_output *out, const char *path, bool force)
{
	const char *name;

	out->force = force;
	out->path = strdup(path);
	if (!out->path)
		return -ENOMEM;
	out->dirfd = kcs_dir_open(out->path, &name);
	if (out->dirfd < 0)
		return out->dirfd;
	out->name = name;
	if (asprintf(&out->partial, "%s" KCS_INCOMPLETE, name) < 0) {
		out->partial = NULL;
		return -ENOMEM;
	}
	return 0;
}

static enum kcs_exit open_file(struct kcs_output *out, const char *path,
			       bool force)
{
	int ret = prepare_names(out, path, force);

	if (ret)
		return kcs_output_fail(out, -ret);
	ret = *out->name ? check_name(out, out->name) : -EISDIR;
	if (ret)
		return refuse_name(out, "", ret);
	ret = check_name(out, out->partial);
	if (ret)
		return refuse_name(out, KCS_INCOMPLETE, ret);

	ret = open_unnamed(out);
	if (ret == -EOPNOTSUPP || ret == -EISDIR || ret == -EINVAL)
		ret = open_named(out);
	if (ret)
		return kcs_output_fail(out, -ret);
	avoid_cache(out);
	out->sink = KCS_SINK_SPARSE;
	out->file = true;
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_output_open(struct kcs_output *out, const char *path,
			      bool force)
{
	kcs_interrupt_hold();
	kcs_interrupt_set_done(false);
	kcs_interrupt_release();
	return path ? open_file(out, path, force) : open_stdout(out);
}

uint64_t kcs_output_room(const struct kcs_output *out)
{
	struct statvfs fs;

	if (!out->file || fstatvfs(out->fd, &fs) || !fs.f_blocks)
		return UINT64_MAX;
	return (uint64_t)(geteuid() ? fs.f_bavail : fs.f_bfree) * fs.f_frsize;
}

/* Is the name that of the open file? */
static bool is_ours(const struct kcs_output *out, const char *name)
{
	struct stat ours, st;

	return !fstat(out->fd, &ours) &&
	       !fstatat(out->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       ours.st_dev == st.st_dev && ours.st_ino == st.st_ino;
}

/*
 * An NFS server that has done it, and is asked again because its answer was lost,
 * answers that it can't be done: link(2). So the name tells.
 */
static int result(const struct kcs_output *out, const char *name, int failed)
{
	int err = errno;

	return failed && !is_ours(out, name) ? -err : 0;
}

/*
 * A link to the open file can't be led astray by whoever else may write to the
 * directory, and it never replaces.
 */
static int link_as(const struct kcs_output *out, const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	return result(out, name, linkat(AT_FDCWD, self, out->dirfd, name,
					AT_SYMLINK_FOLLOW));
}

/*
 * Some file systems know no flags: fuse_rename2() in fs/fuse/dir.c, of a server that
 * does not. Then there is a moment in which somebody else's new file is replaced.
 */
static int move_to(const struct kcs_output *out, const char *name)
{
	unsigned int flags = out->force ? 0 : RENAME_NOREPLACE;
	int ret = renameat2(out->dirfd, out->partial, out->dirfd, name, flags);

	if (ret && errno == EINVAL && flags) {
		ret = check_name(out, name);
		if (ret)
			return ret;
		ret = renameat(out->dirfd, out->partial, out->dirfd, name);
	}
	return result(out, name, ret);
}

static void remove_partial(struct kcs_output *out)
{
	if (out->named && is_ours(out, out->partial))
		unlinkat(out->dirfd, out->partial, 0);
	out->named = false;
	kcs_interrupt_set_unfinished(NULL);
}

/* Call it held. */
static int name_partial(struct kcs_output *out)
{
	int ret;

	if (out->named)
		return 0;
	if (out->force && !check_name(out, out->partial))
		unlinkat(out->dirfd, out->partial, 0);
	ret = link_as(out, out->partial);
	if (ret)
		return ret;
	out->named = true;
	set_unfinished(out);
	return 0;
}

/* Where links are unknown the file is moved, and so it is over another. */
static int give_name(struct kcs_output *out)
{
	int ret = link_as(out, out->name);

	if (!ret || (ret == -EEXIST && !out->force))
		return ret;
	if (ret == -EEXIST) {
		ret = check_name(out, out->name);
		if (!ret)
			ret = name_partial(out);
		if (ret)
			return ret == -ENOTSUP ? -EEXIST : ret;
	}
	if (!out->named)
		return ret;
	if (!is_ours(out, out->partial))
		return -ESTALE;
	return move_to(out, out->name);
}

/*
 * So that the name outlives a crash too, where the directory may be read. The
 * core is there in any case.
 */
static void sync_directory(const struct kcs_output *out)
{
	int fd KCS_CLEANUP(kcs_close) = openat(out->dirfd, ".", O_RDONLY |
					       O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

static int commit_file(struct kcs_output *out)
{
	int ret;

	/* A file system may report a full disk as late as this. */
	if (fsync(out->fd) && errno != EINVAL)
		return -errno;

	kcs_interrupt_hold();
	ret = give_name(out);
	if (!ret) {
		remove_partial(out);
		kcs_interrupt_set_done(true);
	}
	kcs_interrupt_release();
	if (!ret)
		sync_directory(out);
	return ret;
}

static int commit_stdout(struct kcs_output *out, uint64_t size)
{
	/* Where the next writer of a shared descriptor goes on. */
	if (out->sink == KCS_SINK_SPARSE &&
	    lseek(out->fd, (off_t)(out->base + size), SEEK_SET) < 0)
		return -errno;
	/* NFS reports what could not be written when it is closed. */
	if (close(out->fd))
		return -errno;

	out->fd = -1;
	kcs_interrupt_hold();
	kcs_interrupt_set_done(true);
	kcs_interrupt_release();
	return 0;
}

int kcs_output_commit(struct kcs_output *out, uint64_t size)
{
	int ret;

	if (!out->path)
		return commit_stdout(out, size);
	ret = commit_file(out);
	if (!ret)
		out->kept = "";
	return ret;
}

int kcs_output_keep(struct kcs_output *out)
{
	int ret;

	/* Whoever writes next goes on behind what there is. */
	if (!out->path && out->sink == KCS_SINK_SPARSE)
		lseek(out->fd, 0, SEEK_END);
	if (!out->path)
		return 0;
	fsync(out->fd);
	kcs_interrupt_hold();
	ret = name_partial(out);
	/* From here on it is nobody's to remove. */
	out->named = false;
	kcs_interrupt_set_unfinished(NULL);
	kcs_interrupt_set_done(true);
	kcs_interrupt_release();

	if (ret)
		return ret;
	out->kept = KCS_INCOMPLETE;
	sync_directory(out);
	return 0;
}

void kcs_output_close(struct kcs_output *out)
{
	kcs_interrupt_hold();
	remove_partial(out);
	kcs_interrupt_release();
	if (out->path)
		kcs_close(&out->fd);
	kcs_close(&out->dirfd);
	kcs_free(&out->path);
	kcs_free(&out->partial);
	out->path = NULL;
	out->partial = NULL;
}
