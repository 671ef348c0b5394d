// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/xarray.h>

#include "capture.h"
#include "mapped.h"
#include "seek.h"
#include "snapshot.h"

/*
 * Each *_edge() says from @addr on the first address that holds data, or that
 * holds none; @end if there is none such; or -EINTR, see IS_ERR_VALUE().
 */

static unsigned long memory_edge(struct mm_struct *mm, unsigned long addr,
				 unsigned long end, bool data)
{
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (data)
		addr = kcs_next_populated(mm, addr, end);
	while (!data && addr < end && kcs_next_populated(mm, addr, end) == addr) {
		addr = pmd_addr_end(addr, end);
		cond_resched();
	}
	mmap_read_unlock(mm);
	return addr;
}

/*
 * Never ->llseek(): that moves the target's file position. It takes long, and so
 * no lock that the target or the watch may wait for.
 */
static unsigned long shmem_edge(const struct kcs_segment *seg, unsigned long addr,
				unsigned long end, bool data)
{
	struct xarray *pages = &seg->file->f_mapping->i_pages;
	unsigned long first = seg->pgoff + ((addr - seg->start) >> PAGE_SHIFT);
	unsigned long last = seg->pgoff + ((end - seg->start) >> PAGE_SHIFT) - 1;
	unsigned long index = first;

	if (data) {
		if (!xa_find(pages, &index, last, XA_PRESENT))
			return end;
	} else {
		while (index <= last && xa_load(pages, index)) {
			index++;
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	return index == first ? addr :
	       min(end, seg->start + ((index - seg->pgoff) << PAGE_SHIFT));
}

static unsigned long captured_edge(const struct kcs_capture *capture,
				   const struct kcs_segment *seg,
				   unsigned long addr, unsigned long end, bool data)
{
	unsigned long page = addr & PAGE_MASK;

	if (seg->of_file)
		return data ? addr : end;
	if (data)
		return clamp(min(kcs_capture_next(capture, page), seg->captured_end),
			     addr, end);
	while (page < end && page < seg->captured_end &&
	       kcs_capture_next(capture, page) == page)
		page += PAGE_SIZE;
	if (page >= seg->captured_end)
		return end;	/* read live from there on, so all data */
	return clamp(page, addr, end);
}

/* Of the target itself only, where that is what is read. */
static bool has_page_tables(const struct kcs_snapshot *snap,
			    const struct kcs_segment *seg, const struct mm_struct *mm)
{
	if (seg->of_file || seg->special)
		return false;
	return seg->source == KCS_SRC_CLONE || mm == snap->target;
}

static unsigned long segment_edge(struct kcs_snapshot *snap, struct mm_struct *mm,
				  const struct kcs_segment *seg,
				  unsigned long addr, unsigned long end, bool data)
{
	switch (seg->source) {
	case KCS_SRC_ZERO:
		return data ? end : addr;
	case KCS_SRC_CLONE:
	case KCS_SRC_LIVE:
		if (has_page_tables(snap, seg, mm))
			return memory_edge(mm, addr, end, data);
		break;
	case KCS_SRC_FILE:
		if (kcs_file_is_shmem(seg->file))
			return shmem_edge(seg, addr, end, data);
		break;
	case KCS_SRC_CAPTURED:
		return captured_edge(&snap->capture, seg, addr, end, data);
	}
	return data ? addr : end;
}

/* @mm is NULL where it is gone. */
static loff_t find_edge(struct kcs_snapshot *snap, struct mm_struct *mm,
			loff_t pos, bool data)
{
	const struct kcs_elf_layout *layout = &snap->layout;
	size_t i;

	if (pos < layout->data_offset) {
		if (data)
			return pos;
		pos = layout->data_offset;
	}
	for (i = kcs_elf_find(snap->elf, layout->nsegs, pos); i < layout->nsegs; i++) {
		const struct kcs_segment *seg = &snap->segs.table[i];
		const struct kcs_elf_segment *elf = &snap->elf[i];
		unsigned long end = seg->start + elf->filesz;
		unsigned long addr = seg->start, edge;

		if (!elf->filesz)
			continue;
		if (pos > elf->offset)
			addr += pos - elf->offset;
		edge = segment_edge(snap, mm, seg, addr, end, data);
		if (IS_ERR_VALUE(edge))
			return edge;
		if (edge < end)
			return elf->offset + (edge - seg->start);
		pos = elf->offset + elf->filesz;
	}
	/* Behind the segments: the section header, then the end of the file. */
	if (data)
		return layout->shdr_offset ? max_t(loff_t, pos, layout->shdr_offset) :
					     -ENXIO;
	return layout->size;
}

loff_t kcs_seek(struct kcs_snapshot *snap, loff_t pos, bool data)
{
	struct mm_struct *mm;

	if (pos < 0 || pos >= snap->layout.size)
		return -ENXIO;
	if (snap->stream && mutex_lock_killable(&snap->stream_lock))
		return -EINTR;
	mm = kcs_snapshot_mm(snap);
	if (!mm && !kcs_snapshot_is_live(snap))
		pos = -ECANCELED;
	else if (snap->stream && pos < snap->stream_pos)
		pos = -EIO;
	else
		pos = find_edge(snap, mm, pos, data);
	/* What was given back looks like a hole. */
	if (READ_ONCE(snap->dropped))
		pos = -ECANCELED;
	if (mm)
		mmput_async(mm);
	if (snap->stream)
		mutex_unlock(&snap->stream_lock);
	return pos;
}

static bool is_inexact(const struct kcs_segment *seg, unsigned long addr)
{
	switch (seg->source) {
	case KCS_SRC_FILE:
		return true;
	case KCS_SRC_CAPTURED:
		return addr >= seg->captured_end || seg->of_file;
	case KCS_SRC_CLONE:
		return seg->file && !seg->special;
	default:
		return false;
	}
}

static int measure_segment(struct kcs_snapshot *snap, struct mm_struct *mm,
			   const struct kcs_segment *seg, unsigned long size)
{
	unsigned long end = seg->start + size;
	unsigned long addr = seg->start, hole;

	/* Even what is a hole now may be read otherwise later. */
	if (seg->source == KCS_SRC_LIVE)
		snap->figures.inexact_bound += size;
	for (;;) {
		addr = segment_edge(snap, mm, seg, addr, end, true);
		if (IS_ERR_VALUE(addr))
			return addr;
		if (addr >= end)
			return 0;
		hole = segment_edge(snap, mm, seg, addr, end, false);
		if (IS_ERR_VALUE(hole))
			return hole;
		if (is_inexact(seg, addr))
			snap->figures.inexact_bound += hole - addr;
		snap->figures.data_bytes += hole - addr;
		addr = hole;
	}
}

int kcs_measure(struct kcs_snapshot *snap, struct mm_struct *mm)
{
	size_t i;
	int err;

	snap->figures.data_bytes = snap->layout.data_offset;
	snap->figures.inexact_bound += (u64)snap->capture.elsewhere << PAGE_SHIFT;
	for (i = 0; i < snap->layout.nsegs; i++) {
		if (!snap->elf[i].filesz)
			continue;
		err = measure_segment(snap, mm, &snap->segs.table[i],
				      snap->elf[i].filesz);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}
