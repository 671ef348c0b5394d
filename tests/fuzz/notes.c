// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>

#include "fuzz.h"

#include "../../module/notedata.h"

#define MAX_NOTES 64
#define MAX_DATA 4096U
#define MAX_FILES 300U
#define MAX_PATH 4096U

/** struct note - what was written, to be compared with what is read */
struct note {
	char *name;
	uint32_t type;
	uint32_t size;
	uint8_t *data;	/* NULL: zeros */
};

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* As a debugger does it. Return: the size of the note. */
static size_t read_note(const char *at, size_t left, const struct note *want)
{
	size_t name_size = strlen(want->name) + 1, i;
	const char *desc;
	Elf64_Nhdr nhdr;

	CHECK(left >= sizeof(nhdr));
	memcpy(&nhdr, at, sizeof(nhdr));
	left -= sizeof(nhdr);
	CHECK(nhdr.n_type == want->type && nhdr.n_descsz == want->size &&
	      nhdr.n_namesz == name_size);
	CHECK(padded(name_size) + padded(want->size) <= left);
	CHECK(!memcmp(at + sizeof(nhdr), want->name, name_size));
	for (i = name_size; i < padded(name_size); i++)
		CHECK(!at[sizeof(nhdr) + i]);
	desc = at + sizeof(nhdr) + padded(name_size);
	for (i = 0; i < padded(want->size); i++)
		CHECK((uint8_t)desc[i] == (want->data && i < want->size ? want->data[i] : 0));
	return sizeof(nhdr) + padded(name_size) + padded(want->size);
}

static void add_all(struct kcs_elf_notes *out, const struct note *notes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t before = out->size;
		char *desc = kcs_elf_add_note(out, notes[i].name, notes[i].type, notes[i].size,
					      notes[i].data);

		CHECK(out->size > before);
		CHECK(out->buf ? desc + padded(notes[i].size) == (char *)out->buf + out->size :
				 !desc);
	}
}

static void check_notes(struct fuzz_input *in)
{
	struct note notes[MAX_NOTES];
	struct kcs_elf_notes counted = {}, written = {};
	size_t count = fuzz_u8(in) % MAX_NOTES, i, at = 0;

	for (i = 0; i < count; i++) {
		notes[i].name = fuzz_string(in, fuzz_u8(in) % 32);
		notes[i].type = fuzz_u64(in);
		notes[i].size = fuzz_u16(in) % MAX_DATA;
		notes[i].data = fuzz_u8(in) % 4 ? fuzz_alloc(notes[i].size) : NULL;
		if (notes[i].data)
			fuzz_take(in, notes[i].data, notes[i].size);
	}
	add_all(&counted, notes, count);
	written.buf = memset(fuzz_alloc(counted.size), 0, counted.size);
	add_all(&written, notes, count);
	CHECK(written.size == counted.size);
	for (i = 0; i < count; i++) {
		at += read_note((char *)written.buf + at, written.size - at, &notes[i]);
		free(notes[i].name);
		free(notes[i].data);
	}
	CHECK(at == written.size);
	free(written.buf);
}

/* Return: what is to be behind the root in a path, by another rule than the code's. */
static bool is_below(const char *path, const char *root)
{
	char *prefix;
	bool below;

	if (!*root || asprintf(&prefix, "%s/", root) < 0)
		return false;
	below = strstr(path, prefix) == path;
	free(prefix);
	return below;
}

/* Often one that begins like the root. */
static char *take_path(struct fuzz_input *in, const char *root)
{
	char *path, *name = fuzz_string(in, MAX_PATH);

	if (fuzz_u8(in) % 2 || asprintf(&path, "%s%s", root, name) < 0)
		return name;
	free(name);
	return path;
}

static uint64_t word_of(const char *desc, uint8_t class, size_t i)
{
	uint32_t half;
	uint64_t word;

	if (class == ELFCLASS64) {
		memcpy(&word, desc + 8 * i, 8);
		return word;
	}
	memcpy(&half, desc + 4 * i, 4);
	return half;
}

static void check_files(struct fuzz_input *in)
{
	uint8_t class = fuzz_u8(in) % 2 ? ELFCLASS32 : ELFCLASS64;
	uint64_t mask = class == ELFCLASS32 ? UINT32_MAX : UINT64_MAX;
	struct kcs_file_note note = { .class = class };
	uint64_t entries[MAX_FILES][3];
	char *names[MAX_FILES], *desc;
	bool named[MAX_FILES];
	char *root = fuzz_string(in, fuzz_u8(in));
	size_t count = fuzz_u16(in) % MAX_FILES, i, at, len;
	const char *name = NULL, *last = NULL;

	for (i = 0; i < count; i++) {
		fuzz_take(in, entries[i], sizeof(entries[i]));
		names[i] = take_path(in, root);
		named[i] = !i || fuzz_u8(in) % 2;
		if (named[i]) {
			name = kcs_path_below(names[i], root);
			CHECK(name == names[i] + (is_below(names[i], root) ? strlen(root) : 0));
		}
		CHECK(!kcs_file_note_add(&note, named[i] ? name : NULL));
		CHECK(note.used <= note.room && note.count == i + 1);
	}
	desc = fuzz_alloc(kcs_file_note_size(&note));
	kcs_file_note_begin(&note, desc);
	for (i = 0; i < count; i++)
		kcs_file_note_put(&note, desc, i, entries[i][0], entries[i][1], entries[i][2]);
	for (at = 0; at < note.names_size; at += len) {
		/* From anywhere, to the end of the name. */
		at -= at ? fuzz_u8(in) % 2 : 0;
		name = kcs_file_note_names(&note, at, &len);
		CHECK(len && at + len <= note.names_size && !name[len - 1]);
		memcpy(desc + kcs_file_note_words(&note) + at, name, len);
	}

	CHECK(word_of(desc, class, 0) == count && word_of(desc, class, 1) == KCS_ELF_PAGE);
	name = desc + (2 + 3 * count) * (class == ELFCLASS32 ? 4 : 8);
	for (i = 0; i < count; i++) {
		for (int j = 0; j < 3; j++)
			CHECK(word_of(desc, class, 2 + 3 * i + j) == (entries[i][j] & mask));
		if (named[i])
			last = kcs_path_below(names[i], root);
		CHECK(!strcmp(name, last));
		name += strlen(name) + 1;
	}
	for (i = 0; i < count; i++)
		free(names[i]);
	CHECK(name == desc + kcs_file_note_size(&note));
	free(desc);
	kcs_file_note_free(&note);
	CHECK(!note.names && !note.runs && !note.count);
	free(root);

	/* More than anybody has. */
	note = (struct kcs_file_note) { .class = class, .count = 32 << 20 };
	CHECK(kcs_file_note_add(&note, "/") == -ENOMEM && !note.names);
}

