/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of a core: headers and notes from memory, segments from where the
 * segment table says.
 */
#ifndef _KCS_STREAM_H
#define _KCS_STREAM_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct kcs_snapshot;

/**
 * kcs_stream_read() - read from a core
 * @snap: the snapshot
 * @pos: file offset
 * @iter: where to
 * @nowait: do not wait for the target's memory, its locks or its files
 *
 * Context: sleeps, killably.
 * Return: bytes read, 0 at the end, -ECANCELED if the snapshot was dropped, -EIO
 * before what was read already (STREAM), -EAGAIN where it would have to wait
 * (@nowait), -EFAULT, -EINTR, -ENOMEM.
 */
ssize_t kcs_stream_read(struct kcs_snapshot *snap, loff_t pos,
			struct iov_iter *iter, bool nowait);

#endif
