/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A FUSE server without a library. Its files, all in the root directory:
 *
 *	pattern		read-only, FUSE_PATTERN_SIZE bytes 'p'
 *	core		whatever is written to it goes to the server's backing file
 *	hung		of FUSE_HUNG_SIZE bytes: the server leaves each request to read them
 *			unanswered until somebody looks for a file named "answer"
 *	stuck		the same, past the page cache
 */
#ifndef KCS_TESTS_FUSE_H
#define KCS_TESTS_FUSE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FUSE_PATTERN_SIZE	(256UL << 10)
#define FUSE_HUNG_SIZE		4096UL
#define FUSE_WRITE_MAX		(128UL << 10)
#define FUSE_UNANSWERED		16

enum { FUSE_ROOT = 1, FUSE_PATTERN, FUSE_CORE, FUSE_HUNG, FUSE_STUCK, FUSE_NODES };

static const char *const fuse_names[FUSE_NODES] = {
	[FUSE_PATTERN] = "pattern", [FUSE_CORE] = "core",
	[FUSE_HUNG] = "hung", [FUSE_STUCK] = "stuck",
};

/**
 * struct fuse_server - a mounted file system
 * @fd: /dev/fuse
 * @backing: of "core"
 * @unanswered: requests for "hung" and "stuck"
 * @unanswered_nr: how many
 */
struct fuse_server {
	int fd;
	int backing;
	uint64_t unanswered[FUSE_UNANSWERED];
	unsigned int unanswered_nr;
	char request[FUSE_WRITE_MAX + 4096] __attribute__((aligned(8)));
};

/* @device: for type "fuseblk", or NULL. Return: 0, or -1 with errno set */
static inline int fuse_open(struct fuse_server *server, const char *dir, const char *backing,
			    const char *device)
{
	char options[128];

	server->unanswered_nr = 0;
	server->backing = open(backing, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	server->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server->backing < 0 || server->fd < 0)
		return -1;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", server->fd);
	return syscall(SYS_mount, device ? device : "states", dir, device ? "fuseblk" : "fuse",
		       0UL, options);
}

static inline void fuse_reply(struct fuse_server *server, uint64_t unique, int error,
			      const void *data, size_t size)
{
	struct fuse_out_header header = { .unique = unique, .error = -error };
	struct iovec iov[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)data, .iov_len = error ? 0 : size },
	};

	header.len = sizeof(header) + iov[1].iov_len;
	/* ENOENT says that whoever asked is gone. */
	if (writev(server->fd, iov, 2) < 0 && errno != ENOENT)
		perror("/dev/fuse");
}

static inline struct fuse_attr fuse_attr_of(struct fuse_server *server, uint64_t node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .blksize = 4096 };
	struct stat st;

	attr.mode = node == FUSE_ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
	if (node == FUSE_PATTERN)
		attr.size = FUSE_PATTERN_SIZE;
	else if (node == FUSE_CORE && !fstat(server->backing, &st))
		attr.size = st.st_size;
	else if (node == FUSE_HUNG || node == FUSE_STUCK)
		attr.size = FUSE_HUNG_SIZE;
	return attr;
}

static inline void fuse_answer_all(struct fuse_server *server)
{
	static char bytes[FUSE_HUNG_SIZE];

	memset(bytes, 'h', sizeof(bytes));
	while (server->unanswered_nr)
		fuse_reply(server, server->unanswered[--server->unanswered_nr], 0, bytes,
			   sizeof(bytes));
}

static inline void fuse_lookup(struct fuse_server *server, const struct fuse_in_header *in,
			       const char *name)
{
	struct fuse_entry_out out = { .nodeid = FUSE_PATTERN };

	while (out.nodeid < FUSE_NODES && strcmp(fuse_names[out.nodeid], name))
		out.nodeid++;
	if (!strcmp(name, "answer"))
		fuse_answer_all(server);
	out.attr = fuse_attr_of(server, out.nodeid);
	fuse_reply(server, in->unique, out.nodeid == FUSE_NODES ? ENOENT : 0, &out, sizeof(out));
}

