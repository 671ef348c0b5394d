// SPDX-License-Identifier: GPL-2.0
#include <linux/elf.h>
#include <linux/kcoresnap.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/regset.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include <asm/desc.h>
#include <asm/mmu_context.h>

#ifdef NT_X86_XSAVE_LAYOUT
#include <asm/cpuid/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <uapi/asm/elf.h>
#endif

#include "ksym.h"
#include "quiesce.h"
#include "regs.h"

static bool has_core_note(const struct user_regset *regset)
{
	return regset->core_note_type != 0;
}

static size_t regset_size(const struct user_regset *regset)
{
	return (size_t)regset->n * regset->size;
}

/*
 * The I/O permission bitmap is 8 KiB, and almost nobody has one. An exit frees
 * it, but not before it took task_lock() to leave the mm: with that held and an
 * mm there, it stays.
 */
static bool is_active(struct task_struct *task, const struct user_regset *regset)
{
	return !regset->active || regset->active(task, regset) > 0;
}

static bool anyone_active(struct task_struct *group, const struct user_regset *regset)
{
	struct task_struct *task;
	bool active = false;

	rcu_read_lock();
	for_each_thread(group, task) {
		/* Kernel threads in all but name: some have no FP state at all. */
		if (task->flags & (PF_IO_WORKER | PF_USER_WORKER))
			continue;
		task_lock(task);
		active = task->mm && is_active(task, regset);
		task_unlock(task);
		if (active)
			break;
	}
	rcu_read_unlock();
	return active;
}

int kcs_regs_alloc(struct kcs_regs *regs, unsigned int max)
{
	const struct user_regset_view *view = regs->view;
	unsigned int i;

	regs->max = max;
	regs->stride = 0;
	for (i = 1; i < view->n; i++)
		if (has_core_note(&view->regsets[i]) &&
		    anyone_active(regs->leader, &view->regsets[i]))
			regs->stride += ALIGN(regset_size(&view->regsets[i]), 8);

	/* Too much for the allocator is no bug of ours: no warning. */
	regs->thread = kvcalloc(max, sizeof(*regs->thread), GFP_KERNEL | __GFP_NOWARN);
	regs->data = kvcalloc(max, regs->stride, GFP_KERNEL | __GFP_NOWARN);
	if (!regs->thread || !regs->data) {
		kcs_regs_free(regs);
		return -ENOMEM;
	}
	return 0;
}

void kcs_regs_free(struct kcs_regs *regs)
{
	kvfree(regs->thread);
	kvfree(regs->data);
	regs->thread = NULL;
	regs->data = NULL;
}

static void fill_times(struct elf_prstatus *prstatus, struct task_struct *task)
{
	u64 utime = task->utime, stime = task->stime;
	struct task_struct *t;

	/* The leader's are the group's, as in fs/binfmt_elf.c. */
	if (thread_group_leader(task)) {
		utime = task->signal->utime;
		stime = task->signal->stime;
		rcu_read_lock();
		for_each_thread(task, t) {
			utime += t->utime;
			stime += t->stime;
		}
		rcu_read_unlock();
	}
	kcs_prstatus_common(prstatus)->pr_utime = ns_to_kernel_old_timeval(utime);
	kcs_prstatus_common(prstatus)->pr_stime = ns_to_kernel_old_timeval(stime);
	kcs_prstatus_common(prstatus)->pr_cutime =
		ns_to_kernel_old_timeval(task->signal->cutime);
	kcs_prstatus_common(prstatus)->pr_cstime =
		ns_to_kernel_old_timeval(task->signal->cstime);
}

struct pid_namespace *kcs_regs_pid_ns(struct task_struct *task, u32 pids)
{
	/* Of a task that was released, real_parent may be freed. */
	if (!pid_alive(task))
		return NULL;
	return task_active_pid_ns(pids == KCORESNAP_PIDS_CALLER ? current : task);
}

static void fill_identity(struct kcs_thread *thread, struct task_struct *task)
{
	struct pid_namespace *ns;

	thread->tid = task_pid_vnr(task);
	rcu_read_lock();
	ns = task_active_pid_ns(task);
	thread->ns_tid = ns ? task_pid_nr_ns(task, ns) : 0;
	rcu_read_unlock();
	strscpy(thread->name, task->comm, sizeof(thread->name));
}

