// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf.h"
#include "test.h"

#define NOTES_SIZE	1000U
#define LARGEST_FILE	(class == ELFCLASS64 ? INT64_MAX : UINT32_MAX)

/* Of the cores that are tested: main() runs the tests for both. */
static u8 class;

/* e_phnum counts PT_NOTE too, and PN_XNUM says that it does not fit. */
#define MOST_SEGMENTS	(PN_XNUM - 2)

static struct kcs_elf_segment *segments(size_t nsegs, uint64_t filesz)
{
	struct kcs_elf_segment *segs = calloc(nsegs + 1, sizeof(*segs));
	size_t i;

	assert_non_null(segs);
	for (i = 0; i < nsegs; i++) {
		segs[i].vaddr = 0x10000 + i * 4 * KCS_ELF_PAGE;
		segs[i].filesz = filesz;
		segs[i].memsz = 2 * KCS_ELF_PAGE;
		segs[i].flags = PF_R | PF_W;
	}
	return segs;
}

static uint64_t headers_size(size_t nsegs)
{
	return class == ELFCLASS64 ?
		sizeof(Elf64_Ehdr) + (nsegs + 1) * sizeof(Elf64_Phdr) :
		sizeof(Elf32_Ehdr) + (nsegs + 1) * sizeof(Elf32_Phdr);
}

static size_t shdr_size(void)
{
	return class == ELFCLASS64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

/* The headers of either class as those of the larger, by another way than elf.c's. */
#define WIDEN_EHDR(from) ((Elf64_Ehdr) { \
	.e_type = (from)->e_type, .e_machine = (from)->e_machine, \
	.e_version = (from)->e_version, .e_entry = (from)->e_entry, \
	.e_phoff = (from)->e_phoff, .e_shoff = (from)->e_shoff, \
	.e_flags = (from)->e_flags, .e_ehsize = (from)->e_ehsize, \
	.e_phentsize = (from)->e_phentsize, .e_phnum = (from)->e_phnum, \
	.e_shentsize = (from)->e_shentsize, .e_shnum = (from)->e_shnum, \
	.e_shstrndx = (from)->e_shstrndx, \
})

#define WIDEN_PHDR(from) ((Elf64_Phdr) { \
	.p_type = (from)->p_type, .p_flags = (from)->p_flags, \
	.p_offset = (from)->p_offset, .p_vaddr = (from)->p_vaddr, \
	.p_paddr = (from)->p_paddr, .p_filesz = (from)->p_filesz, \
	.p_memsz = (from)->p_memsz, .p_align = (from)->p_align, \
})

static Elf64_Ehdr ehdr_of(const void *buf)
{
	Elf64_Ehdr ehdr = class == ELFCLASS64 ? *(const Elf64_Ehdr *)buf :
						WIDEN_EHDR((const Elf32_Ehdr *)buf);

	memcpy(ehdr.e_ident, buf, EI_NIDENT);
	return ehdr;
}

static Elf64_Phdr phdr_of(const void *buf, size_t i)
{
	Elf64_Ehdr ehdr = ehdr_of(buf);
	const void *at = (const char *)buf + ehdr.e_phoff + i * ehdr.e_phentsize;

	return class == ELFCLASS64 ? *(const Elf64_Phdr *)at :
				     WIDEN_PHDR((const Elf32_Phdr *)at);
}

static void no_segments(void **state)
{
	struct kcs_elf_layout layout;

	assert_true(kcs_elf_layout(&layout, class, NULL, 0, NOTES_SIZE));
	assert_int_equal(layout.nsegs, 0);
	assert_int_equal(layout.notes_offset, headers_size(0));
	assert_int_equal(layout.notes_size, NOTES_SIZE);
	assert_int_equal(layout.data_offset, KCS_ELF_PAGE);
	assert_int_equal(layout.shdr_offset, 0);
	assert_int_equal(layout.size, KCS_ELF_PAGE);
}

