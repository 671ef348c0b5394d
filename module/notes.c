// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "elf.h"
#include "notes.h"
#include "regs.h"
#include "stream.h"
#include "vma.h"

#define FILES_SIZE_MAX (256UL << 20)	/* bytes: 70 000 mappings of 4 KiB paths */

static void fill_state(struct elf_prpsinfo *psinfo, unsigned int state)
{
	unsigned int i = state ? ffz(~state) + 1 : 0;

	psinfo->pr_state = i;
	psinfo->pr_sname = i > 5 ? '.' : "RSDTZW"[i];
	psinfo->pr_zomb = psinfo->pr_sname == 'Z';
}

/* As fs/binfmt_elf.c:fill_psinfo(), with the target's own pids. */
static void fill_psinfo(struct elf_prpsinfo *psinfo, struct task_struct *leader,
			unsigned int state)
{
	const struct cred *cred;
	struct pid_namespace *ns;

	rcu_read_lock();
	ns = task_active_pid_ns(leader);
	if (ns) {
		psinfo->pr_ppid = task_pid_nr_ns(rcu_dereference(leader->real_parent), ns);
		psinfo->pr_pid = task_pid_nr_ns(leader, ns);
		psinfo->pr_pgrp = task_pgrp_nr_ns(leader, ns);
		psinfo->pr_sid = task_session_nr_ns(leader, ns);
	}
	cred = __task_cred(leader);
	psinfo->pr_uid = from_kuid_munged(cred->user_ns, cred->uid);
	psinfo->pr_gid = from_kgid_munged(cred->user_ns, cred->gid);
	rcu_read_unlock();

	fill_state(psinfo, state);
	psinfo->pr_nice = task_nice(leader);
	psinfo->pr_flag = leader->flags;
	get_task_comm(psinfo->pr_fname, leader);
}

/* d_path() starts at the caller's root; a chroot of the target's shows in it. */
static int fill_root(struct kcs_notes *notes, struct task_struct *leader)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL);
	struct path root = {};
	char *name;

	if (!buf)
		return -ENOMEM;
	task_lock(leader);
	if (leader->fs)
		get_fs_root(leader->fs, &root);
	task_unlock(leader);
	if (root.dentry) {
		name = d_path(&root, buf, PAGE_SIZE);
		if (!IS_ERR(name) && strcmp(name, "/"))
			notes->root = kstrdup(name, GFP_KERNEL);
		else
			notes->root = kstrdup("", GFP_KERNEL);
		path_put(&root);
	} else {
		notes->root = kstrdup("", GFP_KERNEL);
	}
	free_page((unsigned long)buf);
	return notes->root ? 0 : -ENOMEM;
}

int kcs_notes_init(struct kcs_notes *notes, struct task_struct *leader,
		   unsigned int state)
{
	fill_psinfo(&notes->psinfo, leader, state);
	return fill_root(notes, leader);
}

void kcs_notes_free(struct kcs_notes *notes)
{
	kfree(notes->root);
	kvfree(notes->files);
}

