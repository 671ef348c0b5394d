/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What notes hold, as far as it is arithmetic on what others have looked up: the
 * state and the arguments in NT_PRPSINFO, the size of NT_AUXV, and NT_FILE.
 * Compiles in user space too.
 */
#ifndef _KCS_NOTEDATA_H
#define _KCS_NOTEDATA_H

#include "elf.h"

#ifdef __KERNEL__
#include <linux/elfcore.h>
#else
#include <sys/procfs.h>
#endif

/**
 * kcs_psinfo_state() - fill in a task's state
 * @psinfo: its @pr_state, @pr_sname and @pr_zomb are set
 * @state: TASK_*, 0 for one that runs
 */
void kcs_psinfo_state(struct elf_prpsinfo *psinfo, unsigned int state);

/**
 * kcs_psinfo_args() - make one line of the arguments
 * @psinfo: its @pr_psargs holds them, a NUL behind each
 * @len: bytes of them, less than ELF_PRARGSZ
 */
void kcs_psinfo_args(struct elf_prpsinfo *psinfo, size_t len);

/**
 * kcs_auxv_size() - size of an auxiliary vector
 * @auxv: pairs, the last of them AT_NULL unless the room is used up
 * @max: entries there is room for, even
 *
 * Return: bytes, with AT_NULL.
 */
u32 kcs_auxv_size(const unsigned long *auxv, size_t max);

/**
 * struct kcs_file_note - an NT_FILE that is put together
 * @buf: the note: the number of mappings, the page size, then first address,
 *	end and offset in pages of each, then their names
 * @used: bytes of it
 * @room: bytes allocated
 * @added: mappings so far
 */
struct kcs_file_note {
	char *buf;
	size_t used;
	size_t room;
	size_t added;
};

/**
 * kcs_file_note_begin() - begin one
 * @note: empty
 * @count: mappings that will be added
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_file_note_begin(struct kcs_file_note *note, size_t count);

/**
 * kcs_file_note_add() - add a mapping
 * @note: one that has fewer than it was begun for
 * @start: first address
 * @end: first address behind it
 * @pgoff: offset in the file, in pages
 * @name: path
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_file_note_add(struct kcs_file_note *note, u64 start, u64 end, u64 pgoff,
		      const char *name);
void kcs_file_note_free(struct kcs_file_note *note);

/**
 * kcs_path_below() - a path as one sees it whose root is another directory
 * @path: absolute
 * @root: path of that directory, "" for the root itself
 *
 * Return: where in @path that begins; @path if it is not below @root.
 */
const char *kcs_path_below(const char *path, const char *root);

#endif