static void one_segment(void **state)
{
	struct kcs_elf_segment *segs = segments(1, 3 * KCS_ELF_PAGE);
	struct kcs_elf_layout layout;

	assert_true(kcs_elf_layout(&layout, class, segs, 1, NOTES_SIZE));
	assert_int_equal(layout.notes_offset, headers_size(1));
	assert_int_equal(layout.data_offset, KCS_ELF_PAGE);
	assert_int_equal(segs[0].offset, KCS_ELF_PAGE);
	assert_int_equal(layout.size, 4 * KCS_ELF_PAGE);
	free(segs);
}

/* The notes may end at a page's end, or one byte behind it. */
static void data_starts_on_a_page(void **state)
{
	uint64_t fits = KCS_ELF_PAGE - headers_size(0);
	struct kcs_elf_layout layout;

	assert_true(kcs_elf_layout(&layout, class, NULL, 0, fits));
	assert_int_equal(layout.data_offset, KCS_ELF_PAGE);
	assert_true(kcs_elf_layout(&layout, class, NULL, 0, fits + 1));
	assert_int_equal(layout.data_offset, 2 * KCS_ELF_PAGE);
	assert_true(kcs_elf_layout(&layout, class, NULL, 0, 0));
	assert_int_equal(layout.data_offset, KCS_ELF_PAGE);
}

static void segments_follow_each_other(void **state)
{
	const uint64_t pages[] = { 0, 1, 0, 0, 5, 2, 0 };
	const size_t nsegs = sizeof(pages) / sizeof(pages[0]);
	struct kcs_elf_segment *segs = segments(nsegs, 0);
	struct kcs_elf_layout layout;
	uint64_t offset;
	size_t i;

	for (i = 0; i < nsegs; i++)
		segs[i].filesz = pages[i] * KCS_ELF_PAGE;
	assert_true(kcs_elf_layout(&layout, class, segs, nsegs, NOTES_SIZE));
	offset = layout.data_offset;
	for (i = 0; i < nsegs; i++) {
		assert_int_equal(segs[i].offset, offset);
		offset += segs[i].filesz;
	}
	assert_int_equal(layout.size, offset);
	free(segs);
}

#define CHECK_SHDR(shdr, layout) do { \
	assert_int_equal((shdr)->sh_type, SHT_NULL); \
	assert_int_equal((shdr)->sh_size, 1); \
	assert_int_equal((shdr)->sh_link, SHN_UNDEF); \
	assert_int_equal((shdr)->sh_info, (layout)->nsegs + 1); \
	assert_int_equal((shdr)->sh_offset, 0); \
} while (0)

static void check_shdr(const struct kcs_elf_layout *layout)
{
	void *shdr = malloc(shdr_size());

	assert_non_null(shdr);
	memset(shdr, 0xff, shdr_size());
	kcs_elf_write_shdr(layout, shdr);
	if (class == ELFCLASS64)
		CHECK_SHDR((Elf64_Shdr *)shdr, layout);
	else
		CHECK_SHDR((Elf32_Shdr *)shdr, layout);
	free(shdr);
}

/* Write headers and section header, as a reader of the file would see them. */
static void check_numbering(size_t nsegs, bool extended)
{
	struct kcs_elf_segment *segs = segments(nsegs, 0);
	struct kcs_elf_layout layout;
	Elf64_Phdr phdr;
	Elf64_Ehdr ehdr;
	void *buf;

	assert_true(kcs_elf_layout(&layout, class, segs, nsegs, NOTES_SIZE));
	/* To the byte: a sanitizer sees a header too many. */
	buf = malloc(layout.notes_offset);
	assert_non_null(buf);
	kcs_elf_write_headers(&layout, segs, buf, EM_X86_64);
	ehdr = ehdr_of(buf);
	phdr = phdr_of(buf, nsegs);
	assert_int_equal(phdr.p_type, PT_LOAD);
	assert_int_equal(phdr.p_vaddr, segs[nsegs - 1].vaddr);

	if (!extended) {
		assert_int_equal(ehdr.e_phnum, nsegs + 1);
		assert_int_equal(ehdr.e_shoff, 0);
		assert_int_equal(ehdr.e_shnum, 0);
		assert_int_equal(ehdr.e_shentsize, 0);
		assert_int_equal(layout.shdr_offset, 0);
		assert_int_equal(layout.size, layout.data_offset);
	} else {
		assert_int_equal(ehdr.e_phnum, PN_XNUM);
		assert_int_equal(ehdr.e_shoff, layout.shdr_offset);
		assert_int_equal(ehdr.e_shnum, 1);
		assert_int_equal(ehdr.e_shentsize, shdr_size());
		assert_int_equal(ehdr.e_shstrndx, SHN_UNDEF);
		assert_int_equal(layout.shdr_offset, layout.data_offset);
		assert_int_equal(layout.size, layout.data_offset + shdr_size());
		check_shdr(&layout);
	}
	free(buf);
	free(segs);
}

