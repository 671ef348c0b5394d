// SPDX-License-Identifier: GPL-2.0
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mman.h>
#include <linux/percpu_counter.h>

#include "ksym.h"

DEFINE_STATIC_CALL_NULL(kcs_kernel_clone, kernel_clone);
DEFINE_STATIC_CALL_NULL(kcs_ptrace_may_access, ptrace_may_access);
DEFINE_STATIC_CALL_NULL(kcs_task_work_add, task_work_add);
DEFINE_STATIC_CALL_NULL(kcs_task_work_cancel_match, task_work_cancel_match);
DEFINE_STATIC_CALL_NULL(kcs_put_task_stack, put_task_stack);
DEFINE_STATIC_CALL_NULL(kcs_netlink_table_grab, netlink_table_grab);
DEFINE_STATIC_CALL_NULL(kcs_netlink_table_ungrab, netlink_table_ungrab);
DEFINE_STATIC_CALL_NULL(kcs___netlink_clear_multicast_users, __netlink_clear_multicast_users);
#ifdef KCS_TRY_GRAB_PAGE
DEFINE_STATIC_CALL_NULL(kcs_try_grab_page, try_grab_page);
#endif
DEFINE_STATIC_CALL_NULL(kcs_get_gate_vma, get_gate_vma);
DEFINE_STATIC_CALL_NULL(kcs_vm_commit_limit, vm_commit_limit);
DEFINE_STATIC_CALL_NULL(kcs_kallsyms_lookup_name, kallsyms_lookup_name);

static bool have_try_grab_page;
static bool have_gate_vma;
static bool have_commit_limit;
static const int *overcommit_memory;
static const long *swap_pages;
static struct percpu_counter *committed;

bool kcs_can_pin_page(void)
{
	return have_try_grab_page;
}

bool kcs_pin_page(struct page *page)
{
#ifdef KCS_TRY_GRAB_PAGE
	return have_try_grab_page && static_call(kcs_try_grab_page)(page, FOLL_PIN);
#else
	return false;
#endif
}

struct vm_area_struct *kcs_gate_vma(struct mm_struct *mm)
{
	return have_gate_vma ? static_call(kcs_get_gate_vma)(mm) : NULL;
}

bool kcs_overcommit_is_strict(void)
{
	return !overcommit_memory || READ_ONCE(*overcommit_memory) == OVERCOMMIT_NEVER;
}

unsigned long kcs_commit_limit(void)
{
	return have_commit_limit ? static_call(kcs_vm_commit_limit)() : 0;
}

unsigned long kcs_commit_most(void)
{
	if (!overcommit_memory || (IS_ENABLED(CONFIG_SWAP) && !swap_pages) ||
	    READ_ONCE(*overcommit_memory) != OVERCOMMIT_GUESS)
		return ULONG_MAX;
	return totalram_pages() + (swap_pages ? READ_ONCE(*swap_pages) : 0);
}

bool kcs_commit_sub(s64 pages)
{
	if (committed)
		percpu_counter_sub(committed, pages);
	return committed;
}

/*
 * A kprobe's address may lie behind the function's ENDBR. By how much only the
 * symbol table can tell: functions are not aligned in every configuration.
 */
static void *symbol_start(const char *name, void *addr)
{
	char text[KSYM_SYMBOL_LEN];
	size_t len = strlen(name);
	unsigned long offset;

	sprint_symbol(text, (unsigned long)addr);
	if (strncmp(text, name, len) ||
	    sscanf(text + len, "+0x%lx/", &offset) != 1)
		return NULL;
	return addr - offset;
}

/* A disabled kprobe is looked up but never armed: no kernel text is patched. */
static void *resolve(const char *name)
{
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	void *addr = NULL;

	if (!register_kprobe(&kp)) {
		addr = symbol_start(name, kp.addr);
		unregister_kprobe(&kp);
	}
	if (!addr)
		pr_err("this kernel has no function %s()\n", name);
	return addr;
}

#define kcs_resolve(func) ({						\
	typeof(&func) addr_ = resolve(#func);				\
	if (addr_)							\
		static_call_update(kcs_##func, addr_);			\
	addr_ != NULL;							\
})

static void *lookup_data(const char *name)
{
	return (void *)static_call(kcs_kallsyms_lookup_name)(name);
}

int kcs_ksym_init(void)
{
	bool ok = true;

	ok &= kcs_resolve(kernel_clone);
	ok &= kcs_resolve(ptrace_may_access);
	ok &= kcs_resolve(task_work_add);
	ok &= kcs_resolve(task_work_cancel_match);
	ok &= kcs_resolve(put_task_stack);
	ok &= kcs_resolve(netlink_table_grab);
	ok &= kcs_resolve(netlink_table_ungrab);
	ok &= kcs_resolve(__netlink_clear_multicast_users);
#ifdef KCS_TRY_GRAB_PAGE
	have_try_grab_page = kcs_resolve(try_grab_page);
#endif
	have_gate_vma = kcs_resolve(get_gate_vma);
	have_commit_limit = kcs_resolve(vm_commit_limit);
	if (kcs_resolve(kallsyms_lookup_name)) {
		overcommit_memory = lookup_data("sysctl_overcommit_memory");
		committed = lookup_data("vm_committed_as");
		swap_pages = lookup_data("total_swap_pages");
	}
	return ok ? 0 : -ENOENT;
}
