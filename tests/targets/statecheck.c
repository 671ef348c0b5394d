// SPDX-License-Identifier: GPL-2.0
/*
 * statecheck CORE: check the core of a process of states against states.h. Prints
 * "roles N in-call N count N": threads whose registers were checked, those of
 * them that are inside their system call or page fault, and the sum of the
 * counts. Or says what does not fit and exits with 1.
 *
 * statecheck look PID [NAME]: what the process is at, which runs on. Prints "LETTERS
 * SWITCHES COUNT": states, as in /proc, of the threads of that name (or of all), how
 * often they were given a CPU or lost it, and the sum of the counts.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "core.h"
#include "states.h"

#define ENOSYS_RESULT	-38
/* What the kernel puts there for a call that it will begin again, ERESTARTSYS and up. */
#define RESTART_FIRST	-516
#define RESTART_LAST	-512

#define LETTERS_MAX	64

static int wrong;

#define complain(...) (wrong++, printf(__VA_ARGS__), putchar('\n'))

static const void *must_have(const struct core *core, uint64_t address, size_t size)
{
	const void *p = core_at(core, address, size);

	if (!p)
		errx(2, "the core does not have the %zu bytes at %#llx", size,
		     (unsigned long long)address);
	return p;
}

static void check_pattern(const struct core *core)
{
	unsigned long page, word;

	for (page = 1; page < STATE_PAGES; page++) {
		const uint64_t *p = must_have(core, STATE_WITNESS + page * STATE_PAGE, STATE_PAGE);

		for (word = 0; word < STATE_PAGE / 8; word++)
			if (p[word] != (page % 2 ? 0 : state_pattern(page, word)))
				break;
		if (word < STATE_PAGE / 8)
			complain("page %lu has %#llx in word %lu", page,
				 (unsigned long long)p[word], word);
	}
}

static void check_count(const struct core *core, const struct state_role *role,
			const struct state_witness *witness,
			const struct user_regs_struct *regs)
{
	uint64_t before = role->before, n = before;
	uint64_t after = *(const uint64_t *)must_have(core, role->after, 8);
	uint64_t want_before = n, want_after = after == n ? n : n - 1;

	if (regs && regs->rip <= witness->end) {
		n = regs->rbx;
		want_before = regs->rip == witness->begun ? n - 1 : n;
		want_after = regs->rip == witness->begun || regs->rip == witness->half ? n - 1 : n;
	}
	if (before != want_before || after != want_after)
		complain("the count is %llu, its copy %llu, rbx %llu at the loop's %lld",
			 (unsigned long long)before, (unsigned long long)after,
			 (unsigned long long)n,
			 regs ? (long long)(regs->rip - witness->again) : -1LL);
}

/* Return: 1 if the thread is inside its call or its page fault */
static int check_planted(const struct state_role *role, const struct state_witness *witness,
			 const struct user_regs_struct *regs)
{
	uint64_t rbx = STATE_MAGIC ^ regs->r13;
	int64_t result = regs->rax;

	if (regs->rbx != rbx || regs->r14 != ~rbx || regs->r15 != rbx + 1)
		complain("rbx %#llx r14 %#llx r15 %#llx, where rbx should be %#llx", regs->rbx,
			 regs->r14, regs->r15, (unsigned long long)rbx);
	if (role->kind == STATE_TOUCHES)
		return regs->rip == witness->touching;
	if (regs->rip == witness->called - 2)	/* it begins again */
		return regs->rax == role->nr;
	if (regs->rip != witness->called)
		return 0;
	for (int i = 0; i < 6; i++) {
		const uint64_t arg[] = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8,
					 regs->r9 };

		if (arg[i] != role->args[i])
			complain("argument %d of call %llu is %#llx", i, regs->orig_rax,
				 (unsigned long long)arg[i]);
	}
	return regs->orig_rax == role->nr &&
	       (result == ENOSYS_RESULT || (result >= RESTART_FIRST && result <= RESTART_LAST));
}

