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

/* In struct elf_prstatus, by class: where pr_reg holds the stack pointer. */
#define SP_OFFSET_32 (72 + 15 * 4)
#define SP_OFFSET_64 (112 + 19 * 8)

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

static void set_phdr(struct kcs_cut *cut, size_t i, const Elf64_Phdr *phdr)
{
	Elf64_Phdr *big = (void *)phdr_at(cut, i);
	Elf32_Phdr *small = (void *)phdr_at(cut, i);

	if (is_64(cut)) {
		*big = *phdr;
		return;
	}
	small->p_offset = phdr->p_offset;
	small->p_vaddr = phdr->p_vaddr;
	small->p_filesz = phdr->p_filesz;
	small->p_memsz = phdr->p_memsz;
}

/**
 * struct item - what can be left out
 * @segment: of which
 * @size: how much it is
 * @unused: it is what is below the stack pointer, and goes as a whole
 * @last: it is a stack that is in use
 */
struct item {
	struct kcs_segment *segment;
	uint64_t size;
	bool unused;
	bool last;
};

static int compare_items(const void *a, const void *b)
{
	const struct item *one = a, *two = b;

	if (one->last != two->last)
		return one->last ? 1 : -1;
	if (one->size != two->size)
		return one->size < two->size ? 1 : -1;
	return 0;
}

static size_t list_items(struct item *items, struct kcs_segment *segments,
			 size_t count)
{
	struct kcs_segment *segment;
	size_t n = 0;

	for (segment = segments; segment < segments + count; segment++) {
		segment->keep = segment->data;
		segment->skip = false;
		if (segment->unused)
			items[n++] = (struct item){
				segment, segment->unused, true, false
			};
		items[n++] = (struct item){
			segment, segment->data - segment->unused, false,
			segment->stack
		};
	}
	return n;
}

/* Return: how much. */
static uint64_t leave_out(const struct item *item, uint64_t over)
{
	uint64_t less = item->unused || over > item->size ? item->size : over;

	if (item->unused)
		item->segment->skip = true;
	item->segment->keep -= less;
	return less < over ? less : over;
}

int kcs_cut_choose(struct kcs_segment *segments, size_t count, uint64_t limit)
{
	struct item *items = calloc(2 * count + 1, sizeof(*items));
	uint64_t total = 0, over;
	size_t i, n;

	if (!items)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		total += segments[i].data;
	n = list_items(items, segments, count);
	qsort(items, n, sizeof(*items), compare_items);

	over = total > limit ? total - limit : 0;
	for (i = 0; over && i < n; i++)
		over -= leave_out(&items[i], over);
	free(items);
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

static void mark_stack(const struct kcs_cut *cut, struct kcs_segment *segments,
		       size_t count, uint64_t sp)
{
	Elf64_Phdr phdr;
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t below = 0;

		phdr = get_phdr(cut, i);
		if (phdr.p_type != PT_LOAD || sp < phdr.p_vaddr ||
		    sp - phdr.p_vaddr >= phdr.p_memsz)
			continue;
		if (sp - phdr.p_vaddr > RED_ZONE)
			below = sp - phdr.p_vaddr - RED_ZONE;
		below -= below % PAGE_SIZE;
		if (below > phdr.p_filesz)
			below = phdr.p_filesz;
		if (!segments[i].stack || below < segments[i].below)
			segments[i].below = below;
		segments[i].stack = true;
	}
}

static size_t align_note(size_t size)
{
	return (size + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

static void mark_stacks(const struct kcs_cut *cut, struct kcs_segment *segments,
			size_t count, uint64_t offset, uint64_t end)
{
	size_t at = is_64(cut) ? SP_OFFSET_64 : SP_OFFSET_32;
	size_t width = is_64(cut) ? sizeof(uint64_t) : sizeof(uint32_t);
	Elf32_Nhdr note;
	uint64_t sp;

	while (offset < end && end - offset >= sizeof(note)) {
		memcpy(&note, cut->head + offset, sizeof(note));
		offset += sizeof(note) + align_note(note.n_namesz);
		if (offset > end || note.n_descsz > end - offset)
			return;
		if (note.n_type == NT_PRSTATUS && note.n_descsz >= at + width) {
			sp = 0;
			memcpy(&sp, cut->head + offset + at, width);
			mark_stack(cut, segments, count, sp);
		}
		offset += align_note(note.n_descsz);
	}
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
			*length = data + (limit - *amount) - begin;
			*length -= *length % PAGE_SIZE;
			*amount = limit;
			return 0;
		}
		*amount += hole - data;
		from = hole;
	}
	*length = end - begin;
	return 0;
}

