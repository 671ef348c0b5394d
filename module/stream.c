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

#include <asm/vdso.h>

#include "capture.h"
#include "lookup.h"
#include "mapped.h"
#include "snapshot.h"
#include "stream.h"
#include "watch.h"

#define BATCH_PAGES 512U	/* pages looked up under one mmap_lock */
#define NAMES_MAX (64ULL << 10)	/* bytes of names put together at a time */
#define PIECE_MAX ((size_t)BATCH_PAGES << PAGE_SHIFT)	/* bytes between two looks for SIGKILL */

/*
 * One read. @nowait: fail with -EAGAIN rather than wait for memory, locks or
 * files. @unsure: bytes that are inexact unless the target was held all the time.
 */
struct cursor {
	struct kcs_snapshot *snap;
	const struct kcs_segment *seg;
	struct iov_iter *iter;
	struct page **pages;
	bool nowait;
	u64 unsure;
};

static void count(atomic64_t *counter, ssize_t bytes)
{
	if (bytes > 0)
		atomic64_add(bytes, counter);
}

static ssize_t put_bytes(const void *from, size_t len, struct iov_iter *iter)
{
	size_t done = copy_to_iter(from, len, iter);

	return done ? done : -EFAULT;
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
		if (!PageAnon(cur->pages[i]) && !cur->seg->special)
			count(&cur->snap->inexact_bytes, copied);
		else if (live)
			cur->unsure += copied;
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

	if (!seg->of_file)
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

static ssize_t read_file(struct cursor *cur, unsigned long addr, size_t len)
{
	const struct kcs_segment *seg = cur->seg;
	loff_t pos = ((loff_t)seg->pgoff << PAGE_SHIFT) + (addr - seg->start);
	size_t whole = iov_iter_count(cur->iter);
	ssize_t done;

	iov_iter_truncate(cur->iter, len);
	done = kcs_mapped_read(seg->file, pos, cur->iter);
	iov_iter_reexpand(cur->iter, whole - max_t(ssize_t, done, 0));
	if (done < 0)
		return done == -EINTR || done == -EFAULT ? done : put_lost(cur, len);
	if (done == 0)
		return put_zeros(cur, len);
	count(&cur->snap->inexact_bytes, done);
	return done;
}

static ssize_t read_clone(struct cursor *cur, struct mm_struct *mm,
			  unsigned long addr, size_t len)
{
	size_t offset = addr & ~PAGE_MASK;
	unsigned int nr = min_t(size_t, DIV_ROUND_UP(offset + len, PAGE_SIZE), BATCH_PAGES);
	size_t in_page = min_t(size_t, len, PAGE_SIZE - offset);
	bool fault = !cur->nowait && may_fault(cur->snap, mm);
	enum kcs_page state;
	unsigned long next;
	long got;

	if (!cur->seg->file) {
		got = kcs_lock_mm(mm, cur->nowait);
		if (got)
			return got;
		next = kcs_next_populated(mm, addr, addr + len);
		mmap_read_unlock(mm);
		if (next > addr)
			return put_zeros(cur, next - addr);
	}
	/* A hole of shmem that is brought in is filled, at the target's cost. */
	if (cur->seg->of_file && kcs_file_may_be_read(cur->seg->file) &&
	    kcs_file_is_shmem(cur->seg->file)) {
		got = kcs_find_run(mm, addr, cur->nowait, &nr, &state);
		if (got)
			return got;
		len = min_t(size_t, len, nr * PAGE_SIZE - offset);
		if (state == KCS_PAGE_NONE)
			return cur->nowait ? -EAGAIN : read_file(cur, addr, len);
	}
	if (!fault && !KCS_FOLL_NOFAULT)
		return cur->nowait ? -EAGAIN : put_lost(cur, in_page);

	got = kcs_lookup(mm, addr & PAGE_MASK, nr,
			 KCS_GUP_FLAGS | (fault ? 0 : KCS_FOLL_NOFAULT), cur->pages,
			 cur->nowait);
	if (got > 0)
		return put_pages(cur, got, offset, len, false);
	/* Only who may fault can tell a hole from what would have to be brought in. */
	if (cur->nowait)
		return -EAGAIN;
	if (got == -EHWPOISON || (got == -EFAULT && !fault))
		return put_lost(cur, in_page);
	if (got == -EFAULT)
		return put_unmapped(cur, addr, in_page);
	return fatal_signal_pending(current) ? -EINTR : put_lost(cur, in_page);
}

/* What a look-up has found not to be there. Zeros are as unsure as the rest. */
static ssize_t put_live_hole(struct cursor *cur, unsigned long addr, size_t len)
{
	const struct kcs_segment *seg = cur->seg;
	ssize_t done;

	if (seg->of_file && kcs_file_may_be_read(seg->file))
		return cur->nowait ? -EAGAIN : read_file(cur, addr, len);
	done = put_zeros(cur, len);
	if (done > 0)
		cur->unsure += done;
	return done;
}

/*
 * Nothing is faulted into the target: what its page tables do not have is in the
 * file or nowhere. Only what it has in swap is brought in, within its limits.
 */
static ssize_t read_target(struct cursor *cur, struct mm_struct *mm,
			   unsigned long addr, size_t len)
{
	size_t offset = addr & ~PAGE_MASK;
	unsigned int nr = min_t(size_t, DIV_ROUND_UP(offset + len, PAGE_SIZE), BATCH_PAGES);
	unsigned int flags = KCS_GUP_FLAGS | KCS_FOLL_NOFAULT;
	enum kcs_page state;
	long got = kcs_find_run(mm, addr, cur->nowait, &nr, &state);

	if (got)
		return got;
	len = min_t(size_t, len, nr * PAGE_SIZE - offset);

	if (state == KCS_PAGE_NONE)
		return put_live_hole(cur, addr, len);
	if (state == KCS_PAGE_ELSEWHERE) {
		if (cur->nowait)
			return -EAGAIN;
		if (!may_fault(cur->snap, mm))
			return put_lost(cur, len);
		flags = KCS_GUP_FLAGS;
	}
	got = kcs_lookup(mm, addr & PAGE_MASK, nr, flags, cur->pages, cur->nowait);
	if (got > 0)
		return put_pages(cur, got, offset, len, true);
	if (cur->nowait)
		return -EAGAIN;
	if (got == -EINTR || fatal_signal_pending(current))
		return -EINTR;
	len = min_t(size_t, len, PAGE_SIZE - offset);
	if (got != -EFAULT)
		return put_lost(cur, len);
	/* A mark where a page would be, as of a guard region; or the page of zeros. */
	if (state == KCS_PAGE_ELSEWHERE || kcs_is_present(mm, addr))
		return put_unmapped(cur, addr, len);
	return 0;	/* it went just now: look again */
}

/*
 * The fault handler of a special mapping may serve its own process only, so none
 * is called. The vdso has its image where it was never touched, and its page
 * where a debugger wrote to it; what else there is, such as the kernel's time and
 * the gate page, is zeros.
 */
static ssize_t read_special(struct cursor *cur, struct mm_struct *mm,
			    unsigned long addr, size_t len)
{
	const struct vdso_image *image = mm->context.vdso_image;
	unsigned long offset = addr - (unsigned long)mm->context.vdso;
	size_t in_page = min_t(size_t, len, PAGE_SIZE - (addr & ~PAGE_MASK));

	if (!image || addr < (unsigned long)mm->context.vdso || offset >= image->size)
		return put_zeros(cur, len);
	if (cur->nowait)
		return -EAGAIN;
	if (kcs_is_present(mm, addr) &&
	    kcs_lookup(mm, addr & PAGE_MASK, 1, KCS_GUP_FLAGS | KCS_FOLL_NOFAULT, cur->pages,
		       false) == 1)
		return put_pages(cur, 1, addr & ~PAGE_MASK, in_page,
				 mm == cur->snap->target);
	return put_bytes(image->data + offset, in_page, cur->iter);
}

/* Private memory, which a clone or a pause would have had exact. */
static bool is_promised(const struct cursor *cur)
{
	return cur->snap->mode != KCORESNAP_MODE_LIVE && !cur->seg->special &&
	       !(cur->seg->flags & (VM_SHARED | VM_MAYSHARE));
}

static ssize_t read_live(struct cursor *cur, unsigned long addr, size_t len)
{
	bool held = kcs_snapshot_holds(cur->snap);
	struct mm_struct *mm = cur->snap->target;
	ssize_t done;

	if (!mmget_not_zero(mm))
		return put_lost(cur, len);
	cur->unsure = 0;
	done = cur->seg->special ? read_special(cur, mm, addr, len) :
				   read_target(cur, mm, addr, len);
	mmput_async(mm);
	if (held && kcs_snapshot_holds(cur->snap))
		return done;
	count(&cur->snap->inexact_bytes, cur->unsure);
	if (is_promised(cur))
		count(&cur->snap->missed_bytes, cur->unsure);
	return done;
}

static ssize_t read_cloned(struct cursor *cur, unsigned long addr, size_t len)
{
	struct mm_struct *mm = kcs_snapshot_clone(cur->snap);
	ssize_t done;

	if (!mm)
		return -ECANCELED;
	done = cur->seg->special ? read_special(cur, mm, addr, len) :
				   read_clone(cur, mm, addr, len);
	mmput(mm);
	return done;
}

static ssize_t read_captured(struct cursor *cur, unsigned long addr, size_t len)
{
	size_t offset = addr & ~PAGE_MASK;
	size_t part = min_t(size_t, len, PAGE_SIZE - offset);
	const struct kcs_capture *capture = &cur->snap->capture;
	unsigned long next;
	struct page *page;
	bool elsewhere;

	if (addr >= cur->seg->captured_end)
		return read_live(cur, addr, len);
	page = kcs_capture_find(capture, addr & PAGE_MASK, &elsewhere);
	if (page)
		return put_bytes(page_address(page) + offset, part, cur->iter);
	if (elsewhere)
		return read_live(cur, addr, part);
	next = min(kcs_capture_next(capture, addr), cur->seg->captured_end);
	len = min_t(size_t, len, next - addr);
	return cur->seg->of_file ? read_live(cur, addr, len) : put_zeros(cur, len);
}

static ssize_t read_segment(struct cursor *cur, unsigned long addr, size_t len)
{
	switch (cur->seg->source) {
	case KCS_SRC_CLONE:
		return read_cloned(cur, addr, len);
	case KCS_SRC_FILE:
		return cur->nowait ? -EAGAIN : read_file(cur, addr, len);
	case KCS_SRC_CAPTURED:
		return read_captured(cur, addr, len);
	case KCS_SRC_LIVE:
		return read_live(cur, addr, len);
	default:
		return put_zeros(cur, len);
	}
}

static ssize_t put_names(struct cursor *cur, size_t offset, size_t len)
{
	size_t done = 0, part, copied;
	const char *piece;

	do {
		piece = kcs_file_note_names(&cur->snap->files, offset + done, &part);
		part = min(part, len - done);
		copied = copy_to_iter(piece, part, cur->iter);
		done += copied;
	} while (done < len && copied == part);
	return done ? done : -EFAULT;
}

static ssize_t read_head(struct cursor *cur, u64 pos)
{
	const struct kcs_snapshot *snap = cur->snap;
	u64 names = snap->names_offset, behind = names + snap->files.names_size;
	u64 room = iov_iter_count(cur->iter);

	if (pos < names)
		return put_bytes(snap->head + pos, min(room, names - pos), cur->iter);
	if (pos < behind)
		return put_names(cur, pos - names, min3(room, behind - pos, NAMES_MAX));
	return put_bytes(snap->head + pos - snap->files.names_size,
			 min(room, snap->layout.data_offset - pos), cur->iter);
}

/* One piece: of the head, of a segment, or of the section header. */
static ssize_t read_piece(struct cursor *cur, loff_t pos)
{
	struct kcs_snapshot *snap = cur->snap;
	const struct kcs_elf_layout *layout = &snap->layout;
	size_t room = iov_iter_count(cur->iter);
	size_t i, len;
	ssize_t done;

	if (pos < layout->data_offset)
		return read_head(cur, pos);
	i = kcs_elf_find(snap->elf, layout->nsegs, pos);
	if (i == layout->nsegs)
		return put_bytes((void *)&snap->shdr + (pos - layout->shdr_offset),
				 min_t(u64, room, layout->size - pos), cur->iter);

	pos -= snap->elf[i].offset;
	cur->seg = &snap->segs.table[i];
	len = min3((u64)room, snap->elf[i].filesz - pos, (u64)PIECE_MAX);
	iov_iter_truncate(cur->iter, len);
	done = read_segment(cur, cur->seg->start + pos, len);
	iov_iter_reexpand(cur->iter, room - max_t(ssize_t, done, 0));
	return done;
}

/*
 * What was dropped meanwhile may have been read as zeros. Where a reader goes
 * forward only, what it has read is given back as it goes.
 */
static ssize_t read_next(struct cursor *cur, loff_t pos)
{
	struct kcs_snapshot *snap = cur->snap;
	ssize_t done;

	if (READ_ONCE(snap->dropped))
		return -ECANCELED;
	done = read_piece(cur, pos);
	if (READ_ONCE(snap->dropped))
		return -ECANCELED;
	if (done > 0 && snap->stream) {
		/* Pairs with the watch. */
		smp_store_release(&snap->stream_pos, pos + done);
		if (snap->stream_pos / KCS_STREAM_STEP != pos / KCS_STREAM_STEP)
			kcs_watch_now(snap);
	}
	return done;
}

static ssize_t read_pieces(struct cursor *cur, loff_t pos)
{
	struct kcs_snapshot *snap = cur->snap;
	ssize_t done = 0, part = 0;

	if (snap->stream && pos < snap->stream_pos)
		return -EIO;
	while (iov_iter_count(cur->iter) && pos < snap->layout.size) {
		part = read_next(cur, pos);
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
	count(&snap->read_bytes, done);
	/* Drained: the target need not be held any longer. */
	if (pos == snap->layout.size)
		kcs_snapshot_let_go(snap);
	return done ? done : part;
}

ssize_t kcs_stream_read(struct kcs_snapshot *snap, loff_t pos,
			struct iov_iter *iter, bool nowait)
{
	struct cursor cur = { .snap = snap, .iter = iter, .nowait = nowait };
	ssize_t done;

	cur.pages = kvmalloc_array(BATCH_PAGES, sizeof(*cur.pages), GFP_KERNEL);
	if (!cur.pages)
		return -ENOMEM;
	if (!snap->stream) {
		done = read_pieces(&cur, pos);
	} else if (nowait && !mutex_trylock(&snap->stream_lock)) {
		done = -EAGAIN;
	} else if (!nowait && mutex_lock_killable(&snap->stream_lock)) {
		done = -EINTR;
	} else {
		done = read_pieces(&cur, pos);
		mutex_unlock(&snap->stream_lock);
	}
	kvfree(cur.pages);
	return done;
}
