// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "census.h"
#include "cleanup.h"
#include "cmd.h"
#include "format.h"
#include "json.h"
#include "parse.h"
#include "say.h"

/* Of the column of containers. */
#define NARROWEST 9
#define CELL_SIZE 128

/**
 * struct row - one process
 * @process: who
 * @container: the innermost one it is in, or NULL
 * @is_main: it is the main process of it
 * @taken: what the module predicts
 */
struct row {
	const struct kcs_process *process;
	const struct kcs_housing *container;
	bool is_main;
	struct kcs_taken taken;
};

static void fill_row(struct row *row, const struct kcs_census *census,
		     const struct kcs_process *process)
{
	row->process = process;
	if (!process->depth)
		return;
	row->container = &census->containers[process->inside[process->depth - 1]];
	row->is_main = row->container->main == (size_t)(process - census->processes);
}

static bool is_wanted(const struct kcs_census *census,
		      const struct kcs_process *process, const char *wanted)
{
	size_t i;

	if (process->pid == getpid())
		return false;
	if (!wanted)
		return true;
	for (i = 0; i < process->depth; i++)
		if (kcs_census_is_named(&census->containers[process->inside[i]],
					wanted, false))
			return true;
	return false;
}

/*
 * A process that is gone is none. One that may not be looked at is refused like one
 * that may not be copied. Anything else would fail for each of them.
 *
 * Return: whether the row stands; *ret is then what it was.
 */
static bool predict(struct kcs_nl *nl, const struct kcs_args *args,
		    struct row *row, enum kcs_exit *ret)
{
	struct kcs_target target = {
		.pid = row->process->pid,
		.leader = row->process->stat,
	};
	int err = kcs_module_predict(nl, &target, &args->wish, &row->taken);

	switch (kcs_exit_of_errno(-err)) {
	case KCS_EXIT_NO_TARGET:
		if (err == -ESRCH)
			return false;
		break;
	case KCS_EXIT_PERMISSION:
	case KCS_EXIT_REFUSED:
	case KCS_EXIT_BUSY:
		row->taken.err = -err;
		snprintf(row->taken.refusal, sizeof(row->taken.refusal), "%s",
			 nl->sentence);
		kcs_printable(row->taken.refusal);
		return true;
	default:
		break;
	}
	if (err)
		*ret = kcs_nl_fail(nl, err);
	return !err;
}

static enum kcs_exit fill_rows(struct kcs_nl *nl, const struct kcs_args *args,
			       const struct kcs_census *census, struct row *rows,
			       size_t *count)
{
	const char *wanted = args->container ?
		kcs_container_wanted(args->container) : NULL;
	enum kcs_exit ret = KCS_EXIT_OK;
	size_t i;

	for (i = 0; i < census->count && !ret; i++) {
		struct row *row = &rows[*count];

		if (!is_wanted(census, &census->processes[i], wanted))
			continue;
		fill_row(row, census, &census->processes[i]);
		if (predict(nl, args, row, &ret))
			(*count)++;
	}
	if (ret || *count || !wanted)
		return ret;
	kcs_say("no container here has an ID or a name that begins with '%s': leave out --container to see all",
		wanted);
	return KCS_EXIT_NO_TARGET;
}

static int compare(const void *one, const void *other)
{
	const struct kcs_process *a = ((const struct row *)one)->process;
	const struct kcs_process *b = ((const struct row *)other)->process;

	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return a->pid < b->pid ? -1 : 1;
}

static bool is_refused(const struct row *row)
{
	return row->taken.err || row->taken.refusal[0];
}

/* Who is refused at the door is not looked at. */
static bool is_predicted(const struct row *row)
{
	return row->taken.threads;
}

static int print_container(char *cell, const struct kcs_housing *container)
{
	int len = 0;

	if (!container)
		return snprintf(cell, CELL_SIZE, "-");
	len = snprintf(cell, CELL_SIZE, "%s:%.*s", container->id.runtime,
		       kcs_container_short(container->id.id), container->id.id);
	/* docker's hosts are called by their IDs. */
	if (container->name[0] &&
	    strncmp(container->name, container->id.id,
		    strlen(container->name)) != 0 && len < CELL_SIZE)
		len += snprintf(cell + len, CELL_SIZE - len, "(%s)",
				container->name);
	return len < CELL_SIZE ? len : CELL_SIZE - 1;
}