/* As fs/binfmt_elf.c:fill_prstatus(), with the pids of whom the request named. */
static void fill_prstatus(struct elf_prstatus *prstatus, struct task_struct *task,
			  u32 pids)
{
	struct pid_namespace *ns;

	rcu_read_lock();
	ns = kcs_regs_pid_ns(task, pids);
	if (ns) {
		kcs_prstatus_common(prstatus)->pr_ppid =
			task_pid_nr_ns(rcu_dereference(task->real_parent), ns);
		kcs_prstatus_common(prstatus)->pr_pid = task_pid_nr_ns(task, ns);
		kcs_prstatus_common(prstatus)->pr_pgrp = task_pgrp_nr_ns(task, ns);
		kcs_prstatus_common(prstatus)->pr_sid = task_session_nr_ns(task, ns);
	}
	rcu_read_unlock();
	kcs_prstatus_common(prstatus)->pr_sigpend = task->pending.signal.sig[0];
	kcs_prstatus_common(prstatus)->pr_sighold = task->blocked.sig[0];
	fill_times(prstatus, task);
}

/* In KVM_RUN the FP state in memory may be the guest's. */
static bool runs_vcpu(const struct task_struct *task)
{
#ifdef CONFIG_PREEMPT_NOTIFIERS
	return !hlist_empty(&task->preempt_notifiers);
#else
	return false;
#endif
}

#if defined(CONFIG_X86_64) && defined(CONFIG_MODIFY_LDT_SYSCALL)
static unsigned long ldt_base(struct mm_struct *mm, unsigned int entry)
{
	unsigned long base = 0;
	struct ldt_struct *ldt;

	mutex_lock(&mm->context.lock);
	ldt = mm->context.ldt;
	if (ldt && entry < ldt->nr_entries)
		base = get_desc_base(&ldt->entries[entry]);
	mutex_unlock(&mm->context.lock);
	return base;
}

/* As arch/x86/kernel/process_64.c:x86_fsbase_read_task(). */
static unsigned long segment_base(struct mm_struct *mm, struct task_struct *task,
				  unsigned short selector, unsigned long saved)
{
	unsigned int entry = selector >> 3;

	if (!selector)
		return saved;
	if (selector & SEGMENT_TI_MASK)
		return ldt_base(mm, entry);
	entry -= GDT_ENTRY_TLS_MIN;
	return entry < GDT_ENTRY_TLS_ENTRIES ?
		       get_desc_base(&task->thread.tls_array[entry]) : 0;
}

/*
 * Where the CPU does not tell them, regset_get() looks for the bases of FS and
 * GS in the LDT of task->mm, which leaves a task that exits. So it must not come
 * to them.
 */
static void read_general(struct kcs_regs *regs, struct task_struct *task,
			 elf_gregset_t *to)
{
	const struct user_regset *regset = &regs->view->regsets[0];
	const struct thread_struct *thread = &task->thread;
	struct user_regs_struct *user = (void *)to;

	if (task == current || boot_cpu_has(X86_FEATURE_FSGSBASE) ||
	    regs->view->e_machine != EM_X86_64) {
		regset_get(task, regset, sizeof(*to), to);
		return;
	}
	regset_get(task, regset, offsetof(struct user_regs_struct, fs_base), to);
	user->ds = thread->ds;
	user->es = thread->es;
	user->fs = thread->fsindex;
	user->gs = thread->gsindex;
	user->fs_base = segment_base(regs->mm, task, user->fs, thread->fsbase);
	user->gs_base = segment_base(regs->mm, task, user->gs, thread->gsbase);
}
#else
static void read_general(struct kcs_regs *regs, struct task_struct *task,
			 elf_gregset_t *to)
{
	regset_get(task, &regs->view->regsets[0], sizeof(*to), to);
}
#endif

static void read_regsets(struct kcs_regs *regs, unsigned int i,
			 struct task_struct *task, bool general_only)
{
	const struct user_regset_view *view = regs->view;
	struct kcs_thread *thread = &regs->thread[i];
	u32 offset = 0;
	unsigned int j;

	thread->nr = 0;
	thread->prstatus.pr_fpvalid = 0;
	fill_identity(thread, task);
	fill_prstatus(&thread->prstatus, task, regs->pids);
	read_general(regs, task, &thread->prstatus.pr_reg);