static inline void fuse_read(struct fuse_server *server, const struct fuse_in_header *in,
			     const struct fuse_read_in *read)
{
	static char bytes[FUSE_WRITE_MAX];
	size_t size = read->size;

	if (in->nodeid == FUSE_HUNG || in->nodeid == FUSE_STUCK) {
		if (server->unanswered_nr < FUSE_UNANSWERED)
			server->unanswered[server->unanswered_nr++] = in->unique;
		return;
	}
	if (in->nodeid == FUSE_CORE) {
		ssize_t n = pread(server->backing, bytes,
				  size < sizeof(bytes) ? size : sizeof(bytes), read->offset);

		fuse_reply(server, in->unique, n < 0 ? errno : 0, bytes, n);
		return;
	}
	memset(bytes, 'p', sizeof(bytes));
	if (read->offset >= FUSE_PATTERN_SIZE)
		size = 0;
	else if (size > FUSE_PATTERN_SIZE - read->offset)
		size = FUSE_PATTERN_SIZE - read->offset;
	fuse_reply(server, in->unique, 0, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
}

static inline void fuse_write(struct fuse_server *server, const struct fuse_in_header *in,
			      const struct fuse_write_in *write)
{
	ssize_t n = pwrite(server->backing, write + 1, write->size, write->offset);
	struct fuse_write_out out = { .size = n };

	fuse_reply(server, in->unique, n < 0 ? errno : 0, &out, sizeof(out));
}

static inline void fuse_set_size(struct fuse_server *server, const struct fuse_in_header *in,
				 const struct fuse_setattr_in *set)
{
	struct fuse_attr_out out = {};
	int error = 0;

	if (in->nodeid == FUSE_CORE && set->valid & FATTR_SIZE &&
	    ftruncate(server->backing, set->size))
		error = errno;
	out.attr = fuse_attr_of(server, in->nodeid);
	fuse_reply(server, in->unique, error, &out, sizeof(out));
}

static inline void fuse_begin(struct fuse_server *server, const struct fuse_in_header *in,
			      const struct fuse_init_in *init)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = init->minor < FUSE_KERNEL_MINOR_VERSION ? init->minor :
								   FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = FUSE_HUNG_SIZE,
		.flags = init->flags & (FUSE_BIG_WRITES | FUSE_ASYNC_READ),
		.max_write = FUSE_WRITE_MAX,
	};

	fuse_reply(server, in->unique, 0, &out, sizeof(out));
}

/* Answers the request in @server->request. */
static inline void fuse_handle(struct fuse_server *server)
{
	const struct fuse_in_header *in = (const struct fuse_in_header *)server->request;
	const void *body = in + 1;
	struct fuse_open_out opened = {
		.open_flags = in->nodeid == FUSE_STUCK || in->nodeid == FUSE_CORE ?
			      FOPEN_DIRECT_IO : 0,
	};
	struct fuse_attr_out attr = {};

	switch (in->opcode) {
	case FUSE_INIT:
		return fuse_begin(server, in, body);
	case FUSE_LOOKUP:
		return fuse_lookup(server, in, body);
	case FUSE_READ:
		return fuse_read(server, in, body);
	case FUSE_WRITE:
		return fuse_write(server, in, body);
	case FUSE_SETATTR:
		return fuse_set_size(server, in, body);
	case FUSE_GETATTR:
		attr.attr = fuse_attr_of(server, in->nodeid);
		return fuse_reply(server, in->unique, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return fuse_reply(server, in->unique, 0, &opened, sizeof(opened));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FSYNC:
		return fuse_reply(server, in->unique, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		fuse_reply(server, in->unique, ENOSYS, NULL, 0);
	}
}

#endif
