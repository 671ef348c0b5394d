// SPDX-License-Identifier: GPL-2.0
#include <elf.h>

#include "fuzz.h"

#include "../../module/elf.h"

static uint64_t largest_file(uint8_t class)
{
	return class == ELFCLASS64 ? INT64_MAX : UINT32_MAX;
}

#define SIZE(class, type) ((class) == ELFCLASS64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

/*
 * Input: the size of the notes, then records of a segment that is repeated:
 * flags, how often, and what makes its size. @segs may be NULL, to count them.
 */
static size_t take_segments(const struct fuzz_input *from, struct kcs_elf_segment *segs)
{
	struct fuzz_input copy = *from, *in = &copy;
	uint8_t many = fuzz_u8(in);
	/* Seldom about as many as a header can count: that takes a while. */
	size_t unit = many % 16 == 15 ? 1024 : 1, max = PN_XNUM - 4 + many / 16 % 4;
	size_t nsegs = 0;

	while (in->left && nsegs < max) {
		uint8_t kind = fuzz_u8(in);
		size_t count = kind & 0x80 ? fuzz_u8(in) * unit : 1;
		uint64_t vaddr = fuzz_u64(in), memsz = fuzz_u64(in), filesz;

		switch (kind >> 4 & 7) {
		case 0:
			filesz = 0;
			break;
		case 1:
			filesz = fuzz_u64(in);
			break;
		default:
			filesz = fuzz_u16(in) * KCS_ELF_PAGE;
			break;
		}
		for (; count && nsegs < max; count--, nsegs++)
			if (segs)
				segs[nsegs] = (struct kcs_elf_segment) {
					.vaddr = vaddr,
					.memsz = memsz,
					.filesz = filesz & ~(KCS_ELF_PAGE - 1),
					.flags = kind & (PF_R | PF_W | PF_X),
				};
	}
	return nsegs;
}

/* By arithmetic that does not overflow. Return: does such a core fit in a file? */
static bool check_offsets(const struct kcs_elf_layout *layout, uint8_t class,
			  const struct kcs_elf_segment *segs, size_t nsegs,
			  uint64_t notes_size, bool made)
{
	unsigned __int128 offset = SIZE(class, Ehdr) + (nsegs + 1) * SIZE(class, Phdr);
	bool extended = nsegs + 1 >= PN_XNUM;
	size_t i;

	CHECK(!made || layout->class == class);
	CHECK(!made || layout->notes_offset == offset);
	CHECK(!made || layout->notes_size == notes_size);
	CHECK(!made || layout->nsegs == nsegs);
	offset = (offset + notes_size + KCS_ELF_PAGE - 1) / KCS_ELF_PAGE * KCS_ELF_PAGE;
	CHECK(!made || layout->data_offset == offset);
	for (i = 0; i < nsegs; i++) {
		CHECK(!made || segs[i].offset == offset);
		if (class == ELFCLASS32 && (segs[i].vaddr | segs[i].memsz) > UINT32_MAX)
			return false;
		offset += segs[i].filesz;
	}
	if (offset > largest_file(class) - SIZE(class, Shdr))
		return false;
	CHECK(!made || layout->shdr_offset == (extended ? offset : 0));
	CHECK(!made || layout->size == offset + (extended ? SIZE(class, Shdr) : 0));
	return true;
}

