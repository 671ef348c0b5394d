// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "cleanup.h"
#include "cmd.h"
#include "copy.h"
#include "format.h"
#include "interrupt.h"
#include "output.h"
#include "parse.h"
#include "progress.h"
#include "say.h"

/**
 * struct count - what the module knows of a snapshot once it was read
 * @id: which
 * @found: the list held it
 * @entry: its figures
 */
struct count {
	uint32_t id;
	bool found;
	struct kcs_entry entry;
};

static enum kcs_exit print_prediction(const struct kcs_target *target,
				      const struct kcs_taken *taken)
{
	char pause[KCS_FORMAT_SIZE], growth[KCS_FORMAT_SIZE];

	printf("process          %d (%s)\n", target->pid,
	       target->leader.comm);
	printf("mode             %s\n", kcs_mode_name(taken->mode));
	printf("threads          %" PRIu32 "\n", taken->threads);
	printf("predicted pause  %s\n",
	       kcs_format_ns(pause, taken->predicted_ns));
	printf("growth up to     %s\n",
	       kcs_format_bytes(growth, taken->growth_bound));
	printf("verdict          would be %s\n",
	       taken->err || taken->refusal[0] ? "refused" : "taken");

	if (taken->refusal[0])
		kcs_say("%s", taken->refusal);
	else if (taken->err)
		kcs_say("the snapshot would be refused (%s)",
			strerror(taken->err));
	else
		return KCS_EXIT_OK;
	return kcs_exit_of_errno(taken->err);
}

static void match_entry(const struct kcs_entry *entry, void *arg)
{
	struct count *count = arg;

	if (entry->id != count->id)
		return;
	count->entry = *entry;
	count->found = true;
}

static enum kcs_exit say_dropped(const struct count *count)
{
	switch (count->entry.dropped) {
	case ENOMEM:
		kcs_say("the core is incomplete: memory ran short while it was read, and the snapshot was dropped: make room or raise the limit of the target's cgroup");
		break;
	case ETIME:
		kcs_say("the core is incomplete: the snapshot grew too old while it was read: read it faster, or raise the module's parameter lifetime_s");
		break;
	default:
		kcs_say("the core is incomplete: the snapshot was cancelled while it was read: take another");
		break;
	}
	return KCS_EXIT_INCOMPLETE;
}

static enum kcs_exit copy_core(struct kcs_nl *nl, struct kcs_copy *copy,
			       struct count *count, const struct kcs_output *out)
{
	struct kcs_progress progress;
	enum kcs_copy_result result;

	copy->out = out->fd;
	copy->sink = out->sink;
	copy->base = out->base;
	copy->tick = kcs_progress_tick;
	copy->arg = &progress;

	kcs_progress_start(&progress);
	result = kcs_copy_run(copy);
	kcs_progress_end(&progress);

	switch (result) {
	case KCS_COPY_OK:
		return KCS_EXIT_OK;
	case KCS_COPY_OUT_FAILED:
		return kcs_output_fail(out, copy->err);
	default:
		break;
	}
	/* Why it was dropped, only the list tells. */
	if (copy->err == ECANCELED) {
		enum kcs_exit ret = kcs_module_list(nl, match_entry, count);

		return ret ? ret : say_dropped(count);
	}
	kcs_say("the core is incomplete: the snapshot can't be read any further (%s): try again, the kernel's log may say why",
		strerror(copy->err));
	return KCS_EXIT_INCOMPLETE;
}

/* Only while the snapshot is open does the list hold it. */
static enum kcs_exit count_bytes(struct kcs_nl *nl, struct count *count)
{
	enum kcs_exit ret = kcs_module_list(nl, match_entry, count);

	if (ret)
		return ret;
	if (!count->found || count->entry.dropped)
		return say_dropped(count);
	return KCS_EXIT_OK;
}

static void append_bytes(FILE *line, uint64_t bytes, const char *what)
{
	char text[KCS_FORMAT_SIZE];

	if (bytes)
		fprintf(line, ", %s %s", kcs_format_bytes(text, bytes), what);
}

static void say_summary(const struct kcs_target *target,
			const struct kcs_taken *taken,
			const struct kcs_copy *copy,
			const struct kcs_entry *entry, uint64_t elapsed_ns)
{
	char size[KCS_FORMAT_SIZE], data[KCS_FORMAT_SIZE];
	char pause[KCS_FORMAT_SIZE], rate[KCS_FORMAT_SIZE];
	char *text KCS_CLEANUP(kcs_free) = NULL;
	size_t len;
	FILE *line = open_memstream(&text, &len);

	if (!line)
		return;
	fprintf(line, "%d (%s): %" PRIu32 " thread%s, %s core, %s data, pause %s, %s",
		target->pid, target->leader.comm, taken->threads,
		taken->threads == 1 ? "" : "s",
		kcs_format_bytes(size, copy->size),
		kcs_format_bytes(data, copy->data),
		kcs_format_ns(pause, entry->pause_ns),
		kcs_format_rate(rate, copy->data, elapsed_ns));
	if (taken->inexact_threads)
		fprintf(line, ", %" PRIu32 " thread%s inexact",
			taken->inexact_threads,
			taken->inexact_threads == 1 ? "" : "s");
	append_bytes(line, entry->inexact_bytes, "inexact");
	append_bytes(line, entry->lost_bytes, "lost");
	fclose(line);
	if (text)
		kcs_say("%s", text);
}

