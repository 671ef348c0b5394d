// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cleanup.h"
#include "cut.h"

#define PAGE_SIZE 4096
/* What 65535 segments and many thousand threads take; more is no core. */
#define HEAD_MAX (1024 * 1024 * 1024)
#define NOTE_ALIGN 4
/* What a function may use below its stack pointer. */
#define RED_ZONE 128

/* Beyond the thread pointer: glibc's struct pthread has 2304 bytes. */
#define THREAD_SIZE 4096
/* The usual limit on a stack, for those whose end is not known. */
#define STACK_MAX (8 * 1024 * 1024)

/*
 * In struct elf_prstatus, by class: where pr_reg holds the stack pointer and
 * fs_base, as in arch/x86/include/asm/user_{32,64}.h.
 */
#define SP_OFFSET_32 (72 + 15 * 4)
#define SP_OFFSET_64 (112 + 19 * 8)
#define TP_OFFSET_64 (112 + 21 * 8)

static bool is_64(const struct kcs_cut *cut)
{
	return cut->head[EI_CLASS] == ELFCLASS64;
}

static size_t ehdr_size(const struct kcs_cut *cut)
{
	return is_64(cut) ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static size_t phdr_size(const struct kcs_cut *cut)
{
	return is_64(cut) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/* Headers of both classes as those of 64 bits, as far as they are of use here. */

static Elf64_Ehdr get_ehdr(const struct kcs_cut *cut)
{
	const Elf32_Ehdr *ehdr = (const void *)cut->head;

	if (is_64(cut))
		return *(const Elf64_Ehdr *)cut->head;
	return (Elf64_Ehdr){
		.e_phoff = ehdr->e_phoff,
		.e_shoff = ehdr->e_shoff,
		.e_phnum = ehdr->e_phnum,
	};
}

static void set_shoff(struct kcs_cut *cut, uint64_t offset)
{
	if (is_64(cut))
		((Elf64_Ehdr *)cut->head)->e_shoff = offset;
	else
		((Elf32_Ehdr *)cut->head)->e_shoff = offset;
}

static char *phdr_at(const struct kcs_cut *cut, size_t i)
{
	return cut->head + get_ehdr(cut).e_phoff + i * phdr_size(cut);
}

static Elf64_Phdr get_phdr(const struct kcs_cut *cut, size_t i)
{
	const Elf32_Phdr *phdr = (const void *)phdr_at(cut, i);

	if (is_64(cut))
		return *(const Elf64_Phdr *)phdr_at(cut, i);
	return (Elf64_Phdr){
		.p_type = phdr->p_type,
		.p_offset = phdr->p_offset,
		.p_vaddr = phdr->p_vaddr,
		.p_filesz = phdr->p_filesz,
		.p_memsz = phdr->p_memsz,
	};
}

static void set_phnum(struct kcs_cut *cut, size_t count)
{
	if (is_64(cut))
		((Elf64_Ehdr *)cut->head)->e_phnum = count;
	else
		((Elf32_Ehdr *)cut->head)->e_phnum = count;
}

static void set_phdr(const struct kcs_cut *cut, void *to, const Elf64_Phdr *phdr)
{
	Elf64_Phdr *big = to;
	Elf32_Phdr *small = to;

	if (is_64(cut)) {
		*big = *phdr;
		return;
	}
	small->p_offset = phdr->p_offset;
	small->p_vaddr = phdr->p_vaddr;
	small->p_filesz = phdr->p_filesz;
	small->p_memsz = phdr->p_memsz;
}

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
	struct kcs_piece **order = calloc(count + 1, sizeof(struct kcs_piece *));
	uint64_t total = 0, over;
	size_t i;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		pieces[i].keep = pieces[i].data;
		total += pieces[i].data;
		order[i] = &pieces[i];
	}
	qsort(order, count, sizeof(*order), compare_pieces);

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

static int read_at(int in, char *buf, uint64_t offset, size_t len)
{
	while (len) {
		ssize_t n = pread(in, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		buf += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Makes @head hold the first @len bytes. */
static int grow_head(struct kcs_cut *cut, int in, uint64_t len)
{
	char *head;
	int ret;

	if (len <= cut->head_size)
		return 0;
	if (len > HEAD_MAX)
		return -ENOEXEC;
	head = realloc(cut->head, len);
	if (!head)
		return -ENOMEM;
	cut->head = head;
	ret = read_at(in, head + cut->head_size, cut->head_size,
		      len - cut->head_size);
	if (!ret)
		cut->head_size = len;
	return ret;
}

/*
 * Where there are too many segments for e_phnum, their number stands in a section
 * header at the end, which can't be read yet. But the first header is that of the
 * notes, and these follow the last header.
 */
static int count_phdrs(struct kcs_cut *cut, int in, size_t *count)
{
	uint64_t begin = get_ehdr(cut).e_phoff, notes;
	int ret;

	if (begin > HEAD_MAX)
		return -ENOEXEC;
	*count = get_ehdr(cut).e_phnum;
	if (*count == PN_XNUM) {
		ret = grow_head(cut, in, begin + phdr_size(cut));
		if (ret)
			return ret;
		notes = get_phdr(cut, 0).p_offset;
		if (notes < begin)
			return -ENOEXEC;
		*count = (notes - begin) / phdr_size(cut);
	}
	return grow_head(cut, in, begin + *count * phdr_size(cut));
}

/* Headers, notes and what pads them: all that stands before memory. */
static int read_head(struct kcs_cut *cut, int in, uint64_t size, size_t *count)
{
	uint64_t end = size;
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	ret = grow_head(cut, in, sizeof(Elf32_Ehdr));
	if (ret)
		return ret;
	if (memcmp(cut->head, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	ret = grow_head(cut, in, ehdr_size(cut));
	if (!ret)
		ret = count_phdrs(cut, in, count);
	if (ret)
		return ret;
	for (i = 0; i < *count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type == PT_LOAD && phdr.p_offset < end)
			end = phdr.p_offset;
	}
	return grow_head(cut, in, end);
}

static size_t align_note(size_t size)
{
	return (size + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

static uint64_t page_down(uint64_t address)
{
	return address - address % PAGE_SIZE;
}

/**
 * struct thread - where its stack is
 * @sp: stack pointer
 * @tp: thread pointer, or 0
 */
struct thread {
	uint64_t sp;
	uint64_t tp;
};

/**
 * struct plan - while it is made
 * @count: program headers of the snapshot
 * @threads: by stack pointer
 * @pieces: by address, those of a segment one after the other
 * @more: headers that may have to be added
 */
struct plan {
	size_t count;
	struct thread *threads;
	size_t nthreads;
	struct kcs_piece *pieces;
	size_t npieces;
	size_t more;
};

static void free_plan(struct plan *plan)
{
	free(plan->threads);
	free(plan->pieces);
}

static int compare_threads(const void *a, const void *b)
{
	const struct thread *one = a, *two = b;

	if (one->sp != two->sp)
		return one->sp < two->sp ? -1 : 1;
	return 0;
}

static int add_thread(struct plan *plan, const struct thread *thread)
{
	struct thread *threads = plan->threads;

	/* Twice as much whenever it is a power of two. */
	if (!(plan->nthreads & (plan->nthreads - 1))) {
		threads = reallocarray(threads, plan->nthreads ? 2 * plan->nthreads : 1,
				       sizeof(*threads));
		if (!threads)
			return -ENOMEM;
		plan->threads = threads;
	}
	threads[plan->nthreads++] = *thread;
	return 0;
}

static struct thread thread_of(const struct kcs_cut *cut, const char *status)
{
	uint32_t sp;
	struct thread thread = { 0 };

	if (is_64(cut)) {
		memcpy(&thread.sp, status + SP_OFFSET_64, sizeof(thread.sp));
		memcpy(&thread.tp, status + TP_OFFSET_64, sizeof(thread.tp));
	} else {
		memcpy(&sp, status + SP_OFFSET_32, sizeof(sp));
		thread.sp = sp;
	}
	return thread;
}

static int read_notes(const struct kcs_cut *cut, struct plan *plan, uint64_t offset,
		      uint64_t end)
{
	size_t least = is_64(cut) ? TP_OFFSET_64 + sizeof(uint64_t) :
				    SP_OFFSET_32 + sizeof(uint32_t);
	struct thread thread;
	Elf32_Nhdr note;
	int ret;

	while (offset < end && end - offset >= sizeof(note)) {
		memcpy(&note, cut->head + offset, sizeof(note));
		offset += sizeof(note) + align_note(note.n_namesz);
		if (offset > end || note.n_descsz > end - offset)
			return 0;
		if (note.n_type == NT_PRSTATUS && note.n_descsz >= least) {
			thread = thread_of(cut, cut->head + offset);
			ret = add_thread(plan, &thread);
			if (ret)
				return ret;
		}
		offset += align_note(note.n_descsz);
	}
	return 0;
}

static int find_threads(const struct kcs_cut *cut, struct plan *plan)
{
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	for (i = 0; i < plan->count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type != PT_NOTE)
			continue;
		if (phdr.p_offset > cut->head_size ||
		    phdr.p_filesz > cut->head_size - phdr.p_offset)
			return -ENOEXEC;
		ret = read_notes(cut, plan, phdr.p_offset,
				 phdr.p_offset + phdr.p_filesz);
		if (ret)
			return ret;
	}
	if (plan->nthreads)
		qsort(plan->threads, plan->nthreads, sizeof(*plan->threads),
		      compare_threads);
	return 0;
}

/* The first one with a stack pointer at @address or above. */
static size_t first_thread(const struct plan *plan, uint64_t address)
{
	size_t low = 0, high = plan->nthreads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plan->threads[middle].sp < address)
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
static uint64_t stack_end(const struct thread *thread, uint64_t low, uint64_t end)
{
	uint64_t most = STACK_MAX;

	if (thread->tp > thread->sp && thread->tp < end)
		most = page_down(thread->tp - low + THREAD_SIZE + PAGE_SIZE - 1);
	return end - low > most ? low + most : end;
}

/*
 * The stacks of many threads can be one segment: since glibc 2.42 what is between
 * them is a guard region of the same mapping (MADV_GUARD_INSTALL).
 */
static int divide(const struct kcs_cut *cut, struct plan *plan, int in, size_t segment,
		  bool once)
{
	Elf64_Phdr phdr = get_phdr(cut, segment);
	/* From address to offset. */
	uint64_t shift = phdr.p_offset - phdr.p_vaddr;
	uint64_t at = phdr.p_vaddr, end = at + phdr.p_filesz;
	size_t i, before = plan->npieces;
	int ret = 0;

	for (i = first_thread(plan, at); i < plan->nthreads; i++) {
		const struct thread *thread = &plan->threads[i];
		uint64_t low = page_down(thread->sp - RED_ZONE), next = end;

		if (thread->sp >= end)
			break;
		if (i + 1 < plan->nthreads && plan->threads[i + 1].sp < end)
			next = page_down(plan->threads[i + 1].sp - RED_ZONE);
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
	bool once = plan->count + 2 * plan->nthreads >= PN_XNUM;
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	plan->pieces = calloc(plan->count + 2 * plan->nthreads + 1,
			      sizeof(*plan->pieces));
	if (!plan->pieces)
		return -ENOMEM;
	for (i = 0; i < plan->count; i++) {
		phdr = get_phdr(cut, i);
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
	char *to = headers->table + headers->count++ * phdr_size(cut);

	memcpy(to, phdr_at(cut, segment), phdr_size(cut));
	set_phdr(cut, to, phdr);
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
	const Elf64_Phdr whole = get_phdr(cut, segment);
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

static uint64_t grown_size(const struct kcs_cut *cut, size_t more)
{
	return more ? page_down(cut->head_size + more * phdr_size(cut) + PAGE_SIZE - 1) :
		      cut->head_size;
}

/* The new headers in place of the old ones; what follows those moves, and is told so. */
static int replace_headers(struct kcs_cut *cut, const struct plan *plan,
			   const struct headers *headers)
{
	size_t more = (headers->count - plan->count) * phdr_size(cut), i;
	uint64_t begin = get_ehdr(cut).e_phoff, offset;
	uint64_t behind = begin + plan->count * phdr_size(cut);
	uint64_t size = grown_size(cut, headers->count - plan->count);
	char *head = calloc(1, size);
	Elf64_Phdr phdr;

	if (!head)
		return -ENOMEM;
	memcpy(head, cut->head, begin);
	memcpy(head + begin, headers->table, headers->count * phdr_size(cut));
	memcpy(head + behind + more, cut->head + behind, cut->head_size - behind);
	free(cut->head);
	cut->head = head;
	cut->head_size = size;
	if (more)
		set_phnum(cut, headers->count);

	cut->size = offset = size;
	for (i = 0; i < headers->count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type == PT_LOAD) {
			phdr.p_offset = offset;
			offset += phdr.p_filesz;
		} else if (phdr.p_offset >= behind) {
			phdr.p_offset += more;
		}
		set_phdr(cut, phdr_at(cut, i), &phdr);
	}
	cut->size = offset;
	return 0;
}

static int keep_pieces(struct kcs_cut *cut, int in, const struct plan *plan,
		       struct headers *headers)
{
	size_t i, from, to = 0;
	Elf64_Phdr phdr;
	int ret;

	for (i = 0; i < plan->count; i++) {
		phdr = get_phdr(cut, i);
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
	return replace_headers(cut, plan, headers);
}

/* The section header that counts the segments stays behind the last one. */
static void keep_end(struct kcs_cut *cut, uint64_t size)
{
	uint64_t offset = get_ehdr(cut).e_shoff;

	if (!offset || offset >= size)
		return;
	set_shoff(cut, cut->size);
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

	ret = read_head(cut, in, size, &plan.count);
	if (!ret)
		ret = find_threads(cut, &plan);
	if (!ret)
		ret = find_pieces(cut, &plan, in);
	if (ret)
		return ret;
	head = grown_size(cut, plan.more);
	ret = kcs_cut_choose(plan.pieces, plan.npieces, head < limit ? limit - head : 0);
	if (ret)
		return ret;

	cut->extents = calloc(plan.count + plan.more + 1, sizeof(*cut->extents));
	table = calloc(plan.count + plan.more + 1, phdr_size(cut));
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
	free(cut->head);
	free(cut->extents);
	*cut = (struct kcs_cut)KCS_CUT_INIT;
}