static pid_t process_of(const struct core *core)
{
	struct core_note note;
	size_t offset = 0;

	while (core_next_note(core, &offset, &note))
		if (note.type == NT_PRPSINFO && note.size == sizeof(struct elf_prpsinfo))
			return ((const struct elf_prpsinfo *)note.desc)->pr_pid;
	errx(2, "the core has no NT_PRPSINFO");
}

static void check(const struct core *core)
{
	const struct state_witness *witness = must_have(core, STATE_WITNESS, sizeof(*witness));
	int roles = 0, in_call = 0, seen[STATE_ROLES] = {};
	pid_t process = process_of(core);
	unsigned long long count = 0;
	struct core_note note;
	size_t offset = 0;
	unsigned long i;

	if (witness->magic != STATE_MAGIC)
		errx(2, "there is no witness");
	check_pattern(core);
	while (core_next_note(core, &offset, &note)) {
		const struct elf_prstatus *status = note.desc;
		const struct user_regs_struct *regs;

		if (note.type != NT_PRSTATUS || note.size != sizeof(*status))
			continue;
		regs = (const struct user_regs_struct *)&status->pr_reg;
		if (regs->r12 != STATE_MAGIC)
			continue;
		i = (regs->r13 - STATE_WITNESS - offsetof(struct state_witness, role)) /
		    sizeof(struct state_role);
		if (i >= STATE_ROLES || seen[i]++) {
			complain("thread %d plays no role, or one twice", status->pr_pid);
			continue;
		}
		roles++;
		if (witness->role[i].kind == STATE_COUNTS)
			check_count(core, &witness->role[i], witness, regs);
		else
			in_call += check_planted(&witness->role[i], witness, regs);
	}
	for (i = 0; i < STATE_ROLES; i++) {
		const struct state_role *role = &witness->role[i];
		bool ours = role->tgid == (uint64_t)process;

		if (role->kind == STATE_COUNTS) {
			count += role->before;
			if (!seen[i])
				check_count(core, role, witness, NULL);
		}
		if (role->alive && seen[i] != ours)
			complain("role %lu of process %llu: %d threads of process %d", i,
				 (unsigned long long)role->tgid, seen[i], process);
	}
	if (!wrong)
		printf("roles %d in-call %d count %llu\n", roles, in_call, count);
}

/* Adds what /proc says of a thread, if it has that name. */
static void look_at(const char *pid, const char *tid, const char *name, char *letters,
		    unsigned long *switches)
{
	char path[64], line[128], comm[32] = "", letter = '?';
	unsigned long n, sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%.16s/status", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Name: %31s", comm) == 1 ||
		    sscanf(line, "State: %c", &letter) == 1)
			continue;
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1)
			sum += n;
	}
	fclose(file);
	if (name && strcmp(name, comm))
		return;
	if (strlen(letters) < LETTERS_MAX)
		strncat(letters, &letter, 1);
	*switches += sum;
}

static unsigned long long count_of(const char *pid)
{
	struct state_witness witness;
	unsigned long long count = 0;
	char path[64];
	int fd, i;

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &witness, sizeof(witness), STATE_WITNESS) != sizeof(witness))
		return 0;
	close(fd);
	for (i = 0; i < STATE_ROLES; i++)
		count += witness.role[i].before;
	return count;
}

static void look(const char *pid, const char *name)
{
	char path[64], letters[LETTERS_MAX + 1] = "";
	unsigned long switches = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at(pid, entry->d_name, name, letters, &switches);
	printf("%s %lu %llu\n", letters[0] ? letters : "none", switches, count_of(pid));
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	struct core core;

	if (argc >= 3 && !strcmp(argv[1], "look")) {
		look(argv[2], argc > 3 ? argv[3] : NULL);
		return 0;
	}
	if (argc != 2)
		errx(2, "usage: statecheck CORE | statecheck look PID [NAME]");
	core_open(&core, argv[1]);
	check(&core);
	return wrong != 0;
}
