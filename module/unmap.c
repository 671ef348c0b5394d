// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>

#include "elf.h"
#include "snapshot.h"
#include "unmap.h"

/* What is unmapped at once, under an mmap_lock for which readers wait. */
#define MAPPINGS_AT_ONCE 64U
#define BYTES_AT_ONCE (256UL << 20)

void kcs_unmap_all(struct mm_struct *mm, const struct kcs_segments *segs)
{
	unsigned int i;

	kthread_use_mm(mm);
	for (i = 0; i < segs->nr; i++) {
		const struct kcs_segment *seg = &segs->table[i];

		if (seg->written && seg->source == KCS_SRC_CLONE)
			vm_munmap(seg->start, seg->end - seg->start);
		cond_resched();
	}
	/* It fails where a mapping must be split and can't: none is here. */
	vm_munmap(0, TASK_SIZE_MAX);
	kthread_unuse_mm(mm);
}

static bool is_unneeded(const struct kcs_segment *seg)
{
	return seg->source == KCS_SRC_CLONE && !seg->size;
}

/* Neighbours in one go. Return: false if there are none. */
static bool unmap_next_unneeded(struct kcs_snapshot *snap)
{
	const struct kcs_segment *table = snap->segs.table;
	unsigned int nr = snap->segs.nr, i = snap->unneeded, j;
	unsigned long start, end;

	while (i < nr && !is_unneeded(&table[i]))
		i++;
	snap->unneeded = i;
	if (i == nr)
		return false;
	start = max(table[i].start, snap->unneeded_addr);
	end = start + min(table[i].end - start, BYTES_AT_ONCE);
	if (end == table[i].end) {
		for (j = i + 1; j < nr && j - i < MAPPINGS_AT_ONCE; j++) {
			if (!is_unneeded(&table[j]) || table[j].end - start > BYTES_AT_ONCE)
				break;
			end = table[j].end;
		}
		snap->unneeded = j;
	}
	vm_munmap(start, end - start);
	snap->unneeded_addr = end;
	return true;
}

bool kcs_unmap_unneeded(struct kcs_snapshot *snap, unsigned long until)
{
	struct mm_struct *mm;
	bool more;

	if (snap->unneeded == snap->segs.nr)
		return true;
	mm = kcs_snapshot_clone(snap);
	if (!mm)
		return true;
	kthread_use_mm(mm);
	do {
		more = unmap_next_unneeded(snap);
		cond_resched();
	} while (more && time_before(jiffies, until));
	kthread_unuse_mm(mm);
	mmput(mm);
	return !more;
}

/*
 * What of a segment lies between two file offsets. What was left of a huge page
 * then may be whole now.
 */
static void unmap_part(const struct kcs_segment *seg,
		       const struct kcs_elf_segment *elf, u64 from, u64 to)
{
	unsigned long start = seg->start, end = seg->end;

	if (seg->source != KCS_SRC_CLONE)
		return;
	if (from > elf->offset)
		start = max(start, ALIGN_DOWN(start + (from - elf->offset), PMD_SIZE));
	if (to < elf->offset + elf->filesz)
		end = ALIGN_DOWN(seg->start + (to - elf->offset), PMD_SIZE);
	if (start < end)
		vm_munmap(start, end - start);
}

/* No more than one segment. */
static void unmap_next_behind(struct kcs_snapshot *snap, u64 to)
{
	u64 from = snap->unmapped_pos;
	size_t i = kcs_elf_find(snap->elf, snap->layout.nsegs, from);

	to = min(to, from + BYTES_AT_ONCE);
	if (i < snap->layout.nsegs && snap->elf[i].offset < to) {
		unmap_part(&snap->segs.table[i], &snap->elf[i], from, to);
		to = min(to, snap->elf[i].offset + snap->elf[i].filesz);
	}
	snap->unmapped_pos = to;
}

bool kcs_unmap_behind(struct kcs_snapshot *snap, loff_t to, unsigned long until)
{
	struct mm_struct *mm = kcs_snapshot_clone(snap);

	if (!mm)
		return true;
	kthread_use_mm(mm);
	do {
		unmap_next_behind(snap, to);
		cond_resched();
	} while (snap->unmapped_pos < to && time_before(jiffies, until));
	kthread_unuse_mm(mm);
	mmput(mm);
	return snap->unmapped_pos == to;
}