static void as_many_segments_as_fit_are_counted_in_the_header(void **state)
{
	check_numbering(1, false);
	check_numbering(MOST_SEGMENTS - 1, false);
	check_numbering(MOST_SEGMENTS, false);
}

static void more_segments_are_counted_in_a_section_header(void **state)
{
	check_numbering(MOST_SEGMENTS + 1, true);
	check_numbering(MOST_SEGMENTS + 2, true);
	check_numbering(2 * PN_XNUM, true);
}

static void a_file_too_large_is_refused(void **state)
{
	struct kcs_elf_segment *segs = segments(3, KCS_ELF_PAGE);
	struct kcs_elf_layout layout;

	/* Wraps around. */
	segs[0].filesz = UINT64_MAX - KCS_ELF_PAGE + 1;
	assert_false(kcs_elf_layout(&layout, class, segs, 3, NOTES_SIZE));
	segs[0].filesz = UINT64_MAX / 2 + 1;
	segs[1].filesz = UINT64_MAX / 2 + 1;
	assert_false(kcs_elf_layout(&layout, class, segs, 3, NOTES_SIZE));
	/* Does not, but loff_t has a sign, or the class no more bits. */
	segs[0].filesz = LARGEST_FILE / KCS_ELF_PAGE * KCS_ELF_PAGE;
	segs[1].filesz = KCS_ELF_PAGE;
	assert_false(kcs_elf_layout(&layout, class, segs, 1, NOTES_SIZE));
	segs[0].filesz -= 2 * KCS_ELF_PAGE;
	assert_false(kcs_elf_layout(&layout, class, segs, 3, NOTES_SIZE));
	assert_true(kcs_elf_layout(&layout, class, segs, 1, NOTES_SIZE));
	assert_true(layout.size <= LARGEST_FILE);
	free(segs);
}

/* Of a 32-bit program: what the kernel's own core would cut off. */
static void what_the_class_can_t_say_is_refused(void **state)
{
	struct kcs_elf_segment *segs = segments(2, KCS_ELF_PAGE);
	bool wide = class == ELFCLASS64;
	struct kcs_elf_layout layout;

	segs[1].vaddr = UINT32_MAX + 1ULL - KCS_ELF_PAGE;
	assert_true(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE));
	segs[1].vaddr += KCS_ELF_PAGE;
	assert_int_equal(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE), wide);
	segs[1].vaddr = KCS_ELF_PAGE;
	segs[1].memsz = UINT32_MAX + 1ULL;
	assert_int_equal(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE), wide);
	segs[1].memsz = UINT32_MAX + 1ULL - 4 * KCS_ELF_PAGE;
	segs[1].filesz = segs[1].memsz;
	assert_int_equal(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE), true);
	segs[1].filesz += KCS_ELF_PAGE;
	assert_int_equal(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE), true);
	segs[1].filesz += KCS_ELF_PAGE;
	assert_int_equal(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE), wide);
	free(segs);
}

