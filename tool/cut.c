// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cleanup.h"
#include "cut.h"

#define PAGE_SIZE 4096
/* What a function may use below its stack pointer. */
#define RED_ZONE 128
/* Beyond the thread pointer: glibc's struct pthread has 2304 bytes. */
#define THREAD_SIZE 4096
/* The usual limit on a stack; in Go a heap may hold both pointers, far apart. */
#define STACK_MAX (8 * 1024 * 1024)

static int compare_pieces(const void *a, const void *b)
{
	const struct kcs_piece *one = *(const struct kcs_piece *const *)a;
	const struct kcs_piece *two = *(const struct kcs_piece *const *)b;
	bool one_last = one->use == KCS_STACK, two_last = two->use == KCS_STACK;

	if (one_last != two_last)
		return one_last ? 1 : -1;
	if (one->data != two->data)
		return one->data < two->data ? 1 : -1;
	return 0;
}

/* Return: how much of @over. */
static uint64_t leave_out(struct kcs_piece *piece, uint64_t over)
{
	bool whole = piece->use == KCS_UNUSED || over > piece->data;
	uint64_t less = whole ? piece->data : over;

	piece->keep -= less;
	return less < over ? less : over;
}

int kcs_cut_choose(struct kcs_piece *pieces, size_t count, uint64_t limit)
{
	struct kcs_piece **order = calloc(count + 1, sizeof(void *));
	uint64_t total = 0, over;
	size_t i;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		pieces[i].keep = pieces[i].data;
		total += pieces[i].data;
		order[i] = &pieces[i];
	}
	qsort(order, count, sizeof(void *), compare_pieces);

	over = total > limit ? total - limit : 0;
	for (i = 0; over && i < count; i++)
		over -= leave_out(order[i], over);
	free(order);
	return 0;
}

/* A file that knows no holes is all data, as lseek(2) has it. */
int kcs_find_data(int in, uint64_t from, uint64_t end, uint64_t *data,
		  uint64_t *hole)
{
	off_t found = lseek(in, (off_t)from, SEEK_DATA);

	*data = from;
	*hole = end;
	if (found < 0) {
		if (errno == ENXIO)
			*data = end;
		return errno == ENXIO || errno == EINVAL ? 0 : -errno;
	}
	*data = (uint64_t)found < end ? (uint64_t)found : end;

	found = lseek(in, found, SEEK_HOLE);
	if (found < 0)
		return errno == ENXIO ? 0 : -errno;
	if ((uint64_t)found < end)
		*hole = found;
	return 0;
}

/**
 * struct plan - while it is made
 * @threads: those that have stacks
 * @pieces: by address, those of a segment one after the other
 * @npieces: how many
 * @more: headers that may have to be added
 */
struct plan {
	struct kcs_threads threads;
	struct kcs_piece *pieces;
	size_t npieces;
	size_t more;
};

static void free_plan(struct plan *plan)
{
	free(plan->threads.list);
	free(plan->pieces);
}

static uint64_t page_down(uint64_t address)
{
	return address - address % PAGE_SIZE;
}

