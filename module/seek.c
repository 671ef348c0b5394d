// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/xarray.h>

#include "capture.h"
#include "lookup.h"
#include "mapped.h"
#include "seek.h"
#include "snapshot.h"

/* Where to look. @mm is NULL where it is gone. */
struct view {
	struct kcs_snapshot *snap;
	struct mm_struct *mm;
	struct kcs_patience *patience;
};

/*
 * Each *_edge() says from @addr on the first address that holds data, or that
 * holds none; @end if there is none such; or -EINTR or, where patience was asked
 * for, -EAGAIN: see IS_ERR_VALUE().
 */

static unsigned long memory_edge(struct mm_struct *mm, struct kcs_patience *patience,
				 unsigned long addr, unsigned long end, bool data)
{
	int err = kcs_lock_mm_within(mm, patience);

	if (err)
		return err;
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
static bool has_page_tables(const struct view *view, const struct kcs_segment *seg)
{
	if (seg->of_file || seg->special)
		return false;
	return seg->source == KCS_SRC_CLONE || view->mm == view->snap->target;
}

static unsigned long segment_edge(const struct view *view, const struct kcs_segment *seg,
				  unsigned long addr, unsigned long end, bool data)
{
	switch (seg->source) {
	case KCS_SRC_ZERO:
		return data ? end : addr;
	case KCS_SRC_CLONE:
	case KCS_SRC_LIVE:
		if (has_page_tables(view, seg))
			return memory_edge(view->mm, view->patience, addr, end, data);
		break;
	case KCS_SRC_FILE:
		if (kcs_file_is_shmem(seg->file))
			return shmem_edge(seg, addr, end, data);
		break;
	case KCS_SRC_CAPTURED:
		return captured_edge(&view->snap->capture, seg, addr, end, data);
	}
	return data ? addr : end;
}

static loff_t find_edge(const struct view *view, loff_t pos, bool data)
{
	const struct kcs_snapshot *snap = view->snap;
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
		edge = segment_edge(view, seg, addr, end, data);
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
		pos = find_edge(&(struct view) { .snap = snap, .mm = mm }, pos, data);
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

static int measure_segment(const struct view *view, const struct kcs_segment *seg,
			   unsigned long size)
{
	struct kcs_figures *figures = &view->snap->figures;
	unsigned long end = seg->start + size;
	unsigned long addr = seg->start, hole;

	/* Even what is a hole now may be read otherwise later. */
	if (seg->source == KCS_SRC_LIVE)
		figures->inexact_bound += size;
	for (;;) {
		addr = segment_edge(view, seg, addr, end, true);
		if (IS_ERR_VALUE(addr))
			return addr;
		if (addr >= end)
			return 0;
		hole = segment_edge(view, seg, addr, end, false);
		if (IS_ERR_VALUE(hole))
			return hole;
		if (is_inexact(seg, addr))
			figures->inexact_bound += hole - addr;
		figures->data_bytes += hole - addr;
		addr = hole;
	}
}

int kcs_measure(struct kcs_snapshot *snap, struct mm_struct *mm,
		struct kcs_patience *patience)
{
	const struct view view = { .snap = snap, .mm = mm, .patience = patience };
	size_t i;
	int err;

	snap->figures.data_bytes = snap->layout.data_offset;
	snap->figures.inexact_bound += (u64)snap->capture.elsewhere << PAGE_SHIFT;
	for (i = 0; i < snap->layout.nsegs; i++) {
		if (!snap->elf[i].filesz)
			continue;
		err = measure_segment(&view, &snap->segs.table[i],
				      snap->elf[i].filesz);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}
