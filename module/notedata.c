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
#define NAME_GUESS 32UL			/* bytes: a short path */
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

static void put_word(void *words, u8 class, size_t i, u64 value)
{
	if (class == ELFCLASS32)
		((u32 *)words)[i] = value;
	else
		((u64 *)words)[i] = value;
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

static int reserve(struct kcs_file_note *note, size_t more)
{
	size_t need = note->used + more;
	size_t room = note->room * 2;
	char *buf;

	if (need <= note->room)
		return 0;
	if (need > FILE_NOTE_MAX)
		return -ENOMEM;
	if (room < need)
		room = need;
	if (room > FILE_NOTE_MAX)
		room = FILE_NOTE_MAX;
	buf = kvmalloc(room, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (note->used)
		memcpy(buf, note->buf, note->used);
	kvfree(note->buf);
	note->buf = buf;
	note->room = room;
	return 0;
}

int kcs_file_note_begin(struct kcs_file_note *note, u8 class, size_t count)
{
	size_t fixed = (HEAD_WORDS + ENTRY_WORDS * count) * kcs_elf_word(class);

	if (count > FILE_NOTE_MAX / NAME_GUESS)
		return -ENOMEM;
	if (reserve(note, fixed + count * NAME_GUESS))
		return -ENOMEM;
	note->class = class;
	put_word(note->buf, class, 0, count);
	put_word(note->buf, class, 1, KCS_ELF_PAGE);
	note->used = fixed;
	return 0;
}

int kcs_file_note_add(struct kcs_file_note *note, u64 start, u64 end, u64 pgoff,
		      const char *name)
{
	size_t len = strlen(name) + 1;
	size_t entry = HEAD_WORDS + ENTRY_WORDS * note->added;

	if (reserve(note, len))
		return -ENOMEM;
	note->added++;
	put_word(note->buf, note->class, entry, start);
	put_word(note->buf, note->class, entry + 1, end);
	put_word(note->buf, note->class, entry + 2, pgoff);
	memcpy(note->buf + note->used, name, len);
	note->used += len;
	return 0;
}

void kcs_file_note_free(struct kcs_file_note *note)
{
	kvfree(note->buf);
	*note = (struct kcs_file_note) {};
}

const char *kcs_path_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len && !strncmp(path, root, len) && path[len] == '/')
		return path + len;
	return path;
}
