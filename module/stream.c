// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "capture.h"
#include "clone.h"
#include "snapshot.h"
#include "stream.h"
#include "watch.h"

#define BATCH_PAGES 512U	/* pages looked up under one mmap_lock */
#define PIECE_MAX ((size_t)BATCH_PAGES << PAGE_SHIFT)	/* bytes between two looks for SIGKILL */

#define GUP_FLAGS (FOLL_FORCE | FOLL_DUMP | FOLL_HWPOISON)

/* One read of one segment. */
struct cursor {
	struct kcs_snapshot *snap;
	const struct kcs_segment *seg;
	struct iov_iter *iter;
	struct page **pages;
};

static long lookup(struct mm_struct *mm, unsigned long addr, unsigned int nr,
		   unsigned int flags, struct page **pages)
{
	int locked = 1;
	long got;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	got = get_user_pages_remote(mm, addr, nr, flags, pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return got;
}

size_t kcs_peek(struct mm_struct *mm, unsigned long addr, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t offset = (addr + done) & ~PAGE_MASK;
		size_t part = min_t(size_t, len - done, PAGE_SIZE - offset);
		struct page *page;

		if (lookup(mm, (addr + done) & PAGE_MASK, 1, GUP_FLAGS, &page) != 1)
			break;
		memcpy(buf + done, page_address(page) + offset, part);
		put_page(page);
		done += part;
	}
	return done;
}

static void count(atomic64_t *counter, ssize_t bytes)
{
	if (bytes > 0)
		atomic64_add(bytes, counter);
}

static ssize_t put_zeros(struct cursor *cur, size_t len)
{
	size_t done = iov_iter_zero(len, cur->iter);

	return done ? done : -EFAULT;
}

static ssize_t put_lost(struct cursor *cur, size_t len)
{
	ssize_t done = put_zeros(cur, len);

	count(&cur->snap->lost_bytes, done);
	return done;
}

/*
 * Puts all pages' references, whether or not they could be copied. Not by
 * copy_page_to_iter(): up to v6.4 that lends a pipe the page itself, which the
 * target may then change in place.
 */
static ssize_t put_pages(struct cursor *cur, long nr, size_t offset, size_t len,
			 bool live)
{
	ssize_t done = 0;
	bool fault = false;
	long i;

	for (i = 0; i < nr; i++) {
		size_t part = min_t(size_t, len - done, PAGE_SIZE - offset);
		size_t copied = 0;

		if (part && !fault) {
			copied = copy_to_iter(page_address(cur->pages[i]) + offset,
					      part, cur->iter);
			fault = copied < part;
		}
		/* Page cache changes under us, whoever maps it. */
		if (live || (!PageAnon(cur->pages[i]) && !cur->seg->special))
			count(&cur->snap->inexact_bytes, copied);
		put_page(cur->pages[i]);
		done += copied;
		offset = 0;
	}
	return done ? done : -EFAULT;
}

/*
 * Nothing is mapped there: a hole in anonymous memory; in a file mapping, either
 * behind the end of the file, or a page that a truncation took away.
 */
static ssize_t put_unmapped(struct cursor *cur, unsigned long addr, size_t len)
{
	const struct kcs_segment *seg = cur->seg;
	loff_t pos;

	if (!seg->file || seg->special || (seg->flags & VM_HUGETLB))
		return put_zeros(cur, len);
	pos = ((loff_t)seg->pgoff << PAGE_SHIFT) + (addr - seg->start);
	if (pos >= i_size_read(file_inode(seg->file)))
		return put_zeros(cur, len);
	return put_lost(cur, len);
}

/*
 * Swapping a page of the clone in is charged to the target's cgroup. Where
 * there is no room for it, what is not present is given up instead.
 */
static bool may_fault(struct kcs_snapshot *snap, struct mm_struct *mm)
{
	return !get_mm_counter(mm, MM_SWAPENTS) ||
	       kcs_room(snap->memcg) > (u64)BATCH_PAGES << PAGE_SHIFT;
}

static ssize_t read_mm(struct cursor *cur, struct mm_struct *mm,
		       unsigned long addr, size_t len, bool live)
{
	size_t offset = addr & ~PAGE_MASK;
	unsigned int nr = min_t(size_t, DIV_ROUND_UP(offset + len, PAGE_SIZE),
				BATCH_PAGES);
	size_t in_page = min_t(size_t, len, PAGE_SIZE - offset);
	bool fault = !live && may_fault(cur->snap, mm);
	long got;

	if (!live && !cur->seg->file) {
		unsigned long next;

		if (mmap_read_lock_killable(mm))
			return -EINTR;
		next = kcs_next_populated(mm, addr, addr + len);
		mmap_read_unlock(mm);
		if (next > addr)
			return put_zeros(cur, next - addr);
	}
	if (!fault && !live && !KCS_FOLL_NOFAULT)
		return put_lost(cur, in_page);

	got = lookup(mm, addr & PAGE_MASK, nr,
		     GUP_FLAGS | (fault ? 0 : KCS_FOLL_NOFAULT), cur->pages);
	if (got > 0)
		return put_pages(cur, got, offset, len, live);
	if (got == -EHWPOISON || (got == -EFAULT && !fault && !live))
		return put_lost(cur, in_page);
	if (got == -EFAULT)
		return put_unmapped(cur, addr, in_page);
	return fatal_signal_pending(current) ? -EINTR : put_lost(cur, in_page);
}

