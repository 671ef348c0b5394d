// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "cmd.h"
#include "format.h"
#include "json.h"
#include "parse.h"

static const char *state_of(const struct kcs_entry *entry)
{
	const char *name = kcs_dropped_name(entry->dropped);
	static const struct {
		const char *name;
		const char *text;
	} words[] = {
		{ "memory", "dropped: memory ran short" },
		{ "lifetime", "dropped: too old" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(name, words[i].name))
			return words[i].text;
	return name;
}

/* No snapshot, no output: scripts test for that. */
static void print_entry(const struct kcs_entry *entry, void *arg)
{
	char size[KCS_FORMAT_SIZE], data[KCS_FORMAT_SIZE], done[KCS_FORMAT_SIZE];
	char inexact[KCS_FORMAT_SIZE], lost[KCS_FORMAT_SIZE];
	char pause[KCS_FORMAT_SIZE], age[KCS_FORMAT_SIZE];
	bool *header = arg;

	if (!*header)
		printf("%6s %8s %-15s %6s %-5s %7s %10s %10s %10s %10s %10s %9s %9s %s\n",
		       "ID", "PID", "COMM", "UID", "MODE", "THREADS", "SIZE",
		       "DATA", "READ", "INEXACT", "LOST", "PAUSE", "AGE",
		       "STATE");
	*header = true;
	printf("%6u %8u %-15s %6u %-5s %7u %10s %10s %10s %10s %10s %9s %9s %s\n",
	       entry->id, entry->pid, entry->comm, entry->uid,
	       kcs_mode_name(entry->mode), entry->threads,
	       kcs_format_bytes(size, entry->size),
	       kcs_format_bytes(data, entry->data_bytes),
	       kcs_format_bytes(done, entry->read_bytes),
	       kcs_format_bytes(inexact, entry->inexact_bytes),
	       kcs_format_bytes(lost, entry->lost_bytes),
	       kcs_format_ns(pause, entry->pause_ns),
	       kcs_format_ns(age, entry->age_ns),
	       state_of(entry));
}

static void add_entry(const struct kcs_entry *entry, void *arg)
{
	struct json_object *one = json_object_new_object();

	kcs_json_add_u64(one, "id", entry->id);
	kcs_json_add_u64(one, "pid", entry->pid);
	kcs_json_add_text(one, "comm", entry->comm);
	kcs_json_add_u64(one, "uid", entry->uid);
	kcs_json_add_text(one, "mode", kcs_mode_name(entry->mode));
	kcs_json_add_u64(one, "threads", entry->threads);
	kcs_json_add_u64(one, "size", entry->size);
	kcs_json_add_u64(one, "data_bytes", entry->data_bytes);
	kcs_json_add_u64(one, "read_bytes", entry->read_bytes);
	kcs_json_add_u64(one, "inexact_bytes", entry->inexact_bytes);
	kcs_json_add_u64(one, "missed_bytes", entry->missed_bytes);
	kcs_json_add_u64(one, "lost_bytes", entry->lost_bytes);
	kcs_json_add_u64(one, "pause_ns", entry->pause_ns);
	kcs_json_add_u64(one, "age_ns", entry->age_ns);
	kcs_json_add(one, "dropped", entry->dropped ?
		     kcs_json_text(kcs_dropped_name(entry->dropped)) : NULL);
	json_object_array_add(arg, one);
}

static enum kcs_exit list_json(struct kcs_nl *nl)
{
	struct json_object *all = json_object_new_array();
	int err = kcs_module_list(nl, add_entry, all);

	if (!err)
		return kcs_json_print(all, KCS_EXIT_OK);
	json_object_put(all);
	return kcs_nl_fail(nl, err);
}

enum kcs_exit kcs_cmd_list(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret = kcs_nl_open(&nl);
	bool header = false;
	int err;

	if (ret)
		return ret;
	if (args->json)
		return list_json(&nl);
	err = kcs_module_list(&nl, print_entry, &header);
	return err ? kcs_nl_fail(&nl, err) : KCS_EXIT_OK;
}
