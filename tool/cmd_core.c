// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apart.h"
#include "choose.h"
#include "cleanup.h"
#include "cmd.h"
#include "format.h"
#include "interrupt.h"
#include "json.h"
#include "name.h"
#include "output.h"
#include "parse.h"
#include "report.h"
#include "say.h"
#include "write.h"

static void print_prediction(const struct kcs_target *target,
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
}

static enum kcs_exit say_prediction(const struct kcs_taken *taken)
{
	if (taken->refusal[0])
		kcs_say("%s", taken->refusal);
	else if (taken->err)
		kcs_say("the snapshot would be refused (%s)",
			strerror(taken->err));
	else
		return KCS_EXIT_OK;
	return kcs_exit_of_errno(taken->err);
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
			       struct kcs_output *out,
			       struct kcs_report *report)
{
	struct kcs_taken *taken = &report->taken;
	struct kcs_wish wish = args->wish;
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
	if (atomic_load(kcs_interrupt_expired())) {
		kcs_say("no core of process %d: the time allowed is over: allow more with --timeout",
			target->pid);
		return KCS_EXIT_INCOMPLETE;
	}
	if (!wish.dry_run) {
		ret = kcs_write_check(nl, args, target, &wish, out);
		if (ret)
			return ret;
	}
	ret = kcs_module_take(nl, target, &wish, taken);
	if (ret)
		return ret;

	report->asked = true;
	if (args->wish.dry_run) {
		if (!args->json)
			print_prediction(target, taken);
		return say_prediction(taken);
	}
	ret = kcs_write_core(nl, args, target, taken, out, report);
	kcs_close(&taken->fd);
	return ret;
}

static enum kcs_exit open_output(struct kcs_output *out,
				 const struct kcs_args *args,
				 const struct kcs_target *target)
{
	char *name KCS_CLEANUP(kcs_free) = NULL;
	enum kcs_exit ret;

	if (args->output) {
		ret = kcs_name_make(&name, args->output, args->level, target);
		if (ret)
			return ret;
	}
	return kcs_output_open(out, name, args->force);
}

static enum kcs_exit core_of(const struct kcs_args *args,
			     const struct kcs_choice *choice,
			     struct kcs_output *out, struct kcs_target *target,
			     struct kcs_report *report)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	enum kcs_exit ret;

	ret = kcs_target_pin(target, choice->pid, choice->start_time);
	if (ret)
		return ret;
	report->target = target;
	if (!args->wish.dry_run) {
		ret = open_output(out, args, target);
		if (ret)
			return ret;
	}
	return take_core(&nl, args, target, out, report);
}

static enum kcs_exit tell_core_of(const struct kcs_args *args,
				  const struct kcs_choice *choice)
{
	struct kcs_output out KCS_CLEANUP(kcs_output_close) = KCS_OUTPUT_INIT;
	struct kcs_report report = {
		.pid = choice->pid,
		.dry_run = args->wish.dry_run,
	};
	char *file KCS_CLEANUP(kcs_free) = NULL;
	struct kcs_target target;
	enum kcs_exit ret;

	ret = core_of(args, choice, &out, &target, &report);
	if (!args->json)
		return ret;
	if (out.kept && asprintf(&file, "%s%s", out.path, out.kept) < 0)
		file = NULL;
	report.file = file;
	return kcs_report_print(&report, ret);
}

enum kcs_exit kcs_cmd_core(const struct kcs_args *args)
{
	struct kcs_choice *choices KCS_CLEANUP(kcs_free) = NULL;
	enum kcs_exit ret, one;
	size_t i, count;
	int err;

	/* Where the core does not go. */
	if (args->json)
		kcs_json_start(args->output || args->wish.dry_run ?
				       STDOUT_FILENO : STDERR_FILENO);
	ret = kcs_choose(args, &choices, &count);
	if (ret)
		return ret;
	ret = kcs_apart_check(args, choices, count);
	if (ret)
		return ret;
	err = kcs_interrupt_start(args->timeout_us);
	if (err) {
		kcs_say("no thread can be started (%s): raise the limit on processes (ulimit -u)",
			strerror(-err));
		return KCS_EXIT_ERROR;
	}
	/* One that fails does not keep the others from their cores. */
	for (i = 0; i < count; i++) {
		one = tell_core_of(args, &choices[i]);
		if (!ret)
			ret = one;
	}
	return ret;
}
