// SPDX-License-Identifier: GPL-2.0
#ifdef __KERNEL__
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define kvmalloc(size, flags) malloc(size)
#define kvfree free
#endif

#include "notedata.h"

#define FILE_NOTE_MAX (256UL << 20)	/* bytes: 70 000 mappings of 4 KiB paths */
#define HELD_MIN 2048U			/* bytes: copied so many at a time, names cost little */
#define ROOM_MIN 4096UL			/* bytes: the paths of most processes */
#define HEAD_WORDS 2U
#define ENTRY_WORDS 3U

void kcs_psinfo_state(struct elf_prpsinfo *psinfo, unsigned int state)
{
	unsigned int i = __builtin_ffs(state);

	psinfo->pr_state = i;
	psinfo->pr_sname = i > 5 ? '.' : "RSDTZW"[i];
	psinfo->pr_zomb = psinfo->pr_sname == 'Z';
}

char kcs_state_letter(unsigned int state)
{
	static const char letters[] = "SDTt";
	unsigned int i = __builtin_ffs(state);

	if (!i)
		return 'R';
	/* What has a bit of its own since (frozen, say) shows as uninterruptible. */
	return i < sizeof(letters) ? letters[i - 1] : 'D';
}

void kcs_psinfo_args(struct elf_prpsinfo *psinfo, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!psinfo->pr_psargs[i])
			psinfo->pr_psargs[i] = ' ';
	psinfo->pr_psargs[len] = '\0';
}

static u64 get_word(const void *words, u8 class, size_t i)
{
	return class == ELFCLASS32 ? ((const u32 *)words)[i] : ((const u64 *)words)[i];
}

/* A descriptor is aligned to 4 bytes only. */
static void put_word(void *words, u8 class, size_t i, u64 value)
{
	u32 narrow = value;

	if (class == ELFCLASS32)
		memcpy(words + i * sizeof(narrow), &narrow, sizeof(narrow));
	else
		memcpy(words + i * sizeof(value), &value, sizeof(value));
}

u32 kcs_auxv_size(const void *auxv, u8 class, size_t room)
{
	size_t max = room / kcs_elf_word(class), i = 0;

	do
		i += 2;
	while (i < max && get_word(auxv, class, i - 2) != AT_NULL);
	return i * kcs_elf_word(class);
}

static struct kcs_timeval32 narrow_time(s64 sec, s64 usec)
{
	return (struct kcs_timeval32) { .tv_sec = sec, .tv_usec = usec };
}

void kcs_prstatus32(struct kcs_prstatus32 *to, const struct elf_prstatus *from)
{
	*to = (struct kcs_prstatus32) {
		.si_signo = kcs_prstatus_common(from)->pr_info.si_signo,
		.si_code = kcs_prstatus_common(from)->pr_info.si_code,
		.si_errno = kcs_prstatus_common(from)->pr_info.si_errno,
		.pr_cursig = kcs_prstatus_common(from)->pr_cursig,
		.pr_sigpend = kcs_prstatus_common(from)->pr_sigpend,
		.pr_sighold = kcs_prstatus_common(from)->pr_sighold,
		.pr_pid = kcs_prstatus_common(from)->pr_pid,
		.pr_ppid = kcs_prstatus_common(from)->pr_ppid,
		.pr_pgrp = kcs_prstatus_common(from)->pr_pgrp,
		.pr_sid = kcs_prstatus_common(from)->pr_sid,
		.pr_utime = narrow_time(kcs_prstatus_common(from)->pr_utime.tv_sec,
					kcs_prstatus_common(from)->pr_utime.tv_usec),
		.pr_stime = narrow_time(kcs_prstatus_common(from)->pr_stime.tv_sec,
					kcs_prstatus_common(from)->pr_stime.tv_usec),
		.pr_cutime = narrow_time(kcs_prstatus_common(from)->pr_cutime.tv_sec,
					kcs_prstatus_common(from)->pr_cutime.tv_usec),
		.pr_cstime = narrow_time(kcs_prstatus_common(from)->pr_cstime.tv_sec,
					kcs_prstatus_common(from)->pr_cstime.tv_usec),
		.pr_fpvalid = from->pr_fpvalid,
	};
	memcpy(to->pr_reg, &from->pr_reg, sizeof(to->pr_reg));
}

static u16 narrow_id(u32 id, u16 overflow)
{
	return id > (u16)~0U ? overflow : id;
}

