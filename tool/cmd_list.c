// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "cmd.h"
#include "format.h"
#include "parse.h"

static const char *state_of(const struct kcs_entry *entry)
{
	switch (entry->dropped) {
	case 0:
		return "open";
	case ECANCELED:
		return "cancelled";
	case ENOMEM:
		return "dropped: memory ran short";
	case ETIME:
		return "dropped: too old";
	default:
		return strerror((int)entry->dropped);
	}
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

enum kcs_exit kcs_cmd_list(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret = kcs_nl_open(&nl);
	bool header = false;

	(void)args;
	return ret ? ret : kcs_module_list(&nl, print_entry, &header);
}
