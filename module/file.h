/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The snapshot as a file: a regular file of known size on a pseudo file system
 * of its own, so that fstat(2) tells its size and it can be reopened through
 * /proc/PID/fd, which an anonymous inode can't.
 *
 * Each snapshot has a superblock of its own. That is what makes unloading safe:
 * a file system holds its module until its last superblock is gone, and that is
 * after the last file on it has left every function of ours.
 */
#ifndef _KCS_FILE_H
#define _KCS_FILE_H

#include <linux/fs.h>

struct kcs_snapshot;

/**
 * kcs_file_create() - make the file of a snapshot
 * @snap: laid out; the file owns it, also on error
 *
 * Return: an open file (O_RDONLY), or ERR_PTR(-ENOMEM, -ENFILE).
 */
struct file *kcs_file_create(struct kcs_snapshot *snap);

#endif
