// SPDX-License-Identifier: GPL-2.0
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "elf.h"

#define NOTE_ALIGN 4U	/* bytes, as p_align says */

static u64 round_up_to(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

/* One that leaves room for the section header. */
static bool fits(u64 offset)
{
	return offset <= (~0ULL >> 1) - sizeof(Elf64_Shdr);
}

/* PT_NOTE comes on top of the segments. */
static bool needs_extended_numbering(size_t nsegs)
{
	return nsegs + 1 >= PN_XNUM;
}

bool kcs_elf_layout(struct kcs_elf_layout *layout, struct kcs_elf_segment *segs,
		    size_t nsegs, u64 notes_size)
{
	u64 offset = sizeof(Elf64_Ehdr) + (nsegs + 1) * sizeof(Elf64_Phdr);
	size_t i;

	memset(layout, 0, sizeof(*layout));
	layout->nsegs = nsegs;
	layout->notes_offset = offset;
	layout->notes_size = notes_size;
	if (__builtin_add_overflow(offset, notes_size, &offset) || !fits(offset))
		return false;
	offset = round_up_to(offset, KCS_ELF_PAGE);
	layout->data_offset = offset;

	for (i = 0; i < nsegs; i++) {
		segs[i].offset = offset;
		if (__builtin_add_overflow(offset, segs[i].filesz, &offset))
			return false;
	}
	if (!fits(offset))
		return false;
	if (needs_extended_numbering(nsegs)) {
		layout->shdr_offset = offset;
		offset += sizeof(Elf64_Shdr);
	}
	layout->size = offset;
	return true;
}

void kcs_elf_write_headers(const struct kcs_elf_layout *layout,
			   const struct kcs_elf_segment *segs, void *buf,
			   u32 machine)
{
	bool extended = needs_extended_numbering(layout->nsegs);
	Elf64_Ehdr *ehdr = buf;
	Elf64_Phdr *phdr = buf + sizeof(*ehdr);
	size_t i;

	memset(ehdr, 0, sizeof(*ehdr));
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = ELFCLASS64;
	ehdr->e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr->e_ident[EI_VERSION] = EV_CURRENT;
	ehdr->e_ident[EI_OSABI] = ELFOSABI_NONE;
	ehdr->e_type = ET_CORE;
	ehdr->e_machine = machine;
	ehdr->e_version = EV_CURRENT;
	ehdr->e_phoff = sizeof(*ehdr);
	ehdr->e_ehsize = sizeof(*ehdr);
	ehdr->e_phentsize = sizeof(*phdr);
	ehdr->e_phnum = extended ? PN_XNUM : layout->nsegs + 1;
	if (extended) {
		ehdr->e_shoff = layout->shdr_offset;
		ehdr->e_shentsize = sizeof(Elf64_Shdr);
		ehdr->e_shnum = 1;
		ehdr->e_shstrndx = SHN_UNDEF;
	}

	*phdr++ = (Elf64_Phdr) {
		.p_type = PT_NOTE,
		.p_offset = layout->notes_offset,
		.p_filesz = layout->notes_size,
		.p_align = NOTE_ALIGN,
	};
	for (i = 0; i < layout->nsegs; i++)
		*phdr++ = (Elf64_Phdr) {
			.p_type = PT_LOAD,
			.p_flags = segs[i].flags,
			.p_offset = segs[i].offset,
			.p_vaddr = segs[i].vaddr,
			.p_filesz = segs[i].filesz,
			.p_memsz = segs[i].memsz,
			.p_align = KCS_ELF_PAGE,
		};
}

void kcs_elf_write_shdr(const struct kcs_elf_layout *layout, void *buf)
{
	Elf64_Shdr *shdr = buf;

	memset(shdr, 0, sizeof(*shdr));
	shdr->sh_type = SHT_NULL;
	shdr->sh_size = 1;
	shdr->sh_link = SHN_UNDEF;
	shdr->sh_info = layout->nsegs + 1;
}

size_t kcs_elf_find(const struct kcs_elf_segment *segs, size_t nsegs, u64 offset)
{
	size_t low = 0, high = nsegs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (segs[mid].offset + segs[mid].filesz > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void write_note(void *buf, const char *name, size_t name_room, u32 type,
		       u32 size)
{
	Elf64_Nhdr *nhdr = buf;
	size_t namesz = strlen(name) + 1;

	nhdr->n_namesz = namesz;
	nhdr->n_descsz = size;
	nhdr->n_type = type;
	memset(nhdr + 1, 0, name_room);
	memcpy(nhdr + 1, name, namesz);
}

void *kcs_elf_add_note(struct kcs_elf_notes *notes, const char *name, u32 type,
		       u32 size, const void *data)
{
	size_t name_room = round_up_to(strlen(name) + 1, NOTE_ALIGN);
	size_t room = round_up_to(size, NOTE_ALIGN);
	u8 *desc = NULL;

	if (notes->buf) {
		write_note(notes->buf + notes->size, name, name_room, type, size);
		desc = notes->buf + notes->size + sizeof(Elf64_Nhdr) + name_room;
		if (data)
			memcpy(desc, data, size);
		else
			memset(desc, 0, size);
		memset(desc + size, 0, room - size);
	}
	notes->size += sizeof(Elf64_Nhdr) + name_room + room;
	return desc;
}