static void print_row(const struct row *row, int width, bool verbose)
{
	char rss[KCS_FORMAT_SIZE], growth[KCS_FORMAT_SIZE], pause[KCS_FORMAT_SIZE];
	char cell[CELL_SIZE];
	bool known = is_predicted(row);

	print_container(cell, row->container);
	printf("%8d %7u %10s %10s %9s %-7s %-*s %s\n", row->process->pid,
	       (unsigned int)row->process->stat.threads,
	       kcs_format_bytes(rss, row->process->rss),
	       known ? kcs_format_bytes(growth, row->taken.growth_bound) : "-",
	       known ? kcs_format_ns(pause, row->taken.predicted_ns) : "-",
	       is_refused(row) ? "refused" : kcs_mode_name(row->taken.mode),
	       width, cell, row->process->stat.comm);
	if (verbose && is_refused(row))
		printf("%8s %s\n", "", row->taken.refusal[0] ?
		       row->taken.refusal : strerror(row->taken.err));
}

static void print_rows(const struct row *rows, size_t count, bool verbose)
{
	int width = NARROWEST, len;
	char cell[CELL_SIZE];
	size_t i;

	for (i = 0; i < count; i++) {
		len = print_container(cell, rows[i].container);
		if (len > width)
			width = len;
	}
	printf("%8s %7s %10s %10s %9s %-7s %-*s %s\n", "PID", "THREADS", "RSS",
	       "GROWTH", "PAUSE", "VERDICT", width, "CONTAINER", "COMM");
	for (i = 0; i < count; i++)
		print_row(&rows[i], width, verbose);
}

static struct json_object *container_json(const struct row *row)
{
	struct json_object *one;

	if (!row->container)
		return NULL;
	one = json_object_new_object();
	kcs_json_add_text(one, "runtime", row->container->id.runtime);
	kcs_json_add_text(one, "id", row->container->id.id);
	kcs_json_add(one, "name", row->container->name[0] ?
		     kcs_json_text(row->container->name) : NULL);
	kcs_json_add(one, "main", json_object_new_boolean(row->is_main));
	return one;
}

static enum kcs_exit print_json(const struct row *rows, size_t count)
{
	struct json_object *all = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++) {
		struct json_object *one = json_object_new_object();
		const struct row *row = &rows[i];

		kcs_json_add_u64(one, "pid", row->process->pid);
		kcs_json_add_text(one, "comm", row->process->stat.comm);
		kcs_json_add_u64(one, "threads", row->process->stat.threads);
		kcs_json_add_u64(one, "rss_bytes", row->process->rss);
		kcs_json_add(one, "predicted_ns", is_predicted(row) ?
			     json_object_new_uint64(row->taken.predicted_ns) :
			     NULL);
		kcs_json_add(one, "growth_bound", is_predicted(row) ?
			     json_object_new_uint64(row->taken.growth_bound) :
			     NULL);
		kcs_json_add(one, "mode", is_refused(row) ? NULL :
			     kcs_json_text(kcs_mode_name(row->taken.mode)));
		kcs_json_add(one, "refusal", is_refused(row) ?
			     kcs_json_text(row->taken.refusal) : NULL);
		kcs_json_add_u64(one, "errno", row->taken.err);
		kcs_json_add(one, "container", container_json(row));
		json_object_array_add(all, one);
	}
	return kcs_json_print(all, KCS_EXIT_OK);
}

static enum kcs_exit list_processes(struct kcs_nl *nl,
				    const struct kcs_args *args,
				    const struct kcs_census *census)
{
	struct row *rows KCS_CLEANUP(kcs_free) =
		calloc(census->count + 1, sizeof(*rows));
	enum kcs_exit ret;
	size_t count = 0;

	if (!rows) {
		kcs_say("there is no memory for a list of processes: make room");
		return KCS_EXIT_ERROR;
	}
	ret = fill_rows(nl, args, census, rows, &count);
	if (ret)
		return ret;
	qsort(rows, count, sizeof(*rows), compare);
	if (args->json)
		return print_json(rows, count);
	print_rows(rows, count, args->verbose);
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_cmd_ps(const struct kcs_args *args)
{
	struct kcs_census census KCS_CLEANUP(kcs_census_free) = { 0 };
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret;
	int err;

	ret = kcs_nl_open(&nl);
	if (!ret)
		ret = kcs_module_check(&nl);
	if (ret)
		return ret;
	err = kcs_census_take(&census);
	if (!err)
		return list_processes(&nl, args, &census);
	kcs_say("the processes in /proc can't be read (%s): check that it is mounted",
		strerror(-err));
	return KCS_EXIT_ERROR;
}