/*
 * The snapshot is closed before the output is synced, so that its memory is not
 * kept while a disk works.
 */
static enum kcs_exit write_core(struct kcs_nl *nl, const struct kcs_args *args,
				const struct kcs_target *target,
				struct kcs_taken *taken, struct kcs_output *out)
{
	struct kcs_copy copy = { .in = taken->fd, .size = taken->size };
	struct count count = { .id = taken->id };
	uint64_t start_ns = kcs_now_ns();
	char lost[KCS_FORMAT_SIZE];
	enum kcs_exit ret;

	ret = copy_core(nl, &copy, &count, out);
	if (ret)
		return ret;
	ret = count_bytes(nl, &count);
	if (ret)
		return ret;
	kcs_close(&taken->fd);
	ret = kcs_output_commit(out, copy.size);
	if (ret)
		return ret;

	if (args->verbose)
		say_summary(target, taken, &copy, &count.entry,
			    kcs_now_ns() - start_ns);
	if (!count.entry.lost_bytes)
		return KCS_EXIT_OK;
	kcs_say("the core is incomplete: %s of memory could no longer be read and are zeros in it: take another",
		kcs_format_bytes(lost, count.entry.lost_bytes));
	return KCS_EXIT_INCOMPLETE;
}

static enum kcs_exit choose_filter(const struct kcs_filter *filter,
				   const struct kcs_target *target,
				   struct kcs_wish *wish)
{
	enum kcs_exit ret = KCS_EXIT_OK;
	uint32_t own = 0;

	if (!filter->given)
		return KCS_EXIT_OK;
	if (filter->relative)
		ret = kcs_target_filter(target, &own);
	wish->has_filter = true;
	wish->filter = kcs_filter_apply(filter, own);
	return ret;
}

static enum kcs_exit take_core(struct kcs_nl *nl, const struct kcs_args *args,
			       const struct kcs_target *target,
			       struct kcs_output *out)
{
	struct kcs_wish wish = args->wish;
	struct kcs_taken taken;
	enum kcs_exit ret;

	ret = kcs_nl_open(nl);
	if (ret)
		return ret;
	ret = kcs_module_check(nl);
	if (ret)
		return ret;
	ret = choose_filter(&args->filter, target, &wish);
	if (ret)
		return ret;
	ret = kcs_module_take(nl, target, &wish, &taken);
	if (ret)
		return ret;

	if (args->wish.dry_run)
		return print_prediction(target, &taken);
	ret = write_core(nl, args, target, &taken, out);
	kcs_close(&taken.fd);
	return ret;
}

static enum kcs_exit core_of(const struct kcs_args *args,
			     const struct kcs_choice *choice)
{
	struct kcs_output out KCS_CLEANUP(kcs_output_close) = KCS_OUTPUT_INIT;
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	struct kcs_target target;
	enum kcs_exit ret;

	ret = kcs_target_pin(&target, choice->pid, choice->start_time);
	if (ret)
		return ret;
	if (!args->wish.dry_run) {
		ret = kcs_output_open(&out, args->output);
		if (ret)
			return ret;
	}
	return take_core(&nl, args, &target, &out);
}

enum kcs_exit kcs_cmd_core(const struct kcs_args *args)
{
	struct kcs_choice *choices KCS_CLEANUP(kcs_free) = NULL;
	enum kcs_exit ret, one;
	size_t i, count;
	int err;

	ret = kcs_choose(args, &choices, &count);
	if (ret)
		return ret;
	if (count > 1 && !args->wish.dry_run) {
		kcs_say("the cores of several processes can't have the same name: take one at a time");
		return KCS_EXIT_USAGE;
	}
	err = kcs_interrupt_start();
	if (err) {
		kcs_say("no thread can be started (%s): raise the limit on processes (ulimit -u)",
			strerror(-err));
		return KCS_EXIT_ERROR;
	}
	/* One that fails does not keep the others from their cores. */
	for (i = 0; i < count; i++) {
		one = core_of(args, &choices[i]);
		if (!ret)
			ret = one;
	}
	return ret;
}