static void check_process(struct fuzz_input *in)
{
	struct elf_prpsinfo *psinfo = fuzz_alloc(sizeof(*psinfo));
	char args[ELF_PRARGSZ];
	size_t len = fuzz_u8(in) % ELF_PRARGSZ, i;
	uint32_t state = fuzz_u64(in);

	kcs_psinfo_state(psinfo, state);
	CHECK(strchr("RSDTZW.", psinfo->pr_sname));
	CHECK(psinfo->pr_zomb == (psinfo->pr_sname == 'Z'));
	CHECK(state ? state >> (psinfo->pr_state - 1) & 1 : !psinfo->pr_state);
	fuzz_take(in, args, len);
	memcpy(psinfo->pr_psargs, args, len);
	kcs_psinfo_args(psinfo, len);
	CHECK(strlen(psinfo->pr_psargs) == len);
	for (i = 0; i < len; i++)
		CHECK(psinfo->pr_psargs[i] == (args[i] ? args[i] : ' '));
	free(psinfo);
}

#define CHECK_AUXV(in, word, class) do { \
	size_t count = (fuzz_u8(in) % 32 + 1) * 2, i; \
	word *auxv = fuzz_alloc(count * sizeof(*auxv)); \
	uint32_t size; \
	\
	for (i = 0; i < count; i++) \
		auxv[i] = fuzz_u8(in) % 8; \
	size = kcs_auxv_size(auxv, class, count * sizeof(*auxv)); \
	CHECK(size % (2 * sizeof(*auxv)) == 0 && size <= count * sizeof(*auxv)); \
	for (i = 0; i + 2 < size / sizeof(*auxv); i += 2) \
		CHECK(auxv[i] != AT_NULL); \
	CHECK(auxv[i] == AT_NULL || i + 2 == count); \
	free(auxv); \
} while (0)

static void check_auxv(struct fuzz_input *in)
{
	CHECK_AUXV(in, uint64_t, ELFCLASS64);
	CHECK_AUXV(in, uint32_t, ELFCLASS32);
}

/* What i386 has no room for is cut off, and of what it has nothing is lost. */
static void check_narrow(struct fuzz_input *in)
{
	struct elf_prpsinfo *psinfo = fuzz_alloc(sizeof(*psinfo));
	struct elf_prstatus *status = fuzz_alloc(sizeof(*status));
	struct kcs_prpsinfo32 psinfo32;
	struct kcs_prstatus32 status32;

	fuzz_take(in, psinfo, sizeof(*psinfo));
	fuzz_take(in, status, sizeof(*status));
	kcs_prpsinfo32(&psinfo32, psinfo, 65534, 65533);
	CHECK(psinfo32.pr_uid == (psinfo->pr_uid > UINT16_MAX ? 65534 : psinfo->pr_uid));
	CHECK(psinfo32.pr_gid == (psinfo->pr_gid > UINT16_MAX ? 65533 : psinfo->pr_gid));
	CHECK((pid_t)psinfo32.pr_pid == psinfo->pr_pid &&
	      (pid_t)psinfo32.pr_sid == psinfo->pr_sid &&
	      psinfo32.pr_flag == (uint32_t)psinfo->pr_flag);
	CHECK(!memcmp(psinfo32.pr_psargs, psinfo->pr_psargs, ELF_PRARGSZ));
	kcs_prstatus32(&status32, status);
	CHECK(!memcmp(status32.pr_reg, &status->pr_reg, sizeof(status32.pr_reg)));
	CHECK((pid_t)status32.pr_pid == status->pr_pid &&
	      (int)status32.pr_fpvalid == status->pr_fpvalid &&
	      status32.pr_sigpend == (uint32_t)status->pr_sigpend &&
	      status32.pr_cstime.tv_usec == (uint32_t)status->pr_cstime.tv_usec);
	free(psinfo);
	free(status);
}

void fuzz_notes(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	switch (fuzz_u8(&in) % 5) {
	case 0:
		check_notes(&in);
		break;
	case 1:
		check_files(&in);
		break;
	case 2:
		check_auxv(&in);
		break;
	case 3:
		check_narrow(&in);
		break;
	default:
		check_process(&in);
		break;
	}
}