static int fill_args(struct elf_prpsinfo *psinfo, struct mm_struct *clone)
{
	size_t len = min_t(size_t, clone->arg_end - clone->arg_start,
			   ELF_PRARGSZ - 1);
	size_t i;

	if (kcs_peek(clone, clone->arg_start, psinfo->pr_psargs, len) != len)
		memset(psinfo->pr_psargs, 0, len);
	for (i = 0; i < len; i++)
		if (!psinfo->pr_psargs[i])
			psinfo->pr_psargs[i] = ' ';
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static const char *as_target_sees(const struct kcs_notes *notes, const char *name)
{
	size_t len = strlen(notes->root);

	if (len && !strncmp(name, notes->root, len) && name[len] == '/')
		return name + len;
	return name;
}

static unsigned long count_files(const struct kcs_segments *segs)
{
	unsigned long n = 0;
	unsigned int i;

	for (i = 0; i < segs->nr; i++)
		n += segs->table[i].file != NULL;
	return n;
}

/* A buffer that grows; names come one behind the other. */
struct names {
	char *buf;
	size_t used;
	size_t size;
};

static int reserve(struct names *names, size_t more)
{
	size_t size = max(names->size * 2, names->used + more);
	char *buf;

	if (names->used + more <= names->size)
		return 0;
	if (size > FILES_SIZE_MAX)
		return -ENOMEM;
	buf = kvmalloc(size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, names->buf, names->used);
	kvfree(names->buf);
	names->buf = buf;
	names->size = size;
	return 0;
}

static int add_name(struct names *names, const struct kcs_notes *notes,
		    struct file *file, char *page)
{
	const char *name = d_path(&file->f_path, page, PAGE_SIZE);
	size_t len;
	int err;

	if (IS_ERR(name))
		name = "";
	name = as_target_sees(notes, name);
	len = strlen(name) + 1;
	err = reserve(names, len);
	if (err)
		return err;
	memcpy(names->buf + names->used, name, len);
	names->used += len;
	return 0;
}

/*
 * NT_FILE: the counts, page size, then start, end and page offset of each
 * mapping, then their names.
 */
static int fill_files(struct kcs_notes *notes, const struct kcs_segments *segs)
{
	unsigned long count = count_files(segs);
	size_t fixed = (2 + 3 * count) * sizeof(long);
	struct names names = {};
	unsigned long *entry;
	unsigned int i;
	char *page;
	int err;

	if (!count)
		return 0;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	err = reserve(&names, fixed + count * 32);
	if (err)
		goto free_page;
	names.used = fixed;
	for (i = 0; i < segs->nr && !err; i++) {
		if (segs->table[i].file)
			err = add_name(&names, notes, segs->table[i].file, page);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	if (err) {
		kvfree(names.buf);
		goto free_page;
	}

	entry = (unsigned long *)names.buf;
	*entry++ = count;
	*entry++ = PAGE_SIZE;
	for (i = 0; i < segs->nr; i++) {
		if (!segs->table[i].file)
			continue;
		*entry++ = segs->table[i].start;
		*entry++ = segs->table[i].end;
		*entry++ = segs->table[i].pgoff;
	}
	notes->files = names.buf;
	notes->files_size = names.used;
free_page:
	free_page((unsigned long)page);
	return err;
}

int kcs_notes_prepare(struct kcs_notes *notes, struct mm_struct *clone,
		      const struct kcs_segments *segs)
{
	return fill_args(&notes->psinfo, clone) ?: fill_files(notes, segs);
}

static u32 auxv_size(const struct mm_struct *mm)
{
	const unsigned long *auxv = mm->saved_auxv;
	unsigned int i = 0;

	do
		i += 2;
	while (i < ARRAY_SIZE(mm->saved_auxv) && auxv[i - 2] != AT_NULL);
	return i * sizeof(*auxv);
}

static const char *regset_owner(u32 type)
{
	return type == NT_PRFPREG ? "CORE" : "LINUX";
}

u64 kcs_notes_size(const struct kcs_notes *notes, const struct kcs_regs *regs,
		   const struct mm_struct *clone)
{
	u32 layout = kcs_regs_xsave_layout(NULL);
	unsigned int i, j;
	u64 size;

	size = kcs_elf_note_size("CORE", sizeof(notes->psinfo)) +
	       kcs_elf_note_size("CORE", sizeof(siginfo_t)) +
	       kcs_elf_note_size("CORE", auxv_size(clone));
	if (notes->files)
		size += kcs_elf_note_size("CORE", notes->files_size);
	for (i = 0; i < regs->count; i++) {
		const struct kcs_thread *thread = &regs->thread[i];

		if (!thread->read)
			continue;
		size += kcs_elf_note_size("CORE", sizeof(thread->prstatus));
		for (j = 0; j < thread->nr; j++)
			size += kcs_elf_note_size(regset_owner(thread->note[j].type),
						  thread->note[j].size);
	}
	if (layout)
		size += kcs_elf_note_size("LINUX", layout);
	return size;
}

static void *write_note(void *buf, const char *name, u32 type, u32 size,
			const void *data)
{
	void *desc = kcs_elf_write_note(buf, name, type, size);

	if (data)
		memcpy(desc, data, size);
	else
		memset(desc, 0, size);
	return buf + kcs_elf_note_size(name, size);
}

static void *write_process(const struct kcs_notes *notes,
			   const struct mm_struct *clone, void *buf)
{
	buf = write_note(buf, "CORE", NT_PRPSINFO, sizeof(notes->psinfo),
			 &notes->psinfo);
	/* No signal: nothing happened to the process. */
	buf = write_note(buf, "CORE", NT_SIGINFO, sizeof(siginfo_t), NULL);
	buf = write_note(buf, "CORE", NT_AUXV, auxv_size(clone), clone->saved_auxv);
	if (notes->files)
		buf = write_note(buf, "CORE", NT_FILE, notes->files_size, notes->files);
	return buf;
}

void kcs_notes_write(const struct kcs_notes *notes, const struct kcs_regs *regs,
		     const struct mm_struct *clone, void *buf)
{
	u32 layout = kcs_regs_xsave_layout(NULL);
	bool first = true;
	unsigned int i, j;

	for (i = 0; i < regs->count; i++) {
		const struct kcs_thread *thread = &regs->thread[i];

		if (!thread->read)
			continue;
		buf = write_note(buf, "CORE", NT_PRSTATUS, sizeof(thread->prstatus),
				 &thread->prstatus);
		if (first)
			buf = write_process(notes, clone, buf);
		first = false;
		for (j = 0; j < thread->nr; j++)
			buf = write_note(buf, regset_owner(thread->note[j].type),
					 thread->note[j].type, thread->note[j].size,
					 kcs_regs_data(regs, i) + thread->note[j].offset);
	}
	if (layout)
		kcs_regs_xsave_layout(kcs_elf_write_note(buf, "LINUX", KCS_NT_XSAVE_LAYOUT,
							 layout));
}
