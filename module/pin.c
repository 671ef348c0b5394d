// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ksym.h"
#include "pin.h"
#include "quiesce.h"
#include "walk.h"

bool kcs_stray_page(struct kcs_stray *memo, struct page *page, bool writable)
{
	struct page *head = compound_head(page);

	if (!kcs_page_is_exclusive(page, writable))
		return false;
	if (!PageCompound(page))
		return kcs_page_stray_refs(page);
	if (memo->head != head) {
		memo->head = head;
		memo->is = kcs_page_stray_refs(head);
	}
	return memo->is;
}

struct pin_walk {
	struct kcs_walk walk;
	struct kcs_pins *pins;
	struct kcs_stray memo;
	const struct page *last;
};

static int pin_page(struct kcs_walk *walk, struct page *page, unsigned int nr,
		    bool writable)
{
	struct pin_walk *pin = container_of(walk, struct pin_walk, walk);
	struct page *head = compound_head(page);
	struct kcs_pins *pins = pin->pins;

	if (!kcs_stray_page(&pin->memo, page, writable || nr > 1))
		return 0;
	if (!kcs_pin_keeps(head, writable))
		return -EBUSY;
	pins->copies += nr;
	if (pins->copies > KCS_PIN_LIMIT)
		return -ENOSPC;
	if (pin->last == head)
		return 0;
	if (!kcs_pin_page(head))
		return -EBUSY;
	pins->page[pins->nr++] = head;
	pin->last = head;
	return 0;
}

static int pin_all(struct kcs_pins *pins, struct kcs_parkset *set)
{
	struct pin_walk pin = {
		.walk = { .mm = set->mm, .visit = pin_page },
		.pins = pins,
	};
	int err;

	kcs_mm_set_has_pinned(set->mm);
	if (!mmap_read_trylock(set->mm))
		return -EBUSY;
	do {
		err = kcs_walk_some(&pin.walk);
		cond_resched();
	} while (err > 0 && kcs_parkset_holds(set));
	mmap_read_unlock(set->mm);
	return err ?: pin.walk.absent ? -EBUSY : 0;
}

int kcs_pins_take(struct kcs_pins *pins, struct kcs_parkset *set, u64 until)
{
	for (;;) {
		int err = pin_all(pins, set);

		if (!kcs_parkset_holds(set) || fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			kcs_pins_drop(pins);
		if (err != -EBUSY || ktime_get_ns() >= until)
			return err;
		usleep_range(50, 100);
	}
}

void kcs_pins_drop(struct kcs_pins *pins)
{
	while (pins->nr)
		unpin_user_page(pins->page[--pins->nr]);
	pins->copies = 0;
}

int kcs_pins_alloc(struct kcs_pins *pins)
{
	pins->page = kvmalloc_array(KCS_PIN_LIMIT, sizeof(*pins->page), GFP_KERNEL);
	return pins->page ? 0 : -ENOMEM;
}

void kcs_pins_free(struct kcs_pins *pins)
{
	kcs_pins_drop(pins);
	kvfree(pins->page);
	pins->page = NULL;
}
