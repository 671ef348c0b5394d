// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/highuid.h>
#include <linux/kcoresnap.h>
#include <linux/mm.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include "elf.h"
#include "lookup.h"
#include "notedata.h"
#include "notes.h"
#include "regs.h"
#include "request.h"
#include "snapshot.h"
#include "target.h"
#include "vma.h"

/* As fs/binfmt_elf.c:fill_psinfo(), with the pids of whom the request named. */
static void fill_psinfo(struct elf_prpsinfo *psinfo, struct task_struct *leader,
			u32 pids, unsigned int state)
{
	const struct cred *cred;
	struct pid_namespace *ns;

	rcu_read_lock();
	ns = kcs_regs_pid_ns(leader, pids);
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

	kcs_psinfo_state(psinfo, state);
	psinfo->pr_nice = task_nice(leader);
	psinfo->pr_flag = leader->flags;
	get_task_comm(psinfo->pr_fname, leader);
}

/* d_path() starts at the caller's root; a chroot of the target's shows in it. */
static int fill_root(struct kcs_notes *notes, struct task_struct *task)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL);
	struct path root = {};
	char *name;

	if (!buf)
		return -ENOMEM;
	task_lock(task);
	if (task->fs)
		get_fs_root(task->fs, &root);
	task_unlock(task);
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

int kcs_notes_init(struct kcs_notes *notes, const struct kcs_target *target,
		   const struct kcs_request *req, unsigned int state)
{
	notes->class = target->class;
	fill_psinfo(&notes->psinfo, target->leader, req->pids, state);
	notes->taken.pids = req->pids;
	notes->taken.requester_pid = task_tgid_vnr(current);
	notes->taken.requester_uid = from_kuid_munged(current_user_ns(), current_uid());
	/* A leader that has exited has no root any more. */
	return fill_root(notes, target->task);
}

void kcs_notes_taken(struct kcs_notes *notes, const struct kcs_snapshot *snap,
		     u32 filter)
{
	struct kcoresnap_note *taken = &notes->taken;

	taken->version = KCORESNAP_NOTE_VERSION;
	taken->size = sizeof(*taken);
	taken->thread_size = sizeof(struct kcoresnap_note_thread);
	taken->mode = snap->mode;
	taken->filter = filter;
	taken->pid = pid_vnr(snap->pid);
	taken->ns_pid = kcs_snapshot_ns_pid(snap);
	taken->time_ns = snap->time_ns;
	taken->pause_ns = kcs_snapshot_pause_ns(snap);
	taken->park_ns = snap->figures.park_ns;
	taken->regs_ns = snap->figures.regs_ns;
	taken->clone_ns = snap->figures.clone_ns;
	taken->max_pause_ns = snap->max_pause_ns;
	taken->inexact_bound = snap->figures.inexact_bound;
	strscpy(taken->release, init_uts_ns.name.release, sizeof(taken->release));
	strscpy(taken->module, KCORESNAP_VERSION, sizeof(taken->module));
	strscpy(taken->comm, snap->comm, sizeof(taken->comm));
}

void kcs_notes_free(struct kcs_notes *notes)
{
	kfree(notes->root);
	kcs_file_note_free(&notes->files);
}

static bool is_in_file(const struct kcs_segments *segs, unsigned long start,
		       unsigned long end)
{
	unsigned int i;

	for (i = 0; i < segs->nr; i++)
		if (segs->table[i].of_file && segs->table[i].start < end &&
		    segs->table[i].end > start)
			return true;
	return false;
}

/* prctl(PR_SET_MM) can put them into any file, whose server may not answer. */
static int fill_args(struct kcs_notes *notes, struct mm_struct *mm, bool live,
		     struct kcs_patience *patience)
{
	unsigned long start = mm->arg_start;
	size_t len = min_t(size_t, mm->arg_end - start, ELF_PRARGSZ - 1);

	live |= is_in_file(notes->segs, start, start + len);
	len = kcs_peek(mm, start, notes->psinfo.pr_psargs, len, live, patience);
	kcs_psinfo_args(&notes->psinfo, len);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int add_file(struct kcs_notes *notes, struct file *file, char *page)
{
	const char *name = d_path(&file->f_path, page, PAGE_SIZE);

	return kcs_file_note_add(&notes->files, IS_ERR(name) ? "" :
				 kcs_path_below(name, notes->root));
}

static int fill_files(struct kcs_notes *notes, const struct kcs_segments *segs)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	const struct file *last = NULL;
	unsigned int i;
	int err = 0;

	if (!page)
		return -ENOMEM;
	notes->files.class = notes->class;
	for (i = 0; i < segs->nr && !err; i++) {
		struct file *file = segs->table[i].file;

		if (!file)
			continue;
		/* Mappings of one file are neighbours, mostly. */
		err = file == last ? kcs_file_note_add(&notes->files, NULL) :
				     add_file(notes, file, page);
		last = file;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)page);
	return err;
}

static void write_files(void *desc, const struct kcs_notes *notes)
{
	const struct kcs_segments *segs = notes->segs;
	unsigned int i, nr = 0;

	kcs_file_note_begin(&notes->files, desc);
	for (i = 0; i < segs->nr; i++) {
		const struct kcs_segment *seg = &segs->table[i];

		if (seg->file)
			kcs_file_note_put(&notes->files, desc, nr++, seg->start, seg->end,
					  seg->pgoff);
		cond_resched();
	}
}

int kcs_notes_prepare(struct kcs_notes *notes, struct mm_struct *mm, bool live,
		      const struct kcs_segments *segs, struct kcs_patience *patience)
{
	notes->segs = segs;
	return fill_args(notes, mm, live, patience) ?: fill_files(notes, segs);
}