static ssize_t read_clone(struct cursor *cur, unsigned long addr, size_t len)
{
	struct mm_struct *mm = kcs_snapshot_clone(cur->snap);
	ssize_t done;

	if (!mm)
		return -ECANCELED;
	done = read_mm(cur, mm, addr, len, false);
	mmput(mm);
	return done;
}

static ssize_t read_live(struct cursor *cur, unsigned long addr, size_t len)
{
	struct mm_struct *mm = cur->snap->target;
	ssize_t done;

	if (!mmget_not_zero(mm))
		return put_lost(cur, len);
	done = read_mm(cur, mm, addr, len, true);
	mmput(mm);
	return done;
}

static ssize_t read_captured(struct cursor *cur, unsigned long addr, size_t len)
{
	size_t offset = addr & ~PAGE_MASK;
	size_t part = min_t(size_t, len, PAGE_SIZE - offset);
	struct page *page;
	size_t done;

	if (addr >= cur->seg->captured_end)
		return read_live(cur, addr, len);
	page = kcs_capture_find(&cur->snap->job->capture, addr & PAGE_MASK);
	if (!page)
		return put_zeros(cur, part);
	done = copy_to_iter(page_address(page) + offset, part, cur->iter);
	return done ? done : -EFAULT;
}

/*
 * Around vfs_read(): the file is the target's. Its position must not move,
 * nobody must be notified, and a System V segment has no ->read_iter but in
 * its inode's operations.
 */
static ssize_t read_file(struct cursor *cur, unsigned long addr, size_t len)
{
	struct file *file = cur->seg->file;
	struct kiocb kiocb;
	ssize_t done;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_flags = 0;	/* buffered, even where the target opened O_DIRECT */
	kiocb.ki_pos = ((loff_t)cur->seg->pgoff << PAGE_SHIFT) +
		       (addr - cur->seg->start);
	done = file_inode(file)->i_fop->read_iter(&kiocb, cur->iter);
	if (done < 0)
		return done == -EINTR || done == -EFAULT ? done : put_lost(cur, len);
	if (done == 0)
		return put_zeros(cur, len);
	count(&cur->snap->inexact_bytes, done);
	return done;
}

static ssize_t read_segment(struct cursor *cur, unsigned long addr, size_t len)
{
	switch (cur->seg->source) {
	case KCS_SRC_CLONE:
		return read_clone(cur, addr, len);
	case KCS_SRC_FILE:
		return read_file(cur, addr, len);
	case KCS_SRC_CAPTURED:
		return read_captured(cur, addr, len);
	case KCS_SRC_LIVE:
		return read_live(cur, addr, len);
	default:
		return put_zeros(cur, len);
	}
}

static ssize_t put_bytes(const void *from, size_t len, struct iov_iter *iter)
{
	size_t done = copy_to_iter(from, len, iter);

	return done ? done : -EFAULT;
}

/* One piece: of the head, of a segment, or of the section header. */
static ssize_t read_piece(struct cursor *cur, loff_t pos)
{
	struct kcs_snapshot *snap = cur->snap;
	const struct kcs_elf_layout *layout = &snap->layout;
	size_t room = iov_iter_count(cur->iter);
	size_t i, len, whole;
	ssize_t done;

	if (pos < layout->data_offset)
		return put_bytes(snap->head + pos,
				 min_t(u64, room, layout->data_offset - pos),
				 cur->iter);
	i = kcs_elf_find(snap->elf, layout->nsegs, pos);
	if (i == layout->nsegs)
		return put_bytes((void *)&snap->shdr + (pos - layout->shdr_offset),
				 min_t(u64, room, layout->size - pos), cur->iter);

	pos -= snap->elf[i].offset;
	cur->seg = &snap->job->segs.table[i];
	len = min3((u64)room, snap->elf[i].filesz - pos, (u64)PIECE_MAX);
	whole = iov_iter_count(cur->iter);
	iov_iter_truncate(cur->iter, len);
	done = read_segment(cur, cur->seg->start + pos, len);
	iov_iter_reexpand(cur->iter, whole - max_t(ssize_t, done, 0));
	return done;
}

static bool was_dropped(struct kcs_snapshot *snap)
{
	return READ_ONCE(snap->dropped);
}

ssize_t kcs_stream_read(struct kcs_snapshot *snap, loff_t pos,
			struct iov_iter *iter)
{
	struct cursor cur = { .snap = snap, .iter = iter };
	ssize_t done = 0, part = 0;

	cur.pages = kvmalloc_array(BATCH_PAGES, sizeof(*cur.pages), GFP_KERNEL);
	if (!cur.pages)
		return -ENOMEM;
	while (iov_iter_count(iter) && pos < snap->layout.size) {
		part = was_dropped(snap) ? -ECANCELED : read_piece(&cur, pos);
		if (part < 0)
			break;
		pos += part;
		done += part;
		if (fatal_signal_pending(current)) {
			part = -EINTR;
			break;
		}
		cond_resched();
	}
	kvfree(cur.pages);
	count(&snap->read_bytes, done);
	return done ? done : part;
}