	task_lock(task);
	general_only |= runs_vcpu(task) || !task->mm;
	thread->inexact = general_only;
	for (j = 1; j < view->n && !general_only; j++) {
		const struct user_regset *regset = &view->regsets[j];
		struct kcs_regset_note *note = &thread->note[thread->nr];
		size_t room = regs->stride - offset;
		int size;

		if (!has_core_note(regset) || !is_active(task, regset))
			continue;
		if (thread->nr == KCS_MAX_REGSETS || room < regset_size(regset)) {
			thread->inexact = true;
			continue;
		}
		size = regset_get(task, regset, regset_size(regset),
				  kcs_regs_data(regs, i) + offset);
		if (size <= 0)
			continue;
		note->type = regset->core_note_type;
		note->size = size;
		note->offset = offset;
		offset += ALIGN(size, 8);
		thread->nr++;
		if (note->type == NT_PRFPREG)
			thread->prstatus.pr_fpvalid = 1;
	}
	task_unlock(task);
}

static unsigned long switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* Return: were they read, all at one instant? */
static bool read_off_cpu(struct kcs_regs *regs, unsigned int i,
			 struct task_struct *task)
{
	unsigned long before = switches(task);

	smp_rmb();	/* the count before all else */
	/* Pairs with the scheduler's finish_task(). */
	if (smp_load_acquire(&task->on_cpu))
		return false;
	read_regsets(regs, i, task, false);
	smp_rmb();	/* and after them */
	return !READ_ONCE(task->on_cpu) && switches(task) == before;
}

static bool read_thread(struct kcs_regs *regs, unsigned int i,
			struct kcs_park_slot *slot, bool settle)
{
	struct task_struct *task = slot->task;
	/* Pairs with park(). */
	bool parked = smp_load_acquire(&slot->state) == KCS_PARK_PARKED;
	unsigned int state = kcs_task_state(task);

	if (task == current) {
		read_regsets(regs, i, task, false);
		return true;
	}
	/* A runnable thread is about to park. */
	if (!parked && state == TASK_RUNNING && !settle)
		return false;
	regs->thread[i].state = parked ? TASK_RUNNING : state;
	if (read_off_cpu(regs, i, task))
		return true;
	if (!settle)
		return false;
	/*
	 * It has been in the kernel ever since the pause began: the general
	 * registers are where its entry saved them, the others are in the CPU.
	 */
	read_regsets(regs, i, task, true);
	return true;
}

unsigned int kcs_regs_read(struct kcs_regs *regs, struct kcs_parkset *set,
			   bool settle)
{
	unsigned int i, left = 0;

	/* Pairs with add_task(). */
	regs->count = min(smp_load_acquire(&set->used), regs->max);
	for (i = 0; i < regs->count; i++) {
		struct kcs_park_slot *slot = kcs_parkset_slot(set, i);

		if (regs->thread[i].read || !same_thread_group(slot->task, regs->leader))
			continue;
		/*
		 * It exited: it is past its last user instruction. The dead have
		 * no stack any more, on which their registers were.
		 */
		if ((READ_ONCE(slot->task->flags) & PF_EXITING) ||
		    !try_get_task_stack(slot->task))
			continue;
		regs->thread[i].read = read_thread(regs, i, slot, settle);
		kcs_put_task_stack(slot->task);
		left += !regs->thread[i].read;
	}
	return left;
}

#ifdef NT_X86_XSAVE_LAYOUT
#define CPUID_XSTATE 0xd

/* XCR0 is fpu_user_cfg.max_features, which is not exported. */
u32 kcs_regs_xsave_layout(void *buf)
{
	struct x86_xfeat_component *component = buf;
	u64 features;
	u32 n = 0;
	int i;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return 0;
	features = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	for (i = FIRST_EXTENDED_XFEATURE; i < 64; i++) {
		u32 size, offset, ecx, edx;

		if (!(features & BIT_ULL(i)))
			continue;
		cpuid_count(CPUID_XSTATE, i, &size, &offset, &ecx, &edx);
		if (component)
			component[n] = (struct x86_xfeat_component) {
				.type = i,
				.size = size,
				.offset = offset,
			};
		n++;
	}
	return n * sizeof(*component);
}
#else
u32 kcs_regs_xsave_layout(void *buf)
{
	return 0;
}
#endif