static void every_offset_has_its_segment(void **state)
{
	const uint64_t pages[] = { 0, 2, 0, 0, 1, 3, 0 };
	const size_t nsegs = sizeof(pages) / sizeof(pages[0]);
	struct kcs_elf_segment *segs = segments(nsegs, 0);
	struct kcs_elf_layout layout;
	uint64_t start, end;
	size_t i;

	for (i = 0; i < nsegs; i++)
		segs[i].filesz = pages[i] * KCS_ELF_PAGE;
	assert_true(kcs_elf_layout(&layout, class, segs, nsegs, NOTES_SIZE));

	assert_int_equal(kcs_elf_find(segs, 0, 0), 0);
	assert_int_equal(kcs_elf_find(segs, nsegs, layout.data_offset), 1);
	for (i = 0; i < nsegs; i++) {
		if (!segs[i].filesz)
			continue;
		start = segs[i].offset;
		end = start + segs[i].filesz;
		assert_int_equal(kcs_elf_find(segs, nsegs, start), i);
		assert_int_equal(kcs_elf_find(segs, nsegs, start + 1), i);
		assert_int_equal(kcs_elf_find(segs, nsegs, end - 1), i);
		assert_int_not_equal(kcs_elf_find(segs, nsegs, end), i);
	}
	/* The last one has no bytes either. */
	assert_int_equal(kcs_elf_find(segs, nsegs, layout.size - 1), nsegs - 2);
	assert_int_equal(kcs_elf_find(segs, nsegs, layout.size), nsegs);
	assert_int_equal(kcs_elf_find(segs, nsegs, UINT64_MAX), nsegs);
	free(segs);
}

static void segments_without_bytes_hold_no_offset(void **state)
{
	struct kcs_elf_segment *segs = segments(4, 0);
	struct kcs_elf_layout layout;

	assert_true(kcs_elf_layout(&layout, class, segs, 4, NOTES_SIZE));
	assert_int_equal(kcs_elf_find(segs, 4, layout.data_offset), 4);
	assert_int_equal(kcs_elf_find(segs, 4, layout.data_offset + 1), 4);
	free(segs);
}

static uint64_t note_size(const char *name, uint32_t size)
{
	struct kcs_elf_notes notes = {};

	assert_null(kcs_elf_add_note(&notes, name, NT_PRSTATUS, size, NULL));
	return notes.size;
}

static void note_sizes_are_padded(void **state)
{
	const uint64_t header = sizeof(Elf64_Nhdr);

	assert_int_equal(note_size("", 0), header + 4);
	assert_int_equal(note_size("GNU", 0), header + 4);
	assert_int_equal(note_size("CORE", 0), header + 8);
	assert_int_equal(note_size("LINUX", 1), header + 8 + 4);
	assert_int_equal(note_size("CORE", 4), header + 8 + 4);
	assert_int_equal(note_size("CORE", 5), header + 8 + 8);
	/* No descriptor may be so long, but its size must not wrap. */
	assert_true(note_size("CORE", UINT32_MAX) > UINT32_MAX);
}

static void the_end_of_a_note_can_be_left_out(void **state)
{
	static const char long_one[13] = "0123456789ab", short_one[4] = "xyz";
	struct kcs_elf_notes whole = {}, rest = {};
	char *all = calloc(1, 256), *less = calloc(1, 256);
	char *desc;

	assert_true(all && less);
	whole.buf = all;
	rest.buf = less;
	kcs_elf_add_note(&whole, "A", 1, sizeof(long_one), long_one);
	kcs_elf_add_note(&whole, "B", 2, sizeof(short_one), short_one);

	desc = kcs_elf_add_note(&rest, "A", 1, sizeof(long_one), NULL);
	memcpy(desc, long_one, 5);
	kcs_elf_leave_out(&rest, desc + 5, 8);
	kcs_elf_add_note(&rest, "B", 2, sizeof(short_one), short_one);

	assert_int_equal(rest.size, whole.size);
	assert_int_equal(rest.gap_size, 8);
	assert_memory_equal(less, all, rest.gap_offset);
	assert_memory_equal(long_one + 5, all + rest.gap_offset, 8);
	assert_memory_equal(less + rest.gap_offset, all + rest.gap_offset + 8,
			    rest.size - 8 - rest.gap_offset);
	free(all);
	free(less);
}