/* The first one with a stack pointer at @address or above. */
static size_t first_thread(const struct plan *plan, uint64_t address)
{
	size_t low = 0, high = plan->threads.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plan->threads.list[middle].sp < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Bytes from the front of [from, end) that hold @limit bytes of data. */
static int measure(int in, uint64_t from, uint64_t end, uint64_t limit,
		   uint64_t *length, uint64_t *amount)
{
	uint64_t begin = from, data, hole;
	int ret;

	*amount = 0;
	while (from < end) {
		ret = kcs_find_data(in, from, end, &data, &hole);
		if (ret)
			return ret;
		if (hole - data > limit - *amount) {
			*length = page_down(data + (limit - *amount) - begin);
			*amount = limit;
			return 0;
		}
		*amount += hole - data;
		from = hole;
	}
	*length = end - begin;
	return 0;
}

static int add_piece(struct plan *plan, int in, size_t segment, enum kcs_use use,
		     uint64_t from, uint64_t to)
{
	struct kcs_piece *piece = &plan->pieces[plan->npieces];
	uint64_t length;

	if (from == to)
		return 0;
	*piece = (struct kcs_piece){
		.segment = segment, .use = use, .from = from, .to = to,
	};
	plan->npieces++;
	return measure(in, from, to, UINT64_MAX, &length, &piece->data);
}

/*
 * Where the stack ends that is in use from @low on. C libraries have the thread
 * pointer at the end of a thread's stack, with their description of it behind.
 */
static uint64_t stack_end(const struct kcs_thread *thread, uint64_t low, uint64_t end)
{
	uint64_t most = STACK_MAX;

	if (thread->tp > thread->sp && thread->tp < end)
		most = page_down(thread->tp - low + THREAD_SIZE + PAGE_SIZE - 1);
	if (most > STACK_MAX)
		most = STACK_MAX;
	return end - low > most ? low + most : end;
}

/*
 * The stacks of many threads can be one segment: since glibc 2.42 what is between
 * them is a guard region of the same mapping (MADV_GUARD_INSTALL).
 */
static int divide(const struct kcs_cut *cut, struct plan *plan, int in, size_t segment,
		  bool once)
{
	Elf64_Phdr phdr = kcs_head_phdr(&cut->head, segment);
	/* From address to offset. */
	uint64_t shift = phdr.p_offset - phdr.p_vaddr;
	uint64_t at = phdr.p_vaddr, end = at + phdr.p_filesz;
	size_t i, before = plan->npieces;
	int ret = 0;

	for (i = first_thread(plan, at); i < plan->threads.count; i++) {
		const struct kcs_thread *thread = &plan->threads.list[i];
		uint64_t low = page_down(thread->sp - RED_ZONE), next = end;

		if (thread->sp >= end)
			break;
		if (i + 1 < plan->threads.count && plan->threads.list[i + 1].sp < end)
			next = page_down(plan->threads.list[i + 1].sp - RED_ZONE);
		if (low < at || low > thread->sp)
			low = at;
		if (next <= low)
			continue;
		ret = add_piece(plan, in, segment, KCS_UNUSED, at + shift, low + shift);
		at = once ? end : stack_end(thread, low, next);
		if (!ret)
			ret = add_piece(plan, in, segment, KCS_STACK, low + shift,
					at + shift);
		if (ret || once)
			break;
	}
	if (!ret)
		ret = add_piece(plan, in, segment, KCS_MEMORY, at + shift, end + shift);
	/* Not more than every second one can stand alone. */
	if (plan->npieces > before)
		plan->more += (plan->npieces - before + 1) / 2 - 1;
	return ret;
}

static int find_pieces(const struct kcs_cut *cut, struct plan *plan, int in)
{
	/* What e_phnum can't count must not become more. */
	bool once = cut->head.phdrs + 2 * plan->threads.count >= PN_XNUM;
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	plan->pieces = calloc(cut->head.phdrs + 2 * plan->threads.count + 1,
			      sizeof(*plan->pieces));
	if (!plan->pieces)
		return -ENOMEM;
	for (i = 0; i < cut->head.phdrs; i++) {
		phdr = kcs_head_phdr(&cut->head, i);
		if (phdr.p_type != PT_LOAD)
			continue;
		if (phdr.p_vaddr + phdr.p_filesz < phdr.p_vaddr ||
		    phdr.p_offset + phdr.p_filesz < phdr.p_offset)
			return -ENOEXEC;
		ret = divide(cut, plan, in, i, once);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * struct headers - those of what is left
 * @table: of the class's size
 * @count: of them
 */
struct headers {
	char *table;
	size_t count;
};

static void add_header(const struct kcs_cut *cut, struct headers *headers,
		       size_t segment, const Elf64_Phdr *phdr)
{
	char *to = headers->table + headers->count++ * kcs_head_phdr_size(&cut->head);

	memcpy(to, kcs_head_at(&cut->head, segment), kcs_head_phdr_size(&cut->head));
	kcs_head_put_phdr(&cut->head, to, phdr);
}

static void add_extent(struct kcs_cut *cut, uint64_t from, uint64_t to)
{
	if (from < to)
		cut->extents[cut->count++] = (struct kcs_extent){ from, to };
}

static int kept_length(int in, const struct kcs_piece *piece, uint64_t *length)
{
	uint64_t amount;

	*length = 0;
	if (piece->keep == piece->data)
		*length = piece->to - piece->from;
	else if (piece->keep)
		return measure(in, piece->from, piece->to, piece->keep, length, &amount);
	return 0;
}

/*
 * Each run of bytes that is kept gets a header of its own, whose memory goes on to
 * the next run. What is unused before the first is no longer told of.
 */
static int keep_segment(struct kcs_cut *cut, int in, struct headers *headers,
			const struct kcs_piece *pieces, size_t count, size_t segment)
{
	const Elf64_Phdr whole = kcs_head_phdr(&cut->head, segment);
	Elf64_Phdr phdr = whole;
	uint64_t length, shift = whole.p_vaddr - whole.p_offset, less = 0;
	size_t i;
	int ret;

	phdr.p_filesz = 0;
	for (i = 0; i < count; i++) {
		ret = kept_length(in, &pieces[i], &length);
		if (ret)
			return ret;
		less += pieces[i].data - pieces[i].keep;
		if (!length)
			continue;
		if (phdr.p_offset + phdr.p_filesz != pieces[i].from) {
			/* Nothing of it yet: it begins here. */
			if (phdr.p_filesz) {
				phdr.p_memsz = pieces[i].from - phdr.p_offset;
				add_header(cut, headers, segment, &phdr);
				add_extent(cut, phdr.p_offset, phdr.p_offset + phdr.p_filesz);
			}
			phdr.p_offset = pieces[i].from;
			phdr.p_vaddr = phdr.p_offset + shift;
			phdr.p_filesz = 0;
		}
		phdr.p_filesz += length;
	}
	phdr.p_memsz = whole.p_vaddr + whole.p_memsz - phdr.p_vaddr;
	add_header(cut, headers, segment, &phdr);
	add_extent(cut, phdr.p_offset, phdr.p_offset + phdr.p_filesz);
	cut->left_out += less;
	cut->segments += less > 0;
	return 0;
}

static uint64_t grown_size(const struct kcs_head *head, size_t more)
{
	uint64_t size = head->size + more * kcs_head_phdr_size(head);

	return more ? page_down(size + PAGE_SIZE - 1) : size;
}

/* The new headers in place of the old ones; what follows those moves, and is told so. */
static int replace_headers(struct kcs_cut *cut, const struct headers *headers)
{
	struct kcs_head *head = &cut->head;
	size_t more = headers->count - head->phdrs, i;
	size_t moved = more * kcs_head_phdr_size(head);
	uint64_t begin = kcs_head_phoff(head), size = grown_size(head, more);
	uint64_t behind = begin + head->phdrs * kcs_head_phdr_size(head);
	char *bytes = calloc(1, size);
	Elf64_Phdr phdr;

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, head->bytes, begin);
	memcpy(bytes + begin, headers->table, headers->count * kcs_head_phdr_size(head));
	memcpy(bytes + behind + moved, head->bytes + behind, head->size - behind);
	kcs_head_free(head);
	*head = (struct kcs_head){ bytes, size, headers->count };
	if (more)
		kcs_head_set_phnum(head, headers->count);

	cut->size = size;
	for (i = 0; i < headers->count; i++) {
		phdr = kcs_head_phdr(head, i);
		if (phdr.p_type == PT_LOAD) {
			phdr.p_offset = cut->size;
			cut->size += phdr.p_filesz;
		} else if (phdr.p_offset >= behind) {
			phdr.p_offset += moved;
		}
		kcs_head_put_phdr(head, kcs_head_at(head, i), &phdr);
	}
	return 0;
}

static int keep_pieces(struct kcs_cut *cut, int in, const struct plan *plan,
		       struct headers *headers)
{
	size_t i, from, to = 0;
	Elf64_Phdr phdr;
	int ret;

	for (i = 0; i < cut->head.phdrs; i++) {
		phdr = kcs_head_phdr(&cut->head, i);
		for (from = to; to < plan->npieces && plan->pieces[to].segment == i;)
			to++;
		if (phdr.p_type != PT_LOAD) {
			add_header(cut, headers, i, &phdr);
			continue;
		}
		ret = keep_segment(cut, in, headers, &plan->pieces[from], to - from, i);
		if (ret)
			return ret;
	}
	return replace_headers(cut, headers);
}

/* The section header that counts the segments stays behind the last one. */
static void keep_end(struct kcs_cut *cut, uint64_t size)
{
	uint64_t offset = kcs_head_shoff(&cut->head);

	if (!offset || offset >= size)
		return;
	kcs_head_set_shoff(&cut->head, cut->size);
	add_extent(cut, offset, size);
	cut->size += size - offset;
}

int kcs_cut_plan(struct kcs_cut *cut, int in, uint64_t size, uint64_t limit)
{
	struct plan plan KCS_CLEANUP(free_plan) = { 0 };
	char *table KCS_CLEANUP(kcs_free) = NULL;
	struct headers headers = { 0 };
	uint64_t head;
	int ret;

	ret = kcs_head_read(&cut->head, in, size);
	if (!ret)
		ret = kcs_head_threads(&cut->head, &plan.threads);
	if (!ret)
		ret = find_pieces(cut, &plan, in);
	if (ret)
		return ret;
	head = grown_size(&cut->head, plan.more);
	ret = kcs_cut_choose(plan.pieces, plan.npieces, head < limit ? limit - head : 0);
	if (ret)
		return ret;

	cut->extents = calloc(cut->head.phdrs + plan.more + 1, sizeof(*cut->extents));
	table = calloc(cut->head.phdrs + plan.more + 1, kcs_head_phdr_size(&cut->head));
	if (!cut->extents || !table)
		return -ENOMEM;
	headers.table = table;
	ret = keep_pieces(cut, in, &plan, &headers);
	if (!ret)
		keep_end(cut, size);
	return ret;
}

void kcs_cut_free(struct kcs_cut *cut)
{
	kcs_head_free(&cut->head);
	free(cut->extents);
	*cut = (struct kcs_cut)KCS_CUT_INIT;
}
