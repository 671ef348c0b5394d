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

void kcs_psinfo_args(struct elf_prpsinfo *psinfo, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!psinfo->pr_psargs[i])
			psinfo->pr_psargs[i] = ' ';
	psinfo->pr_psargs[len] = '\0';
}

u32 kcs_auxv_size(const unsigned long *auxv, size_t max)
{
	size_t i = 0;

	do
		i += 2;
	while (i < max && auxv[i - 2] != AT_NULL);
	return i * sizeof(*auxv);
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

int kcs_file_note_begin(struct kcs_file_note *note, size_t count)
{
	size_t fixed = (HEAD_WORDS + ENTRY_WORDS * count) * sizeof(u64);
	u64 *head;

	if (count > FILE_NOTE_MAX / NAME_GUESS)
		return -ENOMEM;
	if (reserve(note, fixed + count * NAME_GUESS))
		return -ENOMEM;
	head = (u64 *)note->buf;
	head[0] = count;
	head[1] = KCS_ELF_PAGE;
	note->used = fixed;
	return 0;
}

int kcs_file_note_add(struct kcs_file_note *note, u64 start, u64 end, u64 pgoff,
		      const char *name)
{
	size_t len = strlen(name) + 1;
	u64 *entry;

	if (reserve(note, len))
		return -ENOMEM;
	entry = (u64 *)note->buf + HEAD_WORDS + ENTRY_WORDS * note->added++;
	entry[0] = start;
	entry[1] = end;
	entry[2] = pgoff;
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
