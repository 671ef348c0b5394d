// SPDX-License-Identifier: GPL-2.0
/*
 * lockcheck core FILE ADDRESS: check a core of lockstep ("-": from standard input), whose table
 * is at ADDRESS, against what lockstep.h says of any single instant. Prints "writes N threads
 * M", the number of stores so far and that of the threads whose registers were checked, and
 * exits with 0; or says what does not fit and exits with 1. With 2 it could not be checked.
 *
 * lockcheck sweep PID ADDRESS SECONDS: the same check of memory that is read page by page from
 * /proc/PID/mem while the process runs. Ends as soon as it has failed both in a writer's cells
 * and in the chain, or when the time is over. Prints "sweeps N cells N chain N", how many there
 * were and how many of these failed in what.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <time.h>

#include "core.h"
#include "lockstep.h"

#define PAGE 4096UL

/**
 * struct verdict - what does not fit
 * @cells: writers' cells among themselves or with their registers
 * @chain: links
 * @threads: registers that were checked
 * @writes: stores by all writers
 * @quiet: don't say what
 */
struct verdict {
	unsigned int cells;
	unsigned int chain;
	unsigned int threads;
	uint64_t writes;
	bool quiet;
};

static void __attribute__((format(printf, 2, 3)))
complain(const struct verdict *verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!verdict->quiet)
		vprintf(format, args);
	va_end(args);
}

static const void *must_have(const struct core *core, uint64_t address, size_t size)
{
	const void *p = core_at(core, address, size);

	if (!p)
		errx(2, "the core does not have the %zu bytes at %#llx", size,
		     (unsigned long long)address);
	return p;
}

static uint64_t value_at(const struct core *core, uint64_t address)
{
	return *(const uint64_t *)must_have(core, address, sizeof(uint64_t));
}

/* Return: how many cells are rbx, or -1 if no writer's loop is there. */
static int stored_at(const struct lock_table *table, uint64_t rip)
{
	for (unsigned int i = 0; i < LOCK_LOOPS; i++) {
		const struct lock_loop *loop = &table->loop[i];
		int stored = 0;

		if (rip < loop->enter || rip > loop->end)
			continue;
		if (rip < loop->begun)
			return LOCK_CELLS;
		while (stored < LOCK_CELLS && rip >= loop->stored[stored])
			stored++;
		return stored;
	}
	return -1;
}

static void show_writer(const uint64_t *value, const uint64_t *cell,
			const struct user_regs_struct *registers, int stored,
			const struct verdict *verdict)
{
	if (registers)
		complain(verdict, " rbx %llu, %d stored at rip %#llx;",
			 (unsigned long long)registers->rbx, stored,
			 (unsigned long long)registers->rip);
	for (unsigned int c = 0; c < LOCK_CELLS; c++)
		complain(verdict, " %llu (%#llx)", (unsigned long long)value[c],
			 (unsigned long long)cell[c]);
	complain(verdict, "\n");
}

/* @registers: of the thread that is this writer, or NULL */
static void check_writer(const struct core *core, const struct lock_table *table, unsigned int i,
			 const struct user_regs_struct *registers, struct verdict *verdict)
{
	uint64_t value[LOCK_CELLS], n;
	int stored = 0, c;

	for (c = 0; c < LOCK_CELLS; c++)
		value[c] = value_at(core, table->writer[i].cell[c]);
	n = registers ? registers->rbx : value[0];
	if (registers)
		stored = stored_at(table, registers->rip);
	else
		while (stored < LOCK_CELLS && value[stored] == n)
			stored++;
	for (c = 0; c < LOCK_CELLS && value[c] == (c < stored ? n : n - 1); c++)
		;
	if (registers)
		verdict->threads++;
	else
		verdict->writes += value[0];
	if (c == LOCK_CELLS && stored >= 0)
		return;

	verdict->cells++;
	complain(verdict, "writer %u%s:", i, registers ? " and its registers" : "");
	show_writer(value, table->writer[i].cell, registers, stored, verdict);
}

static void check_chain(const struct core *core, const struct lock_table *table,
			struct verdict *verdict)
{
	uint64_t before = value_at(core, table->link[0]), value;

	for (unsigned int i = 1; i < table->links; i++, before = value) {
		value = value_at(core, table->link[i]);
		if (value <= before)
			continue;
		verdict->chain++;
		complain(verdict, "link %u of the chain is %llu, the one before it %llu\n", i,
			 (unsigned long long)value, (unsigned long long)before);
	}
}

