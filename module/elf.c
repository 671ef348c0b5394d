// SPDX-License-Identifier: GPL-2.0
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "elf.h"

#define NOTE_ALIGN 4U	/* bytes, as p_align says; a note's header has no class */

static u64 round_up_to(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

static size_t ehdr_size(u8 class)
{
	return class == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

static size_t phdr_size(u8 class)
{
	return class == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

static size_t shdr_size(u8 class)
{
	return class == ELFCLASS32 ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
}

/* A file offset has a sign. */
static u64 last_offset(u8 class)
{
	return class == ELFCLASS32 ? (u32)~0U : ~0ULL >> 1;
}

/* One that leaves room for the section header. */
static bool fits(u8 class, u64 offset)
{
	return offset <= last_offset(class) - shdr_size(class);
}

static bool can_say(u8 class, const struct kcs_elf_segment *seg)
{
	return class != ELFCLASS32 ||
	       (seg->vaddr <= (u32)~0U && seg->memsz <= (u32)~0U && seg->filesz <= (u32)~0U);
}

/* PT_NOTE comes on top of the segments. */
static bool needs_extended_numbering(size_t nsegs)
{
	return nsegs + 1 >= PN_XNUM;
}

bool kcs_elf_layout(struct kcs_elf_layout *layout, u8 class,
		    struct kcs_elf_segment *segs, size_t nsegs, u64 notes_size)
{
	u64 offset = ehdr_size(class) + (nsegs + 1) * phdr_size(class);
	size_t i;

	memset(layout, 0, sizeof(*layout));
	layout->class = class;
	layout->nsegs = nsegs;
	layout->notes_offset = offset;
	layout->notes_size = notes_size;
	if (__builtin_add_overflow(offset, notes_size, &offset) || !fits(class, offset))
		return false;
	offset = round_up_to(offset, KCS_ELF_PAGE);
	layout->data_offset = offset;

	for (i = 0; i < nsegs; i++) {
		segs[i].offset = offset;
		if (!can_say(class, &segs[i]) ||
		    __builtin_add_overflow(offset, segs[i].filesz, &offset))
			return false;
	}
	if (!fits(class, offset))
		return false;
	if (needs_extended_numbering(nsegs)) {
		layout->shdr_offset = offset;
		offset += shdr_size(class);
	}
	layout->size = offset;
	return true;
}

static void put_ehdr(void *buf, const Elf64_Ehdr *from)
{
	Elf32_Ehdr *to = buf;

	if (from->e_ident[EI_CLASS] == ELFCLASS64) {
		memcpy(buf, from, sizeof(*from));
		return;
	}
	*to = (Elf32_Ehdr) {
		.e_type = from->e_type,
		.e_machine = from->e_machine,
		.e_version = from->e_version,
		.e_phoff = from->e_phoff,
		.e_shoff = from->e_shoff,
		.e_ehsize = from->e_ehsize,
		.e_phentsize = from->e_phentsize,
		.e_phnum = from->e_phnum,
		.e_shentsize = from->e_shentsize,
		.e_shnum = from->e_shnum,
		.e_shstrndx = from->e_shstrndx,
	};
	memcpy(to->e_ident, from->e_ident, EI_NIDENT);
}

static void *put_phdr(void *buf, u8 class, const Elf64_Phdr *from)
{
	if (class == ELFCLASS64)
		memcpy(buf, from, sizeof(*from));
	else
		*(Elf32_Phdr *)buf = (Elf32_Phdr) {
			.p_type = from->p_type,
			.p_flags = from->p_flags,
			.p_offset = from->p_offset,
			.p_vaddr = from->p_vaddr,
			.p_filesz = from->p_filesz,
			.p_memsz = from->p_memsz,
			.p_align = from->p_align,
		};
	return buf + phdr_size(class);
}

static void write_ehdr(const struct kcs_elf_layout *layout, void *buf, u32 machine)
{
	bool extended = needs_extended_numbering(layout->nsegs);
	Elf64_Ehdr ehdr = {
		.e_type = ET_CORE,
		.e_machine = machine,
		.e_version = EV_CURRENT,
		.e_phoff = ehdr_size(layout->class),
		.e_ehsize = ehdr_size(layout->class),
		.e_phentsize = phdr_size(layout->class),
		.e_phnum = extended ? PN_XNUM : layout->nsegs + 1,
	};

	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = layout->class;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	ehdr.e_ident[EI_OSABI] = ELFOSABI_NONE;
	if (extended) {
		ehdr.e_shoff = layout->shdr_offset;
		ehdr.e_shentsize = shdr_size(layout->class);
		ehdr.e_shnum = 1;
		ehdr.e_shstrndx = SHN_UNDEF;
	}
	put_ehdr(buf, &ehdr);
}

void kcs_elf_write_headers(const struct kcs_elf_layout *layout,
			   const struct kcs_elf_segment *segs, void *buf,
			   u32 machine)
{
	Elf64_Phdr phdr = {
		.p_type = PT_NOTE,
		.p_offset = layout->notes_offset,
		.p_filesz = layout->notes_size,
		.p_align = NOTE_ALIGN,
	};
	size_t i;

	write_ehdr(layout, buf, machine);
	buf = put_phdr(buf + ehdr_size(layout->class), layout->class, &phdr);
	for (i = 0; i < layout->nsegs; i++) {
		phdr = (Elf64_Phdr) {
			.p_type = PT_LOAD,
			.p_flags = segs[i].flags,
			.p_offset = segs[i].offset,
			.p_vaddr = segs[i].vaddr,
			.p_filesz = segs[i].filesz,
			.p_memsz = segs[i].memsz,
			.p_align = KCS_ELF_PAGE,
		};
		buf = put_phdr(buf, layout->class, &phdr);
	}
}

/* It says how many section headers and how many program headers there are. */
void kcs_elf_write_shdr(const struct kcs_elf_layout *layout, void *buf)
{
	if (layout->class == ELFCLASS32)
		*(Elf32_Shdr *)buf = (Elf32_Shdr) {
			.sh_type = SHT_NULL,
			.sh_size = 1,
			.sh_link = SHN_UNDEF,
			.sh_info = layout->nsegs + 1,
		};
	else
		*(Elf64_Shdr *)buf = (Elf64_Shdr) {
			.sh_type = SHT_NULL,
			.sh_size = 1,
			.sh_link = SHN_UNDEF,
			.sh_info = layout->nsegs + 1,
		};
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

static void write_note(void *buf, const char *name, u32 type, u32 size)
{
	Elf64_Nhdr *nhdr = buf;
	size_t namesz = strlen(name) + 1;

	nhdr->n_namesz = namesz;
	nhdr->n_descsz = size;
	nhdr->n_type = type;
	memcpy(nhdr + 1, name, namesz);
}

void *kcs_elf_add_note(struct kcs_elf_notes *notes, const char *name, u32 type,
		       u32 size, const void *data)
{
	size_t name_room = round_up_to(strlen(name) + 1, NOTE_ALIGN);
	u8 *desc = NULL;

	if (notes->buf) {
		void *at = notes->buf + notes->size - notes->gap_size;

		write_note(at, name, type, size);
		desc = at + sizeof(Elf64_Nhdr) + name_room;
		if (data)
			memcpy(desc, data, size);
	}
	notes->size += sizeof(Elf64_Nhdr) + name_room + round_up_to(size, NOTE_ALIGN);
	return desc;
}

void kcs_elf_leave_out(struct kcs_elf_notes *notes, const void *end, u64 size)
{
	notes->gap_size = size;
	if (notes->buf)
		notes->gap_offset = end - notes->buf;
}
