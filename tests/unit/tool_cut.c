// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "copy.h"
#include "cut.h"
#include "test.h"

#define PAGE 4096UL
#define MIB(n) ((n) * 1024UL * 1024)
#define MAX_SEGMENTS 70000

/* Of a core to be made; data is what of it is no hole, from its front. */
struct part {
	uint64_t size;
	uint64_t data;
	bool stack;
	uint64_t sp;
	uint64_t tp;
};

static uint64_t pages(uint64_t n)
{
	return n * PAGE;
}

static void choose(const struct part *parts, size_t count, uint64_t limit,
		   const uint64_t *want)
{
	struct kcs_piece pieces[8] = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		pieces[i].data = parts[i].data;
		pieces[i].use = parts[i].stack ? KCS_STACK : KCS_MEMORY;
	}
	assert_int_equal(kcs_cut_choose(pieces, count, limit), 0);
	for (i = 0; i < count; i++)
		assert_int_equal(pieces[i].keep, want[i]);
}

static void biggest_go_first_and_stacks_last(void **state)
{
	static const struct part parts[] = {
		{ .data = 10 }, { .data = 500, .stack = true }, { .data = 100 },
		{ .data = 50 }, { .data = 20, .stack = true },
	};

	choose(parts, 5, UINT64_MAX, (uint64_t[]) { 10, 500, 100, 50, 20 });
	choose(parts, 5, 680, (uint64_t[]) { 10, 500, 100, 50, 20 });
	choose(parts, 5, 679, (uint64_t[]) { 10, 500, 99, 50, 20 });
	choose(parts, 5, 580, (uint64_t[]) { 10, 500, 0, 50, 20 });
	choose(parts, 5, 570, (uint64_t[]) { 10, 500, 0, 40, 20 });
	choose(parts, 5, 521, (uint64_t[]) { 1, 500, 0, 0, 20 });
	choose(parts, 5, 30, (uint64_t[]) { 0, 10, 0, 0, 20 });
	choose(parts, 5, 5, (uint64_t[]) { 0, 0, 0, 0, 5 });
	choose(parts, 5, 0, (uint64_t[]) { 0, 0, 0, 0, 0 });
	choose(parts, 0, 0, NULL);
}

static void unused_stack_goes_before_used(void **state)
{
	struct kcs_piece pieces[] = {
		{ .data = 50 },
		{ .data = 450, .use = KCS_UNUSED },
		{ .data = 50, .use = KCS_STACK },
		{ .data = 10, .use = KCS_UNUSED },
		{ .data = 30, .use = KCS_STACK },
	};
	static const struct {
		uint64_t limit;
		uint64_t keep[5];
	} cases[] = {
		{ 590, { 50, 450, 50, 10, 30 } },
		{ 541, { 50, 0, 50, 10, 30 } },
		{ 120, { 30, 0, 50, 10, 30 } },
		{ 85, { 0, 0, 50, 0, 30 } },
		{ 60, { 0, 0, 30, 0, 30 } },
	};
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kcs_cut_choose(pieces, 5, cases[i].limit), 0);
		for (j = 0; j < 5; j++)
			assert_int_equal(pieces[j].keep, cases[i].keep[j]);
	}
}

static uint64_t address_of(size_t i)
{
	return (i + 1) << 24;
}

/* NT_PRSTATUS with a stack pointer in the segment, and a thread pointer (64 bits only). */
static size_t put_status(char *buf, int class, uint64_t sp, uint64_t tp)
{
	uint32_t size = class == ELFCLASS64 ? 336 : 144;
	Elf64_Nhdr note = { .n_namesz = 5, .n_descsz = size,
			    .n_type = NT_PRSTATUS };

	memset(buf, 0, sizeof(note) + 8 + size);
	memcpy(buf, &note, sizeof(note));
	memcpy(buf + sizeof(note), "CORE", 5);
	if (class == ELFCLASS64) {
		memcpy(buf + sizeof(note) + 8 + 112 + 19 * 8, &sp, 8);
		memcpy(buf + sizeof(note) + 8 + 112 + 21 * 8, &tp, 8);
	} else {
		memcpy(buf + sizeof(note) + 8 + 72 + 15 * 4, &sp, 4);
	}
	return sizeof(note) + 8 + size;
}

static void fill(int fd, uint64_t offset, uint64_t size, size_t i)
{
	char *data = malloc(size + 1);

	memset(data, (int)(i % 250 + 1), size);
	assert_int_equal(pwrite(fd, data, size, offset), size);
	free(data);
}