static void check_note(const char *name, uint32_t datasz, const char *data)
{
	const size_t namesz = strlen(name) + 1;
	size_t size = note_size(name, datasz);
	unsigned char *buf = calloc(1, size), *desc, *end = buf + size;
	struct kcs_elf_notes notes = { .buf = buf };
	const Elf64_Nhdr *nhdr = (const void *)buf;
	size_t i;

	assert_non_null(buf);
	desc = kcs_elf_add_note(&notes, name, NT_PRSTATUS, datasz, data);
	assert_int_equal(notes.size, size);
	assert_int_equal(nhdr->n_namesz, namesz);
	assert_int_equal(nhdr->n_descsz, datasz);
	assert_int_equal(nhdr->n_type, NT_PRSTATUS);
	assert_memory_equal(nhdr + 1, name, namesz);
	assert_true((desc - buf) % 4 == 0);
	for (i = sizeof(*nhdr) + namesz; buf + i < desc; i++)
		assert_int_equal(buf[i], 0);

	assert_true(end - desc >= datasz && end - desc < (ptrdiff_t)datasz + 4);
	for (i = 0; desc + i < end; i++)
		assert_int_equal(desc[i], data && i < datasz ? data[i] : 0);
	free(buf);
}

static void notes_hold_what_they_were_given(void **state)
{
	const char *const names[] = { "", "A", "GNU", "CORE", "LINUX", "GNUTLS1", "GNUTLS12" };
	uint32_t datasz;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (datasz = 0; datasz < 10; datasz++)
			check_note(names[i], datasz, datasz % 2 ? "descriptor" : NULL);
}

static void headers_say_what_was_laid_out(void **state)
{
	struct kcs_elf_segment *segs = segments(2, KCS_ELF_PAGE);
	struct kcs_elf_layout layout;
	Elf64_Phdr phdr[3];
	Elf64_Ehdr ehdr;
	size_t i;
	void *buf;

	segs[1].flags = PF_R | PF_X;
	assert_true(kcs_elf_layout(&layout, class, segs, 2, NOTES_SIZE));
	buf = malloc(layout.notes_offset);
	assert_non_null(buf);
	memset(buf, 0xff, layout.notes_offset);
	kcs_elf_write_headers(&layout, segs, buf, EM_X86_64);

	ehdr = ehdr_of(buf);
	assert_memory_equal(ehdr.e_ident, ELFMAG, SELFMAG);
	assert_int_equal(ehdr.e_ident[EI_CLASS], class);
	assert_int_equal(ehdr.e_ident[EI_DATA], ELFDATA2LSB);
	assert_int_equal(ehdr.e_ident[EI_NIDENT - 1], 0);
	assert_int_equal(ehdr.e_type, ET_CORE);
	assert_int_equal(ehdr.e_machine, EM_X86_64);
	assert_int_equal(ehdr.e_version, EV_CURRENT);
	assert_int_equal(ehdr.e_entry, 0);
	assert_int_equal(ehdr.e_flags, 0);
	assert_int_equal(ehdr.e_ehsize,
			 class == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr));
	assert_int_equal(ehdr.e_phentsize,
			 class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

	for (i = 0; i < 3; i++)
		phdr[i] = phdr_of(buf, i);
	assert_int_equal(phdr[0].p_type, PT_NOTE);
	assert_int_equal(phdr[0].p_offset, layout.notes_offset);
	assert_int_equal(phdr[0].p_filesz, NOTES_SIZE);
	assert_int_equal(phdr[0].p_memsz, 0);
	assert_int_equal(phdr[0].p_align, 4);
	assert_int_equal(phdr[2].p_type, PT_LOAD);
	assert_int_equal(phdr[2].p_flags, PF_R | PF_X);
	assert_int_equal(phdr[2].p_offset, segs[1].offset);
	assert_int_equal(phdr[2].p_vaddr, segs[1].vaddr);
	assert_int_equal(phdr[2].p_paddr, 0);
	assert_int_equal(phdr[2].p_filesz, KCS_ELF_PAGE);
	assert_int_equal(phdr[2].p_memsz, 2 * KCS_ELF_PAGE);
	assert_int_equal(phdr[2].p_align, KCS_ELF_PAGE);
	free(buf);
	free(segs);
}

