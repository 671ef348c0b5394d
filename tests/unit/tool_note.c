// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zstd.h>

#include "../../module/elf.h"
#include "note.h"
#include "test.h"
#include "unpack.h"

#define THREADS 3

/** struct core - a core as the module lays it out, in memory and as a file */
struct core {
	struct kcs_elf_layout layout;
	uint8_t *bytes;
	int fd;
};

static uint8_t class;

static size_t make_desc(char *desc, uint32_t head_size, uint32_t thread_size)
{
	struct kcoresnap_note head = {
		.version = KCORESNAP_NOTE_VERSION,
		.size = head_size,
		.thread_size = thread_size,
		.threads = THREADS,
		.mode = 1,
		.pid = 4711,
		.time_ns = 1234567890123456789,
		.inexact_bound = 77,
		.release = "6.1.0",
		.module = "0.1",
		.comm = "name\033",
	};
	struct kcoresnap_note_thread thread = { .state = 'S', .name = "thread" };
	uint32_t i;

	memset(desc, 0x55, head_size + THREADS * thread_size);
	memcpy(desc, &head, head_size < sizeof(head) ? head_size : sizeof(head));
	for (i = 0; i < THREADS; i++) {
		thread.tid = 100 + i;
		memcpy(desc + head_size + i * thread_size, &thread,
		       thread_size < sizeof(thread) ? thread_size : sizeof(thread));
	}
	return head_size + THREADS * thread_size;
}

static void add_notes(struct kcs_elf_notes *out, const char *desc, size_t size)
{
	kcs_elf_add_note(out, "CORE", NT_PRSTATUS, 336, NULL);
	kcs_elf_add_note(out, "CORE", KCORESNAP_NT_SNAPSHOT, 4, NULL);
	kcs_elf_add_note(out, "KCORESNAQ", KCORESNAP_NT_SNAPSHOT, 4, NULL);
	kcs_elf_add_note(out, KCORESNAP_NOTE_OWNER, 1, 4, NULL);
	if (size)
		kcs_elf_add_note(out, KCORESNAP_NOTE_OWNER, KCORESNAP_NT_SNAPSHOT, size, desc);
}

static void make_core(struct core *core, size_t nsegs, const char *desc, size_t size)
{
	struct kcs_elf_segment *segs = calloc(nsegs + 1, sizeof(*segs));
	struct kcs_elf_notes counted = {}, written = {};

	assert_non_null(segs);
	add_notes(&counted, desc, size);
	assert_true(kcs_elf_layout(&core->layout, class, segs, nsegs, counted.size));
	core->bytes = calloc(1, core->layout.size);
	assert_non_null(core->bytes);
	kcs_elf_write_headers(&core->layout, segs, core->bytes, EM_X86_64);
	written.buf = core->bytes + core->layout.notes_offset;
	add_notes(&written, desc, size);
	if (core->layout.shdr_offset)
		kcs_elf_write_shdr(&core->layout, core->bytes + core->layout.shdr_offset);
	free(segs);
	core->fd = memfd_create("core", MFD_CLOEXEC);
	assert_true(core->fd >= 0);
	assert_int_equal(write(core->fd, core->bytes, core->layout.size), core->layout.size);
}

static void drop_core(struct core *core)
{
	close(core->fd);
	free(core->bytes);
}

/* Return: what finding and parsing say of the file as it is. */
static int read_note(const struct core *core, struct kcs_note *note)
{
	void *desc = NULL;
	size_t size;
	int ret = kcs_note_find(core->fd, &desc, &size);

	if (!ret)
		ret = kcs_note_parse(note, desc, size);
	else
		note->threads = NULL;
	free(desc);
	return ret;
}

static void the_note_is_found_and_read(void **state)
{
	const size_t counts[] = { 1, 100, PN_XNUM };
	struct kcs_note note;
	struct core core;
	char desc[4096];
	size_t size = make_desc(desc, sizeof(note.head), sizeof(*note.threads)), i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		make_core(&core, counts[i], desc, size);
		assert_int_equal(read_note(&core, &note), 0);
		assert_int_equal(note.head.pid, 4711);
		assert_int_equal(note.head.time_ns, 1234567890123456789);
		assert_string_equal(note.head.release, "6.1.0");
		assert_string_equal(note.head.comm, "name?");
		assert_int_equal(note.head.threads, THREADS);
		assert_int_equal(note.threads[2].tid, 102);
		assert_int_equal(note.threads[2].state, 'S');
		assert_string_equal(note.threads[2].name, "thread");
		kcs_note_free(&note);
		drop_core(&core);
	}
}

/* Of another version's sizes as much is taken as is known, and the rest is 0. */
static void other_sizes_are_read(void **state)
{
	const uint32_t less = offsetof(struct kcoresnap_note, inexact_bound);
	struct kcs_note note;
	char desc[4096];
	size_t size;

	size = make_desc(desc, sizeof(note.head) + 40, sizeof(*note.threads) + 12);
	assert_int_equal(kcs_note_parse(&note, desc, size), 0);
	assert_int_equal(note.head.inexact_bound, 77);
	assert_int_equal(note.threads[2].tid, 102);
	assert_string_equal(note.threads[2].name, "thread");
	kcs_note_free(&note);

	size = make_desc(desc, less, 4);
	assert_int_equal(kcs_note_parse(&note, desc, size), 0);
	assert_int_equal(note.head.time_ns, 1234567890123456789);
	assert_int_equal(note.head.inexact_bound, 0);
	assert_string_equal(note.head.comm, "");
	assert_int_equal(note.threads[2].tid, 102);
	assert_int_equal(note.threads[2].state, 0);
	kcs_note_free(&note);
}