static size_t phdrs_at(int class)
{
	return class == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static size_t phdr_size(int class)
{
	return class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static void put_phdr(char *head, int class, size_t i, Elf64_Phdr phdr)
{
	Elf32_Phdr small = {
		.p_type = phdr.p_type, .p_offset = phdr.p_offset,
		.p_vaddr = phdr.p_vaddr, .p_filesz = phdr.p_filesz,
		.p_memsz = phdr.p_memsz,
	};

	memcpy(head + phdrs_at(class) + i * phdr_size(class),
	       class == ELFCLASS64 ? (void *)&phdr : (void *)&small,
	       phdr_size(class));
}

static void put_ehdr(char *head, int class, size_t count, uint64_t end)
{
	bool extended = count >= PN_XNUM;
	Elf64_Ehdr big = {
		.e_ident = ELFMAG, .e_phoff = phdrs_at(class),
		.e_phnum = extended ? PN_XNUM : count,
		.e_shoff = extended ? end : 0,
	};
	Elf32_Ehdr small = {
		.e_ident = ELFMAG, .e_phoff = big.e_phoff,
		.e_phnum = big.e_phnum, .e_shoff = big.e_shoff,
	};

	memcpy(head, class == ELFCLASS64 ? (void *)&big : (void *)&small,
	       phdrs_at(class));
	head[EI_CLASS] = class;
}

static int make_core(int class, const struct part *parts, size_t count)
{
	size_t notes = phdrs_at(class) + (count + 1) * phdr_size(class);
	char *head = calloc(1, notes + PAGE * 2);
	int fd = memfd_create("core", 0);
	uint64_t offset = notes, at;
	size_t i;

	for (i = 0; i < count; i++)
		if (parts[i].stack)
			offset += put_status(head + offset, class,
					     address_of(i) + 16 + parts[i].sp,
					     parts[i].tp ? address_of(i) + parts[i].tp : 0);
	put_phdr(head, class, 0, (Elf64_Phdr) {
		.p_type = PT_NOTE, .p_offset = notes, .p_filesz = offset - notes,
	});
	offset = (offset + PAGE - 1) / PAGE * PAGE;
	for (i = 0, at = offset; i < count; at += parts[i++].size)
		put_phdr(head, class, i + 1, (Elf64_Phdr) {
			.p_type = PT_LOAD, .p_offset = at,
			.p_vaddr = address_of(i), .p_filesz = parts[i].size,
			.p_memsz = parts[i].size + PAGE,
		});
	put_ehdr(head, class, count + 1, at);
	assert_int_equal(pwrite(fd, head, offset, 0), offset);
	assert_int_equal(ftruncate(fd, at), 0);
	for (i = 0; i < count; offset += parts[i++].size)
		fill(fd, offset, parts[i].data, i);
	if (count + 1 >= PN_XNUM)
		assert_int_equal(pwrite(fd, "section", 8, at), 8);
	free(head);
	return fd;
}

static int copy_cut(const struct kcs_cut *cut, int in)
{
	struct kcs_copy copy = {
		.in = in, .out = memfd_create("cut", 0),
		.sink = KCS_SINK_SPARSE, .cut = cut,
		.size = lseek(in, 0, SEEK_END),
	};

	assert_int_equal(kcs_copy_run(&copy), KCS_COPY_OK);
	assert_int_equal(copy.done, cut->size);
	assert_int_equal(lseek(copy.out, 0, SEEK_END), cut->size);
	return copy.out;
}

static void get_phdr(int fd, int class, size_t i, Elf64_Phdr *phdr)
{
	Elf32_Phdr small;

	if (class == ELFCLASS64) {
		assert_int_equal(pread(fd, phdr, sizeof(*phdr),
				       phdrs_at(class) + i * sizeof(*phdr)),
				 sizeof(*phdr));
		return;
	}
	assert_int_equal(pread(fd, &small, sizeof(small),
			       phdrs_at(class) + i * sizeof(small)),
			 sizeof(small));
	*phdr = (Elf64_Phdr) {
		.p_type = small.p_type, .p_offset = small.p_offset,
		.p_vaddr = small.p_vaddr, .p_filesz = small.p_filesz,
		.p_memsz = small.p_memsz,
	};
}

/* The segment is where its header says, with the data it should have. */
static void check_segment(int fd, int class, const struct part *part, size_t i,
			  uint64_t filesz)
{
	char *got = calloc(1, filesz + 1);
	Elf64_Phdr phdr;
	uint64_t at;

	get_phdr(fd, class, i + 1, &phdr);
	assert_int_equal(phdr.p_type, PT_LOAD);
	assert_int_equal(phdr.p_vaddr, address_of(i));
	assert_int_equal(phdr.p_memsz, part->size + PAGE);
	assert_int_equal(phdr.p_filesz, filesz);
	assert_int_equal(phdr.p_offset % PAGE, 0);
	assert_int_equal(pread(fd, got, filesz, phdr.p_offset), filesz);
	for (at = 0; at < filesz; at++)
		assert_int_equal(got[at], at < part->data ?
				 (char)(i % 250 + 1) : 0);
	free(got);
}

static void cut_core(int class, uint64_t limit_pages, const uint64_t *want)
{
	static const struct part parts[] = {
		{ .size = 10 * PAGE, .data = 10 * PAGE },
		{ 0 },
		{ .size = 100 * PAGE, .data = 60 * PAGE },
		{ .size = 40 * PAGE, .data = 30 * PAGE, .stack = true },
		{ .size = 1000 * PAGE },
		{ .size = 20 * PAGE, .data = 20 * PAGE },
	};
	struct kcs_cut cut = KCS_CUT_INIT;
	int core = make_core(class, parts, 6), out;
	uint64_t left_out = 0;
	size_t i;

	assert_int_equal(kcs_cut_plan(&cut, core, lseek(core, 0, SEEK_END),
				      pages(limit_pages)), 0);
	out = copy_cut(&cut, core);
	for (i = 0; i < 6; i++) {
		check_segment(out, class, &parts[i], i, pages(want[i]));
		if (pages(want[i]) < parts[i].data)
			left_out += parts[i].data - pages(want[i]);
	}
	assert_int_equal(cut.left_out, left_out);
	kcs_cut_free(&cut);
	close(out);
	close(core);
}

static void cut_cores(int class)
{
	/* The headers and notes take one page. */
	cut_core(class, 121, (uint64_t[]) { 10, 0, 100, 40, 1000, 20 });
	cut_core(class, 120, (uint64_t[]) { 10, 0, 59, 40, 1000, 20 });
	cut_core(class, 61, (uint64_t[]) { 10, 0, 0, 40, 1000, 20 });
	cut_core(class, 51, (uint64_t[]) { 10, 0, 0, 40, 1000, 10 });
	cut_core(class, 31, (uint64_t[]) { 0, 0, 0, 40, 1000, 0 });
	cut_core(class, 11, (uint64_t[]) { 0, 0, 0, 10, 1000, 0 });
	cut_core(class, 0, (uint64_t[]) { 0, 0, 0, 0, 1000, 0 });
}

static void cut_core_is_right(void **state)
{
	cut_cores(ELFCLASS64);
}

static void cut_core_of_32_bits_is_right(void **state)
{
	cut_cores(ELFCLASS32);
}

static void stack_is_kept_from_its_pointer_up(void **state)
{
	static const struct part part = {
		.size = 20 * PAGE, .data = 20 * PAGE, .stack = true,
		.sp = 12 * PAGE,
	};
	struct kcs_cut cut = KCS_CUT_INIT;
	int core = make_core(ELFCLASS64, &part, 1), out;
	char got[PAGE];
	Elf64_Phdr phdr;

	/* The red zone reaches into the page below; the head takes one more. */
	assert_int_equal(kcs_cut_plan(&cut, core, lseek(core, 0, SEEK_END),
				      pages(10)), 0);
	out = copy_cut(&cut, core);
	get_phdr(out, ELFCLASS64, 1, &phdr);
	assert_int_equal(phdr.p_vaddr, address_of(0) + pages(11));
	assert_int_equal(phdr.p_filesz, pages(9));
	assert_int_equal(phdr.p_memsz, pages(10));
	assert_int_equal(pread(out, got, PAGE, phdr.p_offset + pages(8)), PAGE);
	assert_int_equal(got[PAGE - 1], 1);
	assert_int_equal(cut.left_out, pages(11));
	kcs_cut_free(&cut);
	close(out);
	close(core);
}

/* As in a Go program, where both pointers may be in the heap. */
static void stack_ends_where_stacks_do(void **state)
{
	static const struct part parts[] = {
		{ .size = MIB(13), .data = MIB(13), .stack = true, .tp = MIB(12) },
		{ .size = MIB(4), .data = MIB(4) },
	};
	struct kcs_cut cut = KCS_CUT_INIT;
	int core = make_core(ELFCLASS64, parts, 2), out;
	Elf64_Phdr phdr;

	/* The head takes a page, headers that may be added another. */
	assert_int_equal(kcs_cut_plan(&cut, core, lseek(core, 0, SEEK_END),
				      MIB(12) + pages(2)), 0);
	out = copy_cut(&cut, core);
	get_phdr(out, ELFCLASS64, 1, &phdr);
	assert_in_range(phdr.p_filesz, MIB(8), MIB(8) + pages(1));
	check_segment(out, ELFCLASS64, &parts[1], 1, MIB(4));
	kcs_cut_free(&cut);
	close(out);
	close(core);
}

/*
 * One segment with the stacks of three threads: each in use from "sp" on, with its
 * thread pointer at "tp", in pages; of one, "tp" is not there.
 */
static const struct {
	uint64_t sp, tp;
} stacks[] = { { 52, 0 }, { 7, 8 }, { 27, 28 } };

static int make_stacks(size_t others)
{
	size_t notes = phdrs_at(ELFCLASS64) + (others + 2) * sizeof(Elf64_Phdr);
	char *head = calloc(1, notes + 2 * PAGE), byte;
	uint64_t offset = notes, at, i;
	int fd = memfd_create("core", 0);

	for (i = 0; i < 3; i++)
		offset += put_status(head + offset, ELFCLASS64,
				     address_of(0) + pages(stacks[i].sp) + 200,
				     stacks[i].tp ? address_of(0) + pages(stacks[i].tp) : 7);
	put_phdr(head, ELFCLASS64, 0, (Elf64_Phdr) {
		.p_type = PT_NOTE, .p_offset = notes, .p_filesz = offset - notes,
	});
	at = (offset / PAGE + 1) * PAGE;
	put_phdr(head, ELFCLASS64, 1, (Elf64_Phdr) {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = at,
		.p_vaddr = address_of(0), .p_filesz = pages(60),
		.p_memsz = pages(70),
	});
	for (i = 0; i < others; i++)
		put_phdr(head, ELFCLASS64, i + 2, (Elf64_Phdr) {
			.p_type = PT_LOAD, .p_offset = at + pages(60),
			.p_vaddr = address_of(i + 1), .p_memsz = PAGE,
		});
	put_ehdr(head, ELFCLASS64, others + 2, at + pages(60));
	assert_int_equal(pwrite(fd, head, at, 0), at);
	for (i = 0; i < 60 * PAGE; i++) {
		byte = i / PAGE + 1;
		assert_int_equal(pwrite(fd, &byte, 1, at + i), 1);
	}
	free(head);
	return fd;
}

/* Its headers from the first on, in pages from the segment's beginning. */
struct run {
	uint64_t from, kept, size;
};

static void check_runs(int fd, size_t others, const struct run *runs, size_t count)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	size_t i;
	char got;

	assert_int_equal(pread(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	assert_int_equal(ehdr.e_phnum, 1 + others + count);
	get_phdr(fd, ELFCLASS64, 0, &phdr);
	assert_int_equal(pread(fd, &got, 1, phdr.p_offset + 12), 1);
	assert_int_equal(got, 'C');
	for (i = 0; i < count; i++) {
		get_phdr(fd, ELFCLASS64, i + 1, &phdr);
		assert_int_equal(phdr.p_vaddr, address_of(0) + pages(runs[i].from));
		assert_int_equal(phdr.p_filesz, pages(runs[i].kept));
		assert_int_equal(phdr.p_memsz, pages(runs[i].size));
		assert_int_equal(phdr.p_flags, PF_R | PF_W);
		assert_int_equal(phdr.p_offset % PAGE, 0);
		assert_int_equal(pread(fd, &got, 1, phdr.p_offset), 1);
		assert_int_equal(got, runs[i].from + 1);
		assert_int_equal(pread(fd, &got, 1, phdr.p_offset + phdr.p_filesz - 1), 1);
		assert_int_equal(got, runs[i].from + runs[i].kept);
	}
}

/* @limit: in pages, beyond the head as it was */
static void cut_stacks(size_t others, uint64_t limit, const struct run *runs,
		       size_t count)
{
	struct kcs_cut cut = KCS_CUT_INIT;
	int core = make_stacks(others), out;
	uint64_t kept = 0;
	Elf64_Phdr first;
	size_t i;

	for (i = 0; i < count; i++)
		kept += runs[i].kept;
	get_phdr(core, ELFCLASS64, 1, &first);
	assert_int_equal(kcs_cut_plan(&cut, core, lseek(core, 0, SEEK_END),
				      first.p_offset + pages(limit)), 0);
	assert_int_equal(cut.left_out, pages(60 - kept));
	assert_int_equal(cut.segments, kept < 60);
	out = copy_cut(&cut, core);
	check_runs(out, others, runs, count);
	kcs_cut_free(&cut);
	close(out);
	close(core);
}

static void stacks_in_one_segment_are_kept(void **state)
{
	/* The headers that may be added take a page more. */
	cut_stacks(0, 61, (struct run[]) { { 0, 60, 70 } }, 1);
	cut_stacks(0, 59, (struct run[]) { { 0, 29, 52 }, { 52, 8, 18 } }, 2);
	cut_stacks(0, 37, (struct run[]) { { 0, 9, 27 }, { 27, 2, 25 }, { 52, 8, 18 } }, 3);
	cut_stacks(0, 13, (struct run[]) { { 7, 2, 20 }, { 27, 2, 25 }, { 52, 8, 18 } }, 3);
	cut_stacks(0, 11, (struct run[]) { { 7, 2, 20 }, { 27, 2, 25 }, { 52, 6, 18 } }, 3);
}

/* Then what is behind the first stack pointer is all stack. */
static void headers_do_not_become_more_than_can_be_counted(void **state)
{
	cut_stacks(PN_XNUM - 3, 53, (struct run[]) { { 7, 53, 63 } }, 1);
	cut_stacks(PN_XNUM - 3, 20, (struct run[]) { { 7, 20, 63 } }, 1);
}

/* Only two have data, so that it is not the sanitizer that is tested. */
static void more_segments_than_a_header_counts(void **state)
{
	struct part *parts = calloc(MAX_SEGMENTS, sizeof(*parts));
	struct kcs_cut cut = KCS_CUT_INIT;
	char section[8] = "";
	Elf64_Ehdr ehdr;
	int core, out;

	parts[5] = (struct part) { .size = 3 * PAGE, .data = 3 * PAGE };
	parts[MAX_SEGMENTS - 1] = (struct part) { .size = PAGE, .data = PAGE };
	core = make_core(ELFCLASS64, parts, MAX_SEGMENTS);
	assert_int_equal(kcs_cut_plan(&cut, core, lseek(core, 0, SEEK_END), 0),
			 0);
	assert_int_equal(cut.left_out, 4 * PAGE);
	assert_int_equal(cut.segments, 2);
	out = copy_cut(&cut, core);
	assert_int_equal(pread(out, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	assert_int_equal(pread(out, section, 8, ehdr.e_shoff), 8);
	assert_string_equal(section, "section");
	kcs_cut_free(&cut);
	close(out);
	close(core);
	free(parts);
}

static void wrong(const void *data, size_t size, int err)
{
	struct kcs_cut cut = KCS_CUT_INIT;
	int fd = memfd_create("wrong", 0);

	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(kcs_cut_plan(&cut, fd, size, 0), err);
	kcs_cut_free(&cut);
	close(fd);
}

static void what_is_no_core_is_told(void **state)
{
	Elf64_Ehdr ehdr = { .e_ident = ELFMAG, .e_phoff = UINT64_MAX / 2,
			    .e_phnum = 1 };
	char text[100] = "no core";

	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	wrong(text, sizeof(text), -ENOEXEC);
	wrong(text, 10, -ENODATA);
	wrong(&ehdr, sizeof(ehdr), -ENOEXEC);
	ehdr.e_phoff = sizeof(ehdr);
	wrong(&ehdr, sizeof(ehdr), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(biggest_go_first_and_stacks_last),
		cmocka_unit_test(unused_stack_goes_before_used),
		cmocka_unit_test(stack_is_kept_from_its_pointer_up),
		cmocka_unit_test(stack_ends_where_stacks_do),
		cmocka_unit_test(stacks_in_one_segment_are_kept),
		cmocka_unit_test(headers_do_not_become_more_than_can_be_counted),
		cmocka_unit_test(cut_core_is_right),
		cmocka_unit_test(cut_core_of_32_bits_is_right),
		cmocka_unit_test(more_segments_than_a_header_counts),
		cmocka_unit_test(what_is_no_core_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