static const char *regset_owner(u32 type)
{
	return type == NT_PRFPREG ? "CORE" : "LINUX";
}

static void add_prstatus(struct kcs_elf_notes *out, const struct kcs_notes *notes,
			 const struct elf_prstatus *prstatus)
{
	struct kcs_prstatus32 narrow;

	if (notes->class == ELFCLASS64) {
		kcs_elf_add_note(out, "CORE", NT_PRSTATUS, sizeof(*prstatus), prstatus);
	} else {
		kcs_prstatus32(&narrow, prstatus);
		kcs_elf_add_note(out, "CORE", NT_PRSTATUS, sizeof(narrow), &narrow);
	}
}

static void add_prpsinfo(struct kcs_elf_notes *out, const struct kcs_notes *notes)
{
	struct kcs_prpsinfo32 narrow;

	if (notes->class == ELFCLASS64) {
		kcs_elf_add_note(out, "CORE", NT_PRPSINFO, sizeof(notes->psinfo),
				 &notes->psinfo);
	} else {
		kcs_prpsinfo32(&narrow, &notes->psinfo, overflowuid, overflowgid);
		kcs_elf_add_note(out, "CORE", NT_PRPSINFO, sizeof(narrow), &narrow);
	}
}

static void add_process(struct kcs_elf_notes *out, const struct kcs_notes *notes,
			const struct mm_struct *mm)
{
	const struct kcs_file_note *files = &notes->files;
	int *signo;
	void *desc;

	add_prpsinfo(out, notes);
	/*
	 * Nothing happened to the process. But where no thread has a signal, lldb 21
	 * waits for ever until one is stopped. Of both classes one size.
	 */
	signo = kcs_elf_add_note(out, "CORE", NT_SIGINFO, sizeof(siginfo_t), NULL);
	if (signo)
		*signo = SIGSTOP;
	kcs_elf_add_note(out, "CORE", NT_AUXV,
			 kcs_auxv_size(mm->saved_auxv, notes->class,
				       sizeof(mm->saved_auxv)),
			 mm->saved_auxv);
	if (!files->count)
		return;
	desc = kcs_elf_add_note(out, "CORE", NT_FILE, kcs_file_note_size(files), NULL);
	if (desc)
		write_files(desc, notes);
	kcs_elf_leave_out(out, desc ? desc + kcs_file_note_words(files) : NULL,
			  files->names_size);
}

static u32 count_read(const struct kcs_regs *regs)
{
	u32 threads = 0;
	unsigned int i;

	for (i = 0; i < regs->count; i++)
		threads += regs->thread[i].read;
	return threads;
}

/* The descriptor is aligned to 4 bytes only. */
static void add_taken(struct kcs_elf_notes *out, const struct kcs_notes *notes,
		      const struct kcs_regs *regs)
{
	struct kcoresnap_note taken = notes->taken;
	unsigned int i;
	void *desc;

	taken.threads = count_read(regs);
	desc = kcs_elf_add_note(out, KCORESNAP_NOTE_OWNER, KCORESNAP_NT_SNAPSHOT,
				sizeof(taken) + taken.threads *
				sizeof(struct kcoresnap_note_thread), NULL);
	if (!desc)
		return;
	memcpy(desc, &taken, sizeof(taken));
	desc += sizeof(taken);
	for (i = 0; i < regs->count; i++) {
		const struct kcs_thread *thread = &regs->thread[i];
		struct kcoresnap_note_thread record = {
			.tid = thread->tid,
			.ns_tid = thread->ns_tid,
			.state = kcs_state_letter(thread->state),
			.flags = thread->inexact ? KCORESNAP_NOTE_THREAD_INEXACT : 0,
		};

		if (!thread->read)
			continue;
		strscpy(record.name, thread->name, sizeof(record.name));
		memcpy(desc, &record, sizeof(record));
		desc += sizeof(record);
	}
}

static void add_all(struct kcs_elf_notes *out, const struct kcs_notes *notes,
		    const struct kcs_regs *regs, const struct mm_struct *mm)
{
	u32 layout = kcs_regs_xsave_layout(NULL);
	bool first = true;
	unsigned int i, j;
	void *desc;

	for (i = 0; i < regs->count; i++) {
		const struct kcs_thread *thread = &regs->thread[i];

		if (!thread->read)
			continue;
		add_prstatus(out, notes, &thread->prstatus);
		if (first)
			add_process(out, notes, mm);
		first = false;
		for (j = 0; j < thread->nr; j++)
			kcs_elf_add_note(out, regset_owner(thread->note[j].type),
					 thread->note[j].type, thread->note[j].size,
					 kcs_regs_data(regs, i) + thread->note[j].offset);
	}
	desc = layout ? kcs_elf_add_note(out, "LINUX", KCS_NT_XSAVE_LAYOUT, layout, NULL) :
			NULL;
	if (desc)
		kcs_regs_xsave_layout(desc);
	add_taken(out, notes, regs);
}

u64 kcs_notes_size(const struct kcs_notes *notes, const struct kcs_regs *regs,
		   const struct mm_struct *mm)
{
	struct kcs_elf_notes out = {};

	add_all(&out, notes, regs, mm);
	return out.size;
}

u64 kcs_notes_write(const struct kcs_notes *notes, const struct kcs_regs *regs,
		    const struct mm_struct *mm, void *buf)
{
	struct kcs_elf_notes out = { .buf = buf };

	add_all(&out, notes, regs, mm);
	return out.gap_offset;
}