static int find_stacks(const struct kcs_cut *cut, int in,
		       struct kcs_segment *segments, size_t count)
{
	uint64_t length;
	Elf64_Phdr phdr;
	size_t i;
	int ret = 0;

	for (i = 0; i < count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type == PT_NOTE &&
		    phdr.p_offset + phdr.p_filesz > cut->head_size)
			return -ENOEXEC;
		if (phdr.p_type == PT_NOTE)
			mark_stacks(cut, segments, count, phdr.p_offset,
				    phdr.p_offset + phdr.p_filesz);
	}
	for (i = 0; !ret && i < count; i++) {
		if (!segments[i].below)
			continue;
		phdr = get_phdr(cut, i);
		ret = measure(in, phdr.p_offset,
			      phdr.p_offset + segments[i].below, UINT64_MAX,
			      &length, &segments[i].unused);
	}
	return ret;
}

/* Makes of its header that of what is left. */
static int shorten(struct kcs_cut *cut, int in, const struct kcs_segment *segment,
		   Elf64_Phdr *phdr)
{
	uint64_t length, amount;
	int ret;

	if (segment->keep == segment->data)
		return 0;
	if (segment->skip) {
		phdr->p_offset += segment->below;
		phdr->p_vaddr += segment->below;
		phdr->p_filesz -= segment->below;
		phdr->p_memsz -= segment->below;
	}
	ret = measure(in, phdr->p_offset, phdr->p_offset + phdr->p_filesz,
		      segment->keep, &length, &amount);
	if (ret)
		return ret;
	phdr->p_filesz = segment->keep ? length : 0;
	cut->segments++;
	cut->left_out += segment->data - segment->keep;
	return 0;
}

/* Each segment of which something is left becomes one extent. */
static int keep_segments(struct kcs_cut *cut, int in,
			 const struct kcs_segment *segments, size_t count)
{
	Elf64_Phdr phdr;
	uint64_t from;
	size_t i;
	int ret;

	cut->size = cut->head_size;
	for (i = 0; i < count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type != PT_LOAD)
			continue;
		ret = shorten(cut, in, &segments[i], &phdr);
		if (ret)
			return ret;
		from = phdr.p_offset;
		phdr.p_offset = cut->size;
		set_phdr(cut, i, &phdr);
		cut->size += phdr.p_filesz;
		if (phdr.p_filesz)
			cut->extents[cut->count++] = (struct kcs_extent){
				from, from + phdr.p_filesz
			};
	}
	return 0;
}

/* The section header that counts the segments stays behind the last one. */
static void keep_end(struct kcs_cut *cut, uint64_t size)
{
	uint64_t offset = get_ehdr(cut).e_shoff;

	if (!offset || offset >= size)
		return;
	set_shoff(cut, cut->size);
	cut->extents[cut->count++] = (struct kcs_extent){ offset, size };
	cut->size += size - offset;
}

int kcs_cut_plan(struct kcs_cut *cut, int in, uint64_t size, uint64_t limit)
{
	struct kcs_segment *segments KCS_CLEANUP(kcs_free) = NULL;
	uint64_t length;
	Elf64_Phdr phdr;
	size_t count = 0, i;
	int ret;

	ret = read_head(cut, in, size, &count);
	if (ret)
		return ret;
	segments = calloc(count + 1, sizeof(*segments));
	cut->extents = calloc(count + 1, sizeof(*cut->extents));
	if (!segments || !cut->extents)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		phdr = get_phdr(cut, i);
		if (phdr.p_type != PT_LOAD)
			continue;
		ret = measure(in, phdr.p_offset, phdr.p_offset + phdr.p_filesz,
			      UINT64_MAX, &length, &segments[i].data);
		if (ret)
			return ret;
	}
	ret = find_stacks(cut, in, segments, count);
	if (ret)
		return ret;
	limit -= cut->head_size < limit ? cut->head_size : limit;
	ret = kcs_cut_choose(segments, count, limit);
	if (!ret)
		ret = keep_segments(cut, in, segments, count);
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
