// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>

#include "elf.h"
#include "snapshot.h"
#include "unmap.h"

void kcs_unmap_all(struct mm_struct *mm)
{
	kthread_use_mm(mm);
	/* It fails where a mapping must be split and can't: none is here. */
	vm_munmap(0, TASK_SIZE_MAX);
	kthread_unuse_mm(mm);
}

#define AT_ONCE 64U	/* mappings under one mmap_lock, for which readers wait */

static bool is_unneeded(const struct kcs_segment *seg)
{
	return seg->source == KCS_SRC_CLONE && !seg->size;
}

void kcs_unmap_unneeded(struct kcs_snapshot *snap)
{
	struct mm_struct *mm = kcs_snapshot_clone(snap);
	const struct kcs_segment *table = snap->segs.table;
	unsigned int i, j;

	if (!mm)
		return;
	kthread_use_mm(mm);
	/* What is left when it ends goes with all the rest, which is quicker. */
	for (i = 0; i < snap->segs.nr && !READ_ONCE(snap->ending); i = j) {
		j = i + 1;
		if (!is_unneeded(&table[i]))
			continue;
		while (j < snap->segs.nr && j - i < AT_ONCE && is_unneeded(&table[j]))
			j++;
		vm_munmap(table[i].start, table[j - 1].end - table[i].start);
		cond_resched();
	}
	kthread_unuse_mm(mm);
	mmput(mm);
}

/* What of a segment lies between two file offsets. */
static void unmap_part(const struct kcs_segment *seg,
		       const struct kcs_elf_segment *elf, u64 from, u64 to)
{
	unsigned long start = seg->start, end = seg->end;

	if (seg->source != KCS_SRC_CLONE)
		return;
	if (from > elf->offset)
		start += ALIGN_DOWN(from - elf->offset, PAGE_SIZE);
	if (to < elf->offset + elf->filesz)
		end = ALIGN_DOWN(seg->start + (to - elf->offset), PMD_SIZE);
	if (start < end)
		vm_munmap(start, end - start);
}

void kcs_unmap_behind(struct kcs_snapshot *snap, loff_t from, loff_t to)
{
	const struct kcs_elf_layout *layout = &snap->layout;
	struct mm_struct *mm = kcs_snapshot_clone(snap);
	size_t i;

	if (!mm)
		return;
	kthread_use_mm(mm);
	/* What was left of a huge page then may be whole now. */
	from = max_t(loff_t, from - PMD_SIZE, layout->data_offset);
	for (i = kcs_elf_find(snap->elf, layout->nsegs, from);
	     i < layout->nsegs && snap->elf[i].offset < to; i++) {
		if (snap->elf[i].filesz)
			unmap_part(&snap->segs.table[i], &snap->elf[i], from, to);
		cond_resched();
	}
	kthread_unuse_mm(mm);
	mmput(mm);
}
