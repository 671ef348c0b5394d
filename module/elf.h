/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of an ELF core file, as fs/binfmt_elf.c:elf_core_dump() writes it
 * (System V gABI, chapters 4 and 5): ELF header, program headers (PT_NOTE, then
 * a PT_LOAD a segment), notes, padding to a page, the segments' bytes, and
 * where there are too many segments for e_phnum a section header that counts
 * them. For 32-bit programs likewise, with the headers of ELFCLASS32. Pure
 * arithmetic; compiles in user space too.
 */
#ifndef _KCS_ELF_H
#define _KCS_ELF_H

#ifdef __KERNEL__
#include <linux/elf.h>
#include <linux/types.h>
#else
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
#endif

#define KCS_ELF_PAGE 4096UL	/* ELF_EXEC_PAGESIZE on x86 */

/** kcs_elf_word() - size of an address in a core of class ELFCLASS32 or ELFCLASS64 */
static inline size_t kcs_elf_word(u8 class)
{
	return class == ELFCLASS32 ? sizeof(u32) : sizeof(u64);
}

/**
 * struct kcs_elf_segment - what a PT_LOAD says
 * @vaddr: first address
 * @filesz: bytes in the file; a multiple of KCS_ELF_PAGE
 * @memsz: bytes in memory
 * @flags: PF_R, PF_W, PF_X
 * @offset: set by kcs_elf_layout(): where the bytes are in the file
 */
struct kcs_elf_segment {
	u64 vaddr;
	u64 filesz;
	u64 memsz;
	u64 offset;
	u32 flags;
};

/**
 * struct kcs_elf_layout - where what is
 * @class: ELFCLASS32 or ELFCLASS64
 * @nsegs: PT_LOAD segments
 * @notes_offset: file offset of the notes
 * @notes_size: their size
 * @data_offset: file offset of the first segment
 * @shdr_offset: file offset of the section header that counts the segments, 0
 *	if there is none
 * @size: size of the file
 */
struct kcs_elf_layout {
	u8 class;
	size_t nsegs;
	u64 notes_offset;
	u64 notes_size;
	u64 data_offset;
	u64 shdr_offset;
	u64 size;
};

/**
 * kcs_elf_layout() - fix every offset
 * @layout: filled in
 * @class: ELFCLASS32 or ELFCLASS64
 * @segs: their @offset is filled in
 * @nsegs: how many
 * @notes_size: size of all notes
 *
 * Return: false if a size overflows, or an address or an offset is more than the
 * class can say: a core of ELFCLASS32 ends below 4 GiB.
 */
bool kcs_elf_layout(struct kcs_elf_layout *layout, u8 class,
		    struct kcs_elf_segment *segs, size_t nsegs, u64 notes_size);

/**
 * kcs_elf_write_headers() - write ELF header and program headers
 * @layout: from kcs_elf_layout()
 * @segs: likewise
 * @buf: @layout->notes_offset bytes
 * @machine: e_machine
 */
void kcs_elf_write_headers(const struct kcs_elf_layout *layout,
			   const struct kcs_elf_segment *segs, void *buf,
			   u32 machine);

/**
 * kcs_elf_write_shdr() - write the section header that counts the segments
 * @layout: from kcs_elf_layout(), with @shdr_offset set
 * @buf: room for an Elf64_Shdr, which is the larger
 */
void kcs_elf_write_shdr(const struct kcs_elf_layout *layout, void *buf);

/**
 * kcs_elf_find() - the segment that holds a file offset
 * @segs: from kcs_elf_layout()
 * @nsegs: how many
 * @offset: at or behind the first segment's
 *
 * Return: the index of the first segment that has bytes at or behind @offset;
 * @nsegs if none has.
 */
size_t kcs_elf_find(const struct kcs_elf_segment *segs, size_t nsegs, u64 offset);

/**
 * struct kcs_elf_notes - notes, one behind the other
 * @buf: zeros, where they are written, or NULL to find out how much room they take
 * @size: bytes of them so far
 * @gap_offset: where in @buf something is left out
 * @gap_size: bytes of @size that are left out of @buf
 */
struct kcs_elf_notes {
	void *buf;
	u64 size;
	u64 gap_offset;
	u64 gap_size;
};

/**
 * kcs_elf_add_note() - write a note, or count it
 * @notes: with room for it in @notes->buf
 * @name: owner
 * @type: NT_*
 * @size: bytes of its descriptor
 * @data: the descriptor, or NULL for zeros
 *
 * Return: the descriptor in @notes->buf, NULL where it is only counted.
 */
void *kcs_elf_add_note(struct kcs_elf_notes *notes, const char *name, u32 type,
		       u32 size, const void *data);

/**
 * kcs_elf_leave_out() - leave the end of a descriptor out of the buffer
 * @notes: its last note is the one; of no note before it anything was left out
 * @end: what is left out, in @notes->buf; NULL where it is only counted
 * @size: bytes
 */
void kcs_elf_leave_out(struct kcs_elf_notes *notes, const void *end, u64 size);

#endif