static void check_registers(const struct core *core, uint64_t address,
			    const struct lock_table *table, struct verdict *verdict)
{
	const uint64_t first = address + offsetof(struct lock_table, writer);
	bool seen[LOCK_WRITERS] = {};
	struct core_note note;
	size_t offset = 0;

	while (core_next_note(core, &offset, &note)) {
		const struct elf_prstatus *status = note.desc;
		const struct user_regs_struct *regs;
		unsigned int i;

		if (note.type != NT_PRSTATUS || note.size != sizeof(*status))
			continue;
		regs = (const struct user_regs_struct *)&status->pr_reg;
		if (regs->r12 != LOCK_MAGIC)
			continue;
		i = (regs->r13 - first) / sizeof(struct lock_writer);
		if (regs->r13 < first || i >= table->writers || seen[i]) {
			verdict->cells++;
			complain(verdict, "thread %d is no writer, or is one twice\n",
				 status->pr_pid);
			continue;
		}
		seen[i] = true;
		check_writer(core, table, i, regs, verdict);
	}
	for (unsigned int i = 0; i < table->threads; i++) {
		if (seen[i] || !table->writer[i].alive)
			continue;
		verdict->cells++;
		complain(verdict, "writer %u is alive, and no thread has its registers\n", i);
	}
}

static void check(const struct core *core, uint64_t address, struct verdict *verdict)
{
	const struct lock_table *table = must_have(core, address, sizeof(*table));

	if (table->magic != LOCK_MAGIC || !table->threads || table->threads > table->writers ||
	    table->writers > LOCK_WRITERS || table->links < 2 || table->links > LOCK_LINKS)
		errx(2, "there is no table at %#llx", (unsigned long long)address);
	for (unsigned int i = 0; i < table->writers; i++)
		check_writer(core, table, i, NULL, verdict);
	check_chain(core, table, verdict);
	if (core->notes)
		check_registers(core, address, table, verdict);
}

static int check_core(const char *path, uint64_t address)
{
	struct verdict verdict = {};
	struct core core;

	core_open(&core, path);
	if (!core.notes)
		errx(2, "%s has no notes", path);
	check(&core, address, &verdict);
	if (verdict.cells || verdict.chain)
		return 1;
	printf("writes %llu threads %u\n", (unsigned long long)verdict.writes, verdict.threads);
	return 0;
}

static void read_pages(int mem, uint64_t start, uint64_t size, uint8_t *data)
{
	for (uint64_t done = 0; done < size; done += PAGE)
		if (pread(mem, data + done, PAGE, start + done) != PAGE)
			memset(data + done, 0, PAGE);
}

/* Private writable memory, which is where everything of lockstep is. */
static void sweep(struct core *core, const char *maps_path, int mem)
{
	FILE *maps = fopen(maps_path, "re");
	char line[512], perms[5];
	unsigned long start, end;

	*core = (struct core){};
	if (!maps)
		err(2, "%s", maps_path);
	while (fgets(line, sizeof(line), maps)) {
		uint8_t *data;

		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3 ||
		    strncmp(perms, "rw", 2) || perms[3] != 'p')
			continue;
		data = malloc(end - start);
		core->segments = realloc(core->segments, (core->nr + 1) * sizeof(*core->segments));
		if (!data || !core->segments)
			err(2, "sweep");
		read_pages(mem, start, end - start, data);
		core->segments[core->nr++] = (struct core_segment){ start, end - start, data };
	}
	fclose(maps);
}

static void sweep_free(struct core *core)
{
	for (size_t i = 0; i < core->nr; i++)
		free((void *)core->segments[i].data);
	free(core->segments);
}

static int check_sweeps(const char *pid, uint64_t address, unsigned int seconds)
{
	unsigned int sweeps = 0, cells = 0, chain = 0;
	char maps_path[64], mem_path[64];
	time_t end = time(NULL) + seconds;
	int mem;

	snprintf(maps_path, sizeof(maps_path), "/proc/%s/maps", pid);
	snprintf(mem_path, sizeof(mem_path), "/proc/%s/mem", pid);
	mem = open(mem_path, O_RDONLY | O_CLOEXEC);
	if (mem < 0)
		err(2, "%s", mem_path);
	while (time(NULL) < end && (!cells || !chain)) {
		struct verdict verdict = { .quiet = true };
		struct core core;

		sweep(&core, maps_path, mem);
		check(&core, address, &verdict);
		sweep_free(&core);
		sweeps++;
		cells += verdict.cells > 0;
		chain += verdict.chain > 0;
	}
	printf("sweeps %u cells %u chain %u\n", sweeps, cells, chain);
	return cells || chain;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "core"))
		return check_core(argv[2], strtoull(argv[3], NULL, 0));
	if (argc == 5 && !strcmp(argv[1], "sweep"))
		return check_sweeps(argv[2], strtoull(argv[3], NULL, 0), atoi(argv[4]));
	errx(2, "usage: lockcheck core FILE ADDRESS | lockcheck sweep PID ADDRESS SECONDS");
}
