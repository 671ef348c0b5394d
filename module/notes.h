/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The notes of a core, in the order and with the contents of
 * fs/binfmt_elf.c:write_note_info(): NT_PRSTATUS of the first thread,
 * NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE, the first thread's other regsets,
 * then each further thread; NT_X86_XSAVE_LAYOUT where the kernel's has it. Those
 * of a 32-bit program are as fs/compat_binfmt_elf.c makes them. Behind them all
 * comes the note of include/uapi/linux/kcoresnap_core.h.
 */
#ifndef _KCS_NOTES_H
#define _KCS_NOTES_H

#include <linux/elfcore.h>
#include <linux/kcoresnap_core.h>
#include <linux/types.h>

#include "notedata.h"

struct kcs_patience;
struct kcs_regs;
struct kcs_request;
struct kcs_segments;
struct kcs_snapshot;
struct kcs_target;
struct mm_struct;

/**
 * struct kcs_notes - what the notes say of the process as a whole
 * @class: of the core, ELFCLASS32 or ELFCLASS64
 * @psinfo: NT_PRPSINFO
 * @root: path of the target's root as the caller sees it, "" for its own; mapped
 *	files are named from there on
 * @segs: the mappings, with their files
 * @files: NT_FILE of those; there is none if no file is mapped
 * @taken: how the core was taken; the number of threads is filled in when it is
 *	written
 */
struct kcs_notes {
	u8 class;
	struct elf_prpsinfo psinfo;
	char *root;
	const struct kcs_segments *segs;
	struct kcs_file_note files;
	struct kcoresnap_note taken;
};

/**
 * kcs_notes_init() - what has to be asked of the task
 * @notes: filled in
 * @target: held, so that no execve can happen
 * @req: the request
 * @state: its leader's task state at the instant
 *
 * Context: the caller's.
 * Return: 0 or -ENOMEM.
 */
int kcs_notes_init(struct kcs_notes *notes, const struct kcs_target *target,
		   const struct kcs_request *req, unsigned int state);
void kcs_notes_free(struct kcs_notes *notes);

/**
 * kcs_notes_prepare() - make what depends on the address space
 * @notes: kcs_notes_init() ran
 * @mm: address space with the arguments
 * @live: it is the target's
 * @segs: sorted
 * @patience: for its lock; without it there are no arguments
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int kcs_notes_prepare(struct kcs_notes *notes, struct mm_struct *mm, bool live,
		      const struct kcs_segments *segs, struct kcs_patience *patience);

/**
 * kcs_notes_taken() - say how the snapshot was taken
 * @notes: kcs_notes_init() ran
 * @snap: its figures stand
 * @filter: coredump_filter bits
 */
void kcs_notes_taken(struct kcs_notes *notes, const struct kcs_snapshot *snap,
		     u32 filter);

/** kcs_notes_size() - bytes of all notes */
u64 kcs_notes_size(const struct kcs_notes *notes, const struct kcs_regs *regs,
		   const struct mm_struct *mm);

/**
 * kcs_notes_write() - write all notes but the names in NT_FILE
 * @buf: zeros, @notes->files.names_size bytes less than kcs_notes_size()
 *
 * The files of the segments that kcs_notes_prepare() was given are still held.
 *
 * Return: where in the notes, and in @buf, those names belong.
 */
u64 kcs_notes_write(const struct kcs_notes *notes, const struct kcs_regs *regs,
		    const struct mm_struct *mm, void *buf);

#endif