static void what_is_wrong_is_told(void **state)
{
	struct kcoresnap_note head;
	struct kcs_note note;
	char desc[4096];
	size_t size = make_desc(desc, sizeof(head), sizeof(*note.threads));

	assert_int_equal(kcs_note_parse(&note, desc, 15), -EBADMSG);
	assert_int_equal(kcs_note_parse(&note, desc, size - 1), -EBADMSG);
	memcpy(&head, desc, sizeof(head));
	head.version++;
	memcpy(desc, &head, sizeof(head));
	assert_int_equal(kcs_note_parse(&note, desc, size), -EPROTO);
	head.version--;
	head.thread_size = 0;
	memcpy(desc, &head, sizeof(head));
	assert_int_equal(kcs_note_parse(&note, desc, size), -EBADMSG);
	head.thread_size = UINT32_MAX;
	memcpy(desc, &head, sizeof(head));
	assert_int_equal(kcs_note_parse(&note, desc, size), -EBADMSG);
	head.thread_size = sizeof(*note.threads);
	head.threads = UINT32_MAX;
	memcpy(desc, &head, sizeof(head));
	assert_int_equal(kcs_note_parse(&note, desc, size), -EBADMSG);
	head.threads = 0;
	head.size = size + 1;
	memcpy(desc, &head, sizeof(head));
	assert_int_equal(kcs_note_parse(&note, desc, size), -EBADMSG);
}

/* At whatever byte a core was cut off, that is told, and nothing of it is believed. */
static void cores_cut_off_are_told(void **state)
{
	struct kcs_note note;
	struct core core;
	char desc[4096];
	size_t size = make_desc(desc, sizeof(note.head), sizeof(*note.threads)), end;
	int ret;

	make_core(&core, 3, desc, size);
	end = core.layout.notes_offset + core.layout.notes_size;
	for (size_t at = 0; at <= end; at++) {
		assert_int_equal(ftruncate(core.fd, 0), 0);
		assert_int_equal(pwrite(core.fd, core.bytes, at, 0), at);
		ret = read_note(&core, &note);
		assert_int_equal(ret, at < EI_NIDENT ? -ENOEXEC : at < end ? -EBADMSG : 0);
		kcs_note_free(&note);
	}
	/* A hole in place of the rest: what a failed copy may leave. */
	assert_int_equal(ftruncate(core.fd, core.layout.notes_offset + 12), 0);
	assert_int_equal(ftruncate(core.fd, INT64_C(1) << 40), 0);
	assert_int_equal(read_note(&core, &note), -EBADMSG);
	drop_core(&core);
}

/* Return: a file of the compressed core and its size, of which @size bytes are there. */
static int pack(const struct core *core, size_t *size)
{
	size_t room = ZSTD_compressBound(core->layout.size);
	int fd = memfd_create("packed", MFD_CLOEXEC);
	char *packed = malloc(room);

	room = ZSTD_compress(packed, room, core->bytes, core->layout.size, 1);
	if (room < *size)
		*size = room;
	assert_int_equal(write(fd, packed, *size), *size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	free(packed);
	return fd;
}

static int find_packed(const struct core *core, size_t size, void **desc)
{
	int fd = pack(core, &size), ret;

	*desc = NULL;
	assert_true(kcs_unpack_is_packed(fd));
	ret = kcs_unpack_find(fd, desc, &size);
	close(fd);
	return ret;
}

static void compressed_cores_are_read(void **state)
{
	/* The last has its notes behind what is looked at first. */
	const size_t counts[] = { 1, PN_XNUM, 4 * PN_XNUM };
	size_t size, whole, i;
	struct core core;
	char desc[4096];
	void *found;

	size = make_desc(desc, sizeof(struct kcoresnap_note),
			 sizeof(struct kcoresnap_note_thread));
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		make_core(&core, counts[i], desc, size);
		assert_false(kcs_unpack_is_packed(core.fd));
		assert_int_equal(find_packed(&core, SIZE_MAX, &found), 0);
		assert_memory_equal(found, desc, size);
		free(found);
		drop_core(&core);
	}

	make_core(&core, 1, desc, size);
	whole = SIZE_MAX;
	close(pack(&core, &whole));
	for (i = sizeof(uint32_t); i < whole - 4; i++)
		assert_true(find_packed(&core, i, &found) < 0);
	drop_core(&core);
	make_core(&core, 1, NULL, 0);
	assert_int_equal(find_packed(&core, SIZE_MAX, &found), -ENODATA);
	core.bytes[0] = 0;
	assert_int_equal(find_packed(&core, SIZE_MAX, &found), -ENOEXEC);
	drop_core(&core);
}

static void cores_of_others_have_none(void **state)
{
	struct kcs_note note;
	struct core core;

	make_core(&core, 3, NULL, 0);
	assert_int_equal(read_note(&core, &note), -ENODATA);
	core.bytes[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(pwrite(core.fd, core.bytes, EI_NIDENT, 0), EI_NIDENT);
	assert_int_equal(read_note(&core, &note), -ENOEXEC);
	drop_core(&core);
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
		OF_BOTH(the_note_is_found_and_read),
		OF_BOTH(cores_cut_off_are_told),
		OF_BOTH(compressed_cores_are_read),
		OF_BOTH(cores_of_others_have_none),
		cmocka_unit_test(other_sizes_are_read),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