/* A file with one note, and in each segment's bytes its number. */
static void write_core(const char *path, size_t nsegs)
{
	static const char descriptor[] = "descriptor";
	uint64_t notes_size = note_size("CORE", sizeof(descriptor));
	struct kcs_elf_segment *segs = segments(nsegs, 0);
	struct kcs_elf_notes notes = {};
	struct kcs_elf_layout layout;
	size_t i;
	char *buf;
	int fd;

	/* Bytes in the first, the last and one between. */
	segs[0].filesz = KCS_ELF_PAGE;
	segs[nsegs / 2].filesz = 2 * KCS_ELF_PAGE;
	segs[nsegs - 1].filesz = KCS_ELF_PAGE;
	assert_true(kcs_elf_layout(&layout, class, segs, nsegs, notes_size));
	buf = calloc(1, layout.size);
	assert_non_null(buf);
	kcs_elf_write_headers(&layout, segs, buf, EM_X86_64);
	notes.buf = buf + layout.notes_offset;
	kcs_elf_add_note(&notes, "CORE", NT_AUXV, sizeof(descriptor), descriptor);
	for (i = 0; i < nsegs; i++)
		memset(buf + segs[i].offset, (int)i, segs[i].filesz);
	if (layout.shdr_offset)
		kcs_elf_write_shdr(&layout, buf + layout.shdr_offset);

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, layout.size), layout.size);
	close(fd);
	free(buf);
	free(segs);
}

static bool have(const char *program)
{
	char command[100];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return system(command) == 0;
}

/* Return: how many lines of a program's output hold a text, or -1 on a complaint. */
static int count_lines(const char *command, const char *path, const char *text)
{
	char line[1000];
	int count = 0;
	FILE *out;

	snprintf(line, sizeof(line), "LC_ALL=C %s %s 2>&1", command, path);
	out = popen(line, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		if (strcasestr(line, "warning") || strcasestr(line, "error")) {
			print_message("%s: %s", command, line);
			count = -1;
		}
		if (count >= 0 && strstr(line, text))
			count++;
	}
	assert_int_equal(pclose(out), 0);
	return count;
}

static void check_readers(size_t nsegs)
{
	char path[] = "/tmp/elf_test.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_core(path, nsegs);
	if (have("readelf")) {
		assert_int_equal(count_lines("readelf -lW", path, " LOAD "), nsegs);
		assert_int_equal(count_lines("readelf -nW", path, "NT_AUXV"), 1);
	}
	if (have("eu-readelf")) {
		assert_int_equal(count_lines("eu-readelf -l", path, " LOAD "), nsegs);
		/* Where there are section headers it looks for notes nowhere else. */
		if (nsegs <= MOST_SEGMENTS)
			assert_int_equal(count_lines("eu-readelf -n", path, "CORE"), 1);
	}
	unlink(path);
}

static void readers_understand_it(void **state)
{
	if (!have("readelf") && !have("eu-readelf"))
		skip();
	check_readers(1);
	check_readers(100);
}

static void readers_understand_extended_numbering(void **state)
{
	if (!have("readelf") && !have("eu-readelf"))
		skip();
	check_readers(MOST_SEGMENTS);
	check_readers(MOST_SEGMENTS + 1);
}

static int of_64_bits(void **state)
{
	class = ELFCLASS64;
	return 0;
}

static int of_32_bits(void **state)
{
	class = ELFCLASS32;
	return 0;
}

#define OF_BOTH(test) { #test, test, of_64_bits, NULL, NULL }, \
		      { #test "_of_32_bits", test, of_32_bits, NULL, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		OF_BOTH(no_segments),
		OF_BOTH(one_segment),
		OF_BOTH(data_starts_on_a_page),
		OF_BOTH(segments_follow_each_other),
		OF_BOTH(as_many_segments_as_fit_are_counted_in_the_header),
		OF_BOTH(more_segments_are_counted_in_a_section_header),
		OF_BOTH(a_file_too_large_is_refused),
		OF_BOTH(what_the_class_can_t_say_is_refused),
		OF_BOTH(every_offset_has_its_segment),
		OF_BOTH(segments_without_bytes_hold_no_offset),
		cmocka_unit_test(note_sizes_are_padded),
		cmocka_unit_test(the_end_of_a_note_can_be_left_out),
		cmocka_unit_test(notes_hold_what_they_were_given),
		OF_BOTH(headers_say_what_was_laid_out),
		OF_BOTH(readers_understand_it),
		OF_BOTH(readers_understand_extended_numbering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