#define CHECK_HEADERS(class, layout, segs, buf) do { \
	Elf##class##_Ehdr ehdr; \
	Elf##class##_Phdr phdr; \
	Elf##class##_Shdr shdr; \
	size_t i, count; \
	\
	kcs_elf_write_shdr(layout, &shdr); \
	memcpy(&ehdr, buf, sizeof(ehdr)); \
	CHECK(!memcmp(ehdr.e_ident, ELFMAG, SELFMAG) && ehdr.e_phoff == sizeof(ehdr)); \
	CHECK(ehdr.e_ident[EI_CLASS] == ELFCLASS##class); \
	CHECK(ehdr.e_type == ET_CORE && ehdr.e_machine == EM_X86_64); \
	CHECK((ehdr.e_phnum == PN_XNUM) == ((layout)->shdr_offset != 0)); \
	CHECK(ehdr.e_shoff == (layout)->shdr_offset && \
	      ehdr.e_shnum == ((layout)->shdr_offset != 0)); \
	count = ehdr.e_phnum == PN_XNUM ? shdr.sh_info : ehdr.e_phnum; \
	CHECK(count == (layout)->nsegs + 1); \
	\
	memcpy(&phdr, (buf) + ehdr.e_phoff, sizeof(phdr)); \
	CHECK(phdr.p_type == PT_NOTE && phdr.p_offset == (layout)->notes_offset && \
	      phdr.p_filesz == (layout)->notes_size); \
	for (i = 0; i < (layout)->nsegs; i++) { \
		memcpy(&phdr, (buf) + ehdr.e_phoff + (i + 1) * sizeof(phdr), sizeof(phdr)); \
		CHECK(phdr.p_type == PT_LOAD && phdr.p_vaddr == (segs)[i].vaddr && \
		      phdr.p_filesz == (segs)[i].filesz && phdr.p_memsz == (segs)[i].memsz && \
		      phdr.p_flags == (segs)[i].flags && phdr.p_offset == (segs)[i].offset && \
		      !phdr.p_paddr && phdr.p_offset % phdr.p_align == 0); \
	} \
} while (0)

static void check_headers(const struct kcs_elf_layout *layout, const struct kcs_elf_segment *segs)
{
	char *buf = fuzz_alloc(layout->notes_offset);

	kcs_elf_write_headers(layout, segs, buf, EM_X86_64);
	if (layout->class == ELFCLASS64)
		CHECK_HEADERS(64, layout, segs, buf);
	else
		CHECK_HEADERS(32, layout, segs, buf);
	free(buf);
}

static void check_find(const struct kcs_elf_layout *layout, const struct kcs_elf_segment *segs,
		       uint64_t offset)
{
	size_t i;

	for (i = 0; i < layout->nsegs; i++)
		if (segs[i].offset + segs[i].filesz > offset)
			break;
	CHECK(kcs_elf_find(segs, layout->nsegs, offset) == i);
}

void fuzz_layout(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t shift = fuzz_u8(&in);
	uint8_t class = fuzz_u8(&in) % 2 ? ELFCLASS32 : ELFCLASS64;
	uint64_t notes_size = fuzz_u64(&in) >> (shift & 63);
	struct kcs_elf_segment *segs;
	struct kcs_elf_layout layout;
	size_t nsegs, i;
	bool made;

	/* Few sizes are at the end of what 64 bits hold, but those are of interest. */
	if (shift & 0x40)
		notes_size = ~notes_size;
	nsegs = take_segments(&in, NULL);
	segs = fuzz_alloc(nsegs * sizeof(*segs));
	take_segments(&in, segs);
	/* What programs of that width have, save now and then. */
	for (i = 0; i < nsegs && class == ELFCLASS32 && shift % 8; i++) {
		segs[i].vaddr &= UINT32_MAX;
		segs[i].memsz &= UINT32_MAX;
	}
	made = kcs_elf_layout(&layout, class, segs, nsegs, notes_size);
	CHECK(check_offsets(&layout, class, segs, nsegs, notes_size, made) == made);
	if (made) {
		check_headers(&layout, segs);
		check_find(&layout, segs, layout.data_offset);
		check_find(&layout, segs, layout.size);
		check_find(&layout, segs, UINT64_MAX);
		for (i = 0; i < (nsegs < 1000 ? 8 : 1) && nsegs; i++) {
			size_t which = (data[i % size] * 257 + i) % nsegs;
			const struct kcs_elf_segment *seg = &segs[which];

			check_find(&layout, segs, seg->offset);
			check_find(&layout, segs, seg->offset + seg->filesz / 2);
			check_find(&layout, segs, seg->offset + seg->filesz);
		}
	}
	free(segs);
}
