/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What notes hold, as far as it is arithmetic on what others have looked up: the
 * state and the arguments in NT_PRPSINFO, the size of NT_AUXV, NT_FILE, and what
 * NT_PRSTATUS and NT_PRPSINFO of a 32-bit program look like. Compiles in user
 * space too.
 */
#ifndef _KCS_NOTEDATA_H
#define _KCS_NOTEDATA_H

#include "elf.h"

#ifdef __KERNEL__
#include <linux/elfcore.h>
#else
#include <sys/procfs.h>
#define kcs_prstatus_common(prstatus) (prstatus)
#endif

#define KCS_REGS32 17	/* struct user_regs_struct32 of i386, in words */

/** struct kcs_timeval32 - struct old_timeval32 */
struct kcs_timeval32 {
	u32 tv_sec;
	u32 tv_usec;
};

/** struct kcs_prstatus32 - NT_PRSTATUS as i386 has it: struct compat_elf_prstatus */
struct kcs_prstatus32 {
	u32 si_signo;
	u32 si_code;
	u32 si_errno;
	u16 pr_cursig;
	u16 pad;
	u32 pr_sigpend;
	u32 pr_sighold;
	u32 pr_pid;
	u32 pr_ppid;
	u32 pr_pgrp;
	u32 pr_sid;
	struct kcs_timeval32 pr_utime;
	struct kcs_timeval32 pr_stime;
	struct kcs_timeval32 pr_cutime;
	struct kcs_timeval32 pr_cstime;
	u32 pr_reg[KCS_REGS32];
	u32 pr_fpvalid;
};

/** struct kcs_prpsinfo32 - NT_PRPSINFO as i386 has it: struct compat_elf_prpsinfo */
struct kcs_prpsinfo32 {
	char pr_state;
	char pr_sname;
	char pr_zomb;
	char pr_nice;
	u32 pr_flag;
	u16 pr_uid;
	u16 pr_gid;
	u32 pr_pid;
	u32 pr_ppid;
	u32 pr_pgrp;
	u32 pr_sid;
	char pr_fname[16];
	char pr_psargs[ELF_PRARGSZ];
};

/**
 * kcs_prstatus32() - NT_PRSTATUS of a thread of a 32-bit program
 * @to: all of it is filled in
 * @from: what it holds; its @pr_reg begins with a struct user_regs_struct32
 */
void kcs_prstatus32(struct kcs_prstatus32 *to, const struct elf_prstatus *from);

/**
 * kcs_prpsinfo32() - NT_PRPSINFO of a 32-bit program
 * @to: all of it is filled in
 * @from: what it holds
 * @overflow_uid: what stands for a uid that 16 bits can't hold
 * @overflow_gid: likewise
 */
void kcs_prpsinfo32(struct kcs_prpsinfo32 *to, const struct elf_prpsinfo *from,
		    u16 overflow_uid, u16 overflow_gid);

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

/** kcs_state_letter() - a task state (TASK_*) as /proc/PID/stat has it */
char kcs_state_letter(unsigned int state);

/**
 * kcs_auxv_size() - size of an auxiliary vector
 * @auxv: pairs of words of @class, the last of them AT_NULL unless the room is
 *	used up
 * @class: ELFCLASS32 or ELFCLASS64
 * @room: bytes there is room for, in whole pairs
 *
 * Return: bytes, with AT_NULL.
 */
u32 kcs_auxv_size(const void *auxv, u8 class, size_t room);

/**
 * struct kcs_file_run - neighbours in an NT_FILE that have one name
 * @start: where the first one's is, in bytes from the first name on
 * @at: where it is held
 * @held: bytes that are held there: if it is short, it is there several times
 * @len: its bytes, with the NUL
 */
struct kcs_file_run {
	size_t start;
	u32 at;
	u32 held;
	u32 len;
};

/**
 * struct kcs_file_note - an NT_FILE: the number of mappings, the page size, then
 *	first address, end and offset in pages of each, then the names of all
 *	(fs/binfmt_elf.c:fill_files_note())
 * @class: of its words, ELFCLASS32 or ELFCLASS64
 * @count: mappings
 * @names_size: bytes of the names of all
 * @names: the names that are held, one for each run
 * @used: bytes of @names
 * @room: bytes allocated
 * @runs: in the order of the mappings
 * @nr_runs: entries of @runs
 * @runs_room: bytes allocated
 *
 * The names of thousands of mappings of one file take MiBs, so the whole is
 * nowhere: who reads it puts them together.
 */
struct kcs_file_note {
	u8 class;
	size_t count;
	size_t names_size;
	char *names;
	size_t used;
	size_t room;
	struct kcs_file_run *runs;
	size_t nr_runs;
	size_t runs_room;
};

/**
 * kcs_file_note_add() - add a mapping
 * @note: with its class
 * @name: path, or NULL for that of the mapping before
 *
 * Return: 0 or -ENOMEM.
 */
int kcs_file_note_add(struct kcs_file_note *note, const char *name);

/** kcs_file_note_words() - bytes of its descriptor before the names */
u32 kcs_file_note_words(const struct kcs_file_note *note);

/** kcs_file_note_size() - bytes of its descriptor */
static inline u32 kcs_file_note_size(const struct kcs_file_note *note)
{
	return kcs_file_note_words(note) + note->names_size;
}

/**
 * kcs_file_note_begin() - write what stands before the first mapping
 * @note: with all of its mappings
 * @desc: room for kcs_file_note_words() bytes, aligned to 4
 */
void kcs_file_note_begin(const struct kcs_file_note *note, void *desc);

/**
 * kcs_file_note_put() - write where a mapping is
 * @note: with all of its mappings
 * @desc: its descriptor
 * @i: which, by the order in which they were added
 * @start: first address
 * @end: first address behind it
 * @pgoff: offset in the file, in pages
 */
void kcs_file_note_put(const struct kcs_file_note *note, void *desc, size_t i,
		       u64 start, u64 end, u64 pgoff);

/**
 * kcs_file_note_names() - the names of the mappings, piece by piece
 * @note: with all of its mappings
 * @offset: from the first name on, in bytes, below @note->names_size
 * @len: bytes of the piece
 *
 * Return: the piece, to the end of a name. It may hold several.
 */
const char *kcs_file_note_names(const struct kcs_file_note *note, size_t offset,
				size_t *len);
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
