/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a core has data and where it has holes, told without reading: by page
 * tables down to the pmd for the clone, by the page cache for shmem, page by
 * page for what was captured. What is told as data may hold zeros.
 */
#ifndef _KCS_SEEK_H
#define _KCS_SEEK_H

#include <linux/types.h>

struct kcs_patience;
struct kcs_snapshot;
struct mm_struct;

/**
 * kcs_seek() - lseek(2) with SEEK_DATA and SEEK_HOLE
 * @snap: the snapshot
 * @pos: file offset
 * @data: SEEK_DATA, else SEEK_HOLE
 *
 * Return: the offset, -ENXIO, -ECANCELED, -EIO (STREAM, and it was read already)
 * or -EINTR.
 */
loff_t kcs_seek(struct kcs_snapshot *snap, loff_t pos, bool data);

/**
 * kcs_measure() - fill in the figures for data and inexact bytes
 * @snap: laid out
 * @mm: from kcs_snapshot_mm()
 * @patience: for its lock
 *
 * Return: 0, -EINTR or -EAGAIN.
 */
int kcs_measure(struct kcs_snapshot *snap, struct mm_struct *mm,
		struct kcs_patience *patience);

#endif