void kcs_prpsinfo32(struct kcs_prpsinfo32 *to, const struct elf_prpsinfo *from,
		    u16 overflow_uid, u16 overflow_gid)
{
	*to = (struct kcs_prpsinfo32) {
		.pr_state = from->pr_state,
		.pr_sname = from->pr_sname,
		.pr_zomb = from->pr_zomb,
		.pr_nice = from->pr_nice,
		.pr_flag = from->pr_flag,
		.pr_uid = narrow_id(from->pr_uid, overflow_uid),
		.pr_gid = narrow_id(from->pr_gid, overflow_gid),
		.pr_pid = from->pr_pid,
		.pr_ppid = from->pr_ppid,
		.pr_pgrp = from->pr_pgrp,
		.pr_sid = from->pr_sid,
	};
	memcpy(to->pr_fname, from->pr_fname, sizeof(to->pr_fname));
	memcpy(to->pr_psargs, from->pr_psargs, sizeof(to->pr_psargs));
}

/* Makes room for @more bytes behind @used in a buffer of @room bytes. */
static int reserve(void **buf, size_t used, size_t *room, size_t more)
{
	size_t want = used + used / 2 + more;
	void *larger;

	if (used + more <= *room)
		return 0;
	if (want < ROOM_MIN)
		want = ROOM_MIN;
	larger = kvmalloc(want, GFP_KERNEL);
	if (!larger)
		return -ENOMEM;
	if (used)
		memcpy(larger, *buf, used);
	kvfree(*buf);
	*buf = larger;
	*room = want;
	return 0;
}

static int begin_run(struct kcs_file_note *note, size_t len)
{
	void *runs = note->runs;
	int err = reserve(&runs, note->nr_runs * sizeof(*note->runs), &note->runs_room,
			  sizeof(*note->runs));

	note->runs = runs;
	if (err)
		return err;
	note->runs[note->nr_runs++] = (struct kcs_file_run) {
		.start = note->names_size, .at = note->used, .len = len,
	};
	return 0;
}

/* Of the last run; @name is NULL for what it holds already. */
static int hold_name(struct kcs_file_note *note, const char *name)
{
	struct kcs_file_run *run = &note->runs[note->nr_runs - 1];
	void *names = note->names;
	int err;

	if (run->held >= HELD_MIN)
		return 0;
	err = reserve(&names, note->used, &note->room, run->len);
	note->names = names;
	if (err)
		return err;
	memcpy(note->names + note->used, name ? name : note->names + run->at, run->len);
	note->used += run->len;
	run->held += run->len;
	return 0;
}

int kcs_file_note_add(struct kcs_file_note *note, const char *name)
{
	size_t len = name ? strlen(name) + 1 : note->runs[note->nr_runs - 1].len;

	if (kcs_file_note_words(note) + note->names_size + len > FILE_NOTE_MAX)
		return -ENOMEM;
	if ((name && begin_run(note, len)) || hold_name(note, name))
		return -ENOMEM;
	note->count++;
	note->names_size += len;
	return 0;
}

u32 kcs_file_note_words(const struct kcs_file_note *note)
{
	return (HEAD_WORDS + ENTRY_WORDS * note->count) * kcs_elf_word(note->class);
}

void kcs_file_note_begin(const struct kcs_file_note *note, void *desc)
{
	put_word(desc, note->class, 0, note->count);
	put_word(desc, note->class, 1, KCS_ELF_PAGE);
}

void kcs_file_note_put(const struct kcs_file_note *note, void *desc, size_t i,
		       u64 start, u64 end, u64 pgoff)
{
	size_t entry = HEAD_WORDS + ENTRY_WORDS * i;

	put_word(desc, note->class, entry, start);
	put_word(desc, note->class, entry + 1, end);
	put_word(desc, note->class, entry + 2, pgoff);
}

const char *kcs_file_note_names(const struct kcs_file_note *note, size_t offset,
				size_t *len)
{
	size_t low = 0, high = note->nr_runs, skip, end;
	const struct kcs_file_run *run;

	/* The last that starts no later. */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (note->runs[mid].start <= offset)
			low = mid;
		else
			high = mid;
	}
	run = &note->runs[low];
	end = high < note->nr_runs ? run[1].start : note->names_size;
	skip = (offset - run->start) % run->len;
	*len = run->held - skip;
	if (*len > end - offset)
		*len = end - offset;
	return note->names + run->at + skip;
}

void kcs_file_note_free(struct kcs_file_note *note)
{
	kvfree(note->names);
	kvfree(note->runs);
	*note = (struct kcs_file_note) {};
}

const char *kcs_path_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len && !strncmp(path, root, len) && path[len] == '/')
		return path + len;
	return path;
}
