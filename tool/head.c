// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "read.h"

/* What 65535 segments and many thousand threads take; more is no core. */
#define HEAD_MAX (1024 * 1024 * 1024)
#define NOTE_ALIGN 4

/*
 * In struct elf_prstatus, by class: where pr_reg holds the stack pointer and
 * fs_base, as in arch/x86/include/asm/user_{32,64}.h.
 */
#define SP_OFFSET_32 (72 + 15 * 4)
#define SP_OFFSET_64 (112 + 19 * 8)
#define TP_OFFSET_64 (112 + 21 * 8)

static bool is_64(const struct kcs_head *head)
{
	return head->bytes[EI_CLASS] == ELFCLASS64;
}

static size_t ehdr_size(const struct kcs_head *head)
{
	return is_64(head) ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

size_t kcs_head_phdr_size(const struct kcs_head *head)
{
	return is_64(head) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/* Headers of both classes as those of 64 bits, as far as they are of use here. */

static Elf64_Ehdr get_ehdr(const struct kcs_head *head)
{
	const Elf32_Ehdr *ehdr = (const void *)head->bytes;

	if (is_64(head))
		return *(const Elf64_Ehdr *)head->bytes;
	return (Elf64_Ehdr){
		.e_phoff = ehdr->e_phoff,
		.e_shoff = ehdr->e_shoff,
		.e_phnum = ehdr->e_phnum,
	};
}

void kcs_head_set_shoff(struct kcs_head *head, uint64_t offset)
{
	if (is_64(head))
		((Elf64_Ehdr *)head->bytes)->e_shoff = offset;
	else
		((Elf32_Ehdr *)head->bytes)->e_shoff = offset;
}

char *kcs_head_at(const struct kcs_head *head, size_t i)
{
	return head->bytes + get_ehdr(head).e_phoff + i * kcs_head_phdr_size(head);
}

Elf64_Phdr kcs_head_phdr(const struct kcs_head *head, size_t i)
{
	const Elf32_Phdr *phdr = (const void *)kcs_head_at(head, i);

	if (is_64(head))
		return *(const Elf64_Phdr *)kcs_head_at(head, i);
	return (Elf64_Phdr){
		.p_type = phdr->p_type,
		.p_offset = phdr->p_offset,
		.p_vaddr = phdr->p_vaddr,
		.p_filesz = phdr->p_filesz,
		.p_memsz = phdr->p_memsz,
	};
}

void kcs_head_set_phnum(struct kcs_head *head, size_t count)
{
	if (is_64(head))
		((Elf64_Ehdr *)head->bytes)->e_phnum = count;
	else
		((Elf32_Ehdr *)head->bytes)->e_phnum = count;
}

void kcs_head_put_phdr(const struct kcs_head *head, void *to, const Elf64_Phdr *phdr)
{
	Elf64_Phdr *big = to;
	Elf32_Phdr *small = to;

	if (is_64(head)) {
		*big = *phdr;
		return;
	}
	small->p_offset = phdr->p_offset;
	small->p_vaddr = phdr->p_vaddr;
	small->p_filesz = phdr->p_filesz;
	small->p_memsz = phdr->p_memsz;
}

uint64_t kcs_head_phoff(const struct kcs_head *head)
{
	return get_ehdr(head).e_phoff;
}

uint64_t kcs_head_shoff(const struct kcs_head *head)
{
	return get_ehdr(head).e_shoff;
}

/* Makes @head hold the first @len bytes. */
static int grow_head(struct kcs_head *head, int in, uint64_t len)
{
	char *bytes;
	int ret;

	if (len <= head->size)
		return 0;
	if (len > HEAD_MAX)
		return -ENOEXEC;
	bytes = realloc(head->bytes, len);
	if (!bytes)
		return -ENOMEM;
	head->bytes = bytes;
	ret = kcs_read_at(in, bytes + head->size, len - head->size,
			  head->size);
	if (!ret)
		head->size = len;
	return ret;
}

/*
 * Where there are too many segments for e_phnum, their number stands in a section
 * header at the end, which can't be read yet. But the first header is that of the
 * notes, and these follow the last header.
 */
static int count_phdrs(struct kcs_head *head, int in)
{
	uint64_t begin = get_ehdr(head).e_phoff, notes;
	int ret;

	if (begin > HEAD_MAX)
		return -ENOEXEC;
	head->phdrs = get_ehdr(head).e_phnum;
	if (head->phdrs == PN_XNUM) {
		ret = grow_head(head, in, begin + kcs_head_phdr_size(head));
		if (ret)
			return ret;
		notes = kcs_head_phdr(head, 0).p_offset;
		if (notes < begin)
			return -ENOEXEC;
		head->phdrs = (notes - begin) / kcs_head_phdr_size(head);
	}
	return grow_head(head, in, begin + head->phdrs * kcs_head_phdr_size(head));
}

/* Headers, notes and what pads them: all that stands before memory. */
int kcs_head_read(struct kcs_head *head, int in, uint64_t size)
{
	uint64_t end = size;
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	ret = grow_head(head, in, sizeof(Elf32_Ehdr));
	if (ret)
		return ret;
	if (memcmp(head->bytes, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	ret = grow_head(head, in, ehdr_size(head));
	if (!ret)
		ret = count_phdrs(head, in);
	if (ret)
		return ret;
	for (i = 0; i < head->phdrs; i++) {
		phdr = kcs_head_phdr(head, i);
		if (phdr.p_type == PT_LOAD && phdr.p_offset < end)
			end = phdr.p_offset;
	}
	return grow_head(head, in, end);
}

static size_t align_note(size_t size)
{
	return (size + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

static int compare_threads(const void *a, const void *b)
{
	const struct kcs_thread *one = a, *two = b;

	if (one->sp != two->sp)
		return one->sp < two->sp ? -1 : 1;
	return 0;
}

static int add_thread(struct kcs_threads *threads, const struct kcs_thread *thread)
{
	struct kcs_thread *list = threads->list;
	size_t count = threads->count;

	/* Twice as much whenever it is a power of two. */
	if (!(count & (count - 1))) {
		list = reallocarray(list, count ? 2 * count : 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		threads->list = list;
	}
	list[threads->count++] = *thread;
	return 0;
}

static struct kcs_thread thread_of(const struct kcs_head *head, const char *status)
{
	uint32_t sp;
	struct kcs_thread thread = { 0 };

	if (is_64(head)) {
		memcpy(&thread.sp, status + SP_OFFSET_64, sizeof(thread.sp));
		memcpy(&thread.tp, status + TP_OFFSET_64, sizeof(thread.tp));
	} else {
		memcpy(&sp, status + SP_OFFSET_32, sizeof(sp));
		thread.sp = sp;
	}
	return thread;
}

static int read_notes(const struct kcs_head *head, struct kcs_threads *threads, uint64_t offset,
		      uint64_t end)
{
	size_t least = is_64(head) ? TP_OFFSET_64 + sizeof(uint64_t) :
				     SP_OFFSET_32 + sizeof(uint32_t);
	struct kcs_thread thread;
	Elf32_Nhdr note;
	int ret;

	while (offset < end && end - offset >= sizeof(note)) {
		memcpy(&note, head->bytes + offset, sizeof(note));
		offset += sizeof(note) + align_note(note.n_namesz);
		if (offset > end || note.n_descsz > end - offset)
			return 0;
		if (note.n_type == NT_PRSTATUS && note.n_descsz >= least) {
			thread = thread_of(head, head->bytes + offset);
			ret = add_thread(threads, &thread);
			if (ret)
				return ret;
		}
		offset += align_note(note.n_descsz);
	}
	return 0;
}

int kcs_head_threads(const struct kcs_head *head, struct kcs_threads *threads)
{
	Elf64_Phdr phdr;
	size_t i;
	int ret;

	for (i = 0; i < head->phdrs; i++) {
		phdr = kcs_head_phdr(head, i);
		if (phdr.p_type != PT_NOTE)
			continue;
		if (phdr.p_offset > head->size ||
		    phdr.p_filesz > head->size - phdr.p_offset)
			return -ENOEXEC;
		ret = read_notes(head, threads, phdr.p_offset,
				 phdr.p_offset + phdr.p_filesz);
		if (ret)
			return ret;
	}
	if (threads->count)
		qsort(threads->list, threads->count, sizeof(*threads->list),
		      compare_threads);
	return 0;
}

void kcs_head_free(struct kcs_head *head)
{
	free(head->bytes);
	*head = (struct kcs_head){ 0 };
}
