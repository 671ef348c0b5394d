// SPDX-License-Identifier: GPL-2.0
#include "json.h"
#include "parse.h"
#include "report.h"

static void add_prediction(struct json_object *one, const struct kcs_taken *taken)
{
	bool refused = taken->err || taken->refusal[0];

	kcs_json_add(one, "mode", refused ? NULL :
		     kcs_json_text(kcs_mode_name(taken->mode)));
	kcs_json_add_u64(one, "threads", taken->threads);
	kcs_json_add_u64(one, "predicted_ns", taken->predicted_ns);
	kcs_json_add_u64(one, "growth_bound", taken->growth_bound);
	kcs_json_add_u64(one, "data_bytes", taken->data_bytes);
	kcs_json_add(one, "refusal", refused ?
		     kcs_json_text(taken->refusal) : NULL);
	kcs_json_add_u64(one, "errno", taken->err);
}

static void add_taken(struct json_object *one, const struct kcs_taken *taken)
{
	kcs_json_add_u64(one, "id", taken->id);
	kcs_json_add_text(one, "mode", kcs_mode_name(taken->mode));
	kcs_json_add_u64(one, "size", taken->size);
	kcs_json_add_u64(one, "data_bytes", taken->data_bytes);
	kcs_json_add_u64(one, "inexact_bound", taken->inexact_bound);
	kcs_json_add_u64(one, "threads", taken->threads);
	kcs_json_add_u64(one, "inexact_threads", taken->inexact_threads);
	kcs_json_add_u64(one, "segments", taken->segments);
	kcs_json_add_u64(one, "park_ns", taken->park_ns);
	kcs_json_add_u64(one, "regs_ns", taken->regs_ns);
	kcs_json_add_u64(one, "clone_ns", taken->clone_ns);
	kcs_json_add_u64(one, "predicted_ns", taken->predicted_ns);
	kcs_json_add_u64(one, "growth_bound", taken->growth_bound);
}

static void add_end(struct json_object *one, const struct kcs_report *report)
{
	const struct kcs_entry *entry = &report->entry;

	/* By stop it is known when all was read. */
	kcs_json_add_u64(one, "pause_ns", report->counted ?
			 entry->pause_ns : report->taken.pause_ns);
	if (report->counted) {
		kcs_json_add_u64(one, "read_bytes", entry->read_bytes);
		kcs_json_add_u64(one, "inexact_bytes", entry->inexact_bytes);
		kcs_json_add_u64(one, "missed_bytes", entry->missed_bytes);
		kcs_json_add_u64(one, "lost_bytes", entry->lost_bytes);
	}
	kcs_json_add_u64(one, "written_bytes", report->written_bytes);
	kcs_json_add_u64(one, "left_out_bytes", report->left_out_bytes);
	kcs_json_add_u64(one, "elapsed_ns", report->elapsed_ns);
	kcs_json_add(one, "file", report->file ?
		     kcs_json_text(report->file) : NULL);
}

enum kcs_exit kcs_report_print(const struct kcs_report *report,
			       enum kcs_exit ret)
{
	struct json_object *one = json_object_new_object();

	kcs_json_add_u64(one, "pid", report->pid);
	if (report->target)
		kcs_json_add_text(one, "comm", report->target->leader.comm);
	if (report->asked && report->dry_run) {
		add_prediction(one, &report->taken);
	} else if (report->asked) {
		add_taken(one, &report->taken);
		add_end(one, report);
	}
	return kcs_json_print(one, ret);
}
