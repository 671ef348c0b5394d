/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that the target maps, read as they are now without a trace: no event,
 * no moved position, no page in a hole, no lease broken. The time of access
 * changes only where the file system had to be asked.
 */
#ifndef _KCS_MAPPED_H
#define _KCS_MAPPED_H

#include <linux/types.h>

struct file;
struct inode;
struct iov_iter;

/** kcs_is_on_disk() - in a file system that the kernel itself keeps on a block device? */
bool kcs_is_on_disk(const struct inode *inode);

/** kcs_file_may_be_read() - can a mapped file be read without changing it? */
bool kcs_file_may_be_read(const struct file *file);

/** kcs_file_is_shmem() - tmpfs, a memfd, System V memory or the like? */
bool kcs_file_is_shmem(const struct file *file);

/**
 * kcs_mapped_read() - read a mapped file
 * @file: kcs_file_may_be_read(); its position does not move
 * @pos: from where
 * @iter: where to
 *
 * Context: may sleep.
 * Return: bytes read, which may be fewer; 0 at the end of the file; -errno.
 */
ssize_t kcs_mapped_read(struct file *file, loff_t pos, struct iov_iter *iter);

/**
 * kcs_peek_file() - read the first bytes of a mapped file
 * @file: kcs_file_may_be_read(); its position does not move
 * @buf: where to
 * @len: bytes
 *
 * Waits for a disk, but not for a server: where that is, only what is cached is
 * read.
 *
 * Return: bytes read.
 */
size_t kcs_peek_file(struct file *file, void *buf, size_t len);

#endif
