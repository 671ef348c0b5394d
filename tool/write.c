// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kcoresnap.h>

#include "cleanup.h"
#include "clock.h"
#include "compress.h"
#include "copy.h"
#include "cut.h"
#include "format.h"
#include "interrupt.h"
#include "proc.h"
#include "progress.h"
#include "say.h"
#include "write.h"

/**
 * struct work - a core that is being written
 * @nl: to the module
 * @args: the command line
 * @target: whose core it is
 * @taken: the snapshot
 * @out: where to
 * @copy: how far it is
 * @cut: what is left out
 * @list_err: of the module's list, which is asked once: 0 or -errno
 * @listed: it held the snapshot
 * @entry: with these figures
 * @start_ns: when it began
 */
struct work {
	struct kcs_nl *nl;
	const struct kcs_args *args;
	const struct kcs_target *target;
	struct kcs_taken *taken;
	struct kcs_output *out;
	struct kcs_copy copy;
	struct kcs_cut cut;
	int list_err;
	bool listed;
	struct kcs_entry entry;
	uint64_t start_ns;
};

static const char *quote(const struct kcs_output *out)
{
	return out->path ? "'" : "";
}

static const char *path_of(const struct kcs_output *out)
{
	return out->path ? out->path : "standard output";
}

/* No more of a process has to be in a core than this, which costs it nothing to tell. */
static uint64_t most_needed(pid_t pid)
{
	int dir KCS_CLEANUP(kcs_close) = kcs_proc_open(pid);
	char text[KCS_PROC_TEXT_SIZE];
	const char *memory, *swap;

	if (dir < 0 || kcs_proc_read(dir, "status", text))
		return UINT64_MAX;
	memory = kcs_proc_find(text, "RssAnon:");
	swap = kcs_proc_find(text, "VmSwap:");
	if (!memory || !swap)
		return UINT64_MAX;
	return (strtoull(memory, NULL, 10) + strtoull(swap, NULL, 10)) << 10;
}

enum kcs_exit kcs_write_check(struct kcs_nl *nl, const struct kcs_args *args,
			      const struct kcs_target *target,
			      const struct kcs_wish *wish,
			      const struct kcs_output *out)
{
	char have[KCS_FORMAT_SIZE], need[KCS_FORMAT_SIZE];
	uint64_t room = kcs_output_room(out);
	struct kcs_wish ask = *wish;
	struct kcs_taken predicted;
	enum kcs_exit ret;

	if (args->level || room == UINT64_MAX || most_needed(target->pid) <= room)
		return KCS_EXIT_OK;
	ask.dry_run = true;
	ret = kcs_module_take(nl, target, &ask, &predicted);
	if (ret)
		return ret;
	if (predicted.data_bytes > args->limit)
		predicted.data_bytes = args->limit;
	if (predicted.data_bytes <= room)
		return KCS_EXIT_OK;
	kcs_say("there is room for %s where %s%s%s is to be, and the core needs at least %s: free some space, write elsewhere, or use -z or --limit",
		kcs_format_bytes(have, room), quote(out), path_of(out),
		quote(out), kcs_format_bytes(need, predicted.data_bytes));
	return KCS_EXIT_OUTPUT;
}

static void match_entry(const struct kcs_entry *entry, void *arg)
{
	struct work *work = arg;

	if (entry->id != work->taken->id)
		return;
	work->entry = *entry;
	work->listed = true;
}

/*
 * Only while the snapshot is open does the list hold it. It is closed before the
 * output is synced, so that its memory is not kept while a disk works.
 *
 * Return: 0 or -errno of the list.
 */
static int let_go(struct work *work)
{
	if (work->taken->fd < 0)
		return work->list_err;
	work->list_err = kcs_module_list(work->nl, match_entry, work);
	kcs_close(&work->taken->fd);
	return work->list_err;
}

/* What was compressed may all be in memory, and what was written an empty frame. */
static bool has_part(const struct work *work)
{
	return work->copy.done && work->copy.written;
}

/*
 * What little there is of a core is kept, unless it is nothing.
 *
 * Return: the end of a sentence that says so, to be freed; NULL if nothing is kept.
 */
static char *keep(struct work *work)
{
	struct kcs_output *out = work->out;
	char *told = NULL;
	int err, len = 0;

	let_go(work);
	err = has_part(work) ? kcs_output_keep(out) : 0;
	if (err)
		len = asprintf(&told, "; what was written can't be kept (%s)",
			       strerror(-err));
	else if (out->kept)
		len = asprintf(&told, "; what was written is kept as '%s%s'",
			       out->path, out->kept);
	return len < 0 ? NULL : told;
}

__attribute__((format(printf, 2, 3)))
static enum kcs_exit say_incomplete(struct work *work, const char *fmt, ...)
{
	char *told KCS_CLEANUP(kcs_free) = keep(work);
	char *why KCS_CLEANUP(kcs_free) = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		why = NULL;
	va_end(ap);
	kcs_say("the core is incomplete: %s%s", why ? why : "make memory free",
		told ? told : "");
	return KCS_EXIT_INCOMPLETE;
}

static enum kcs_exit say_dropped(struct work *work)
{
	switch (work->entry.dropped) {
	case ENOMEM:
		return say_incomplete(work, "memory ran short while it was read, and the snapshot was dropped: make room or raise the limit of the target's cgroup");
	case ETIME:
		return say_incomplete(work, "the snapshot grew too old while it was read: read it faster, or raise the module's parameter lifetime_s");
	default:
		return say_incomplete(work, "the snapshot was cancelled while it was read: take another");
	}
}

static enum kcs_exit say_unreadable(struct work *work, int err)
{
	return say_incomplete(work, "the snapshot can't be read any further (%s): try again, the kernel's log may say why",
			      strerror(err));
}

/* What was lost of it, only the list would have told. */
static enum kcs_exit say_unlisted(struct work *work, int err)
{
	return say_incomplete(work, "the module's word that all memory could be read is missing (%s): take another",
			      work->nl->sentence[0] ? work->nl->sentence :
						      strerror(err));
}

static enum kcs_exit say_stopped(struct work *work)
{
	return say_incomplete(work, "the time allowed is over: allow more with --timeout");
}

/* An output that took nothing has failed; one that took a part holds a part. */
static enum kcs_exit say_unwritten(struct work *work, int err)
{
	if (!has_part(work))
		return kcs_output_fail(work->out, err);
	return say_incomplete(work, "can't write to %s%s%s: %s: %s",
			      quote(work->out), path_of(work->out),
			      quote(work->out), strerror(err),
			      kcs_output_remedy(err));
}

static enum kcs_exit say_left_out(struct work *work)
{
	char bytes[KCS_FORMAT_SIZE];

	return say_incomplete(work, "%s of %zu segment%s are left out, as --limit asks: allow more",
			      kcs_format_bytes(bytes, work->cut.left_out),
			      work->cut.segments,
			      work->cut.segments == 1 ? "" : "s");
}

static enum kcs_exit say_lost(struct work *work)
{
	char bytes[KCS_FORMAT_SIZE];

	return say_incomplete(work, "%s of memory could no longer be read and are zeros in it: take another",
			      kcs_format_bytes(bytes, work->entry.lost_bytes));
}

/* What each mode reads live by its definition is no fault of the core. */
static enum kcs_exit say_missed(const struct work *work)
{
	char bytes[KCS_FORMAT_SIZE];

	if (!work->entry.missed_bytes)
		return KCS_EXIT_OK;
	kcs_format_bytes(bytes, work->entry.missed_bytes);
	if (work->entry.mode == KCORESNAP_MODE_STOP)
		kcs_say("the core is complete, but %s of private memory were read after the pause had ended: allow a longer one with --max-pause",
			bytes);
	else
		kcs_say("the core is complete, but %s of private memory that is no part of a clone were read after the pause: use --mode stop with a long --max-pause",
			bytes);
	return KCS_EXIT_INEXACT;
}

/* Why it was dropped, only the list tells. */
static enum kcs_exit say_failed_input(struct work *work, int err)
{
	if (err == ECANCELED && !let_go(work))
		return say_dropped(work);
	return say_unreadable(work, err);
}

/* Where a program reads what is told, unasked it gets results only. */
static enum kcs_when choose_when(const struct kcs_args *args)
{
	if (args->quiet || (args->json && args->progress == KCS_WHEN_AUTO))
		return KCS_WHEN_NEVER;
	return args->progress;
}

static enum kcs_exit copy_core(struct work *work)
{
	struct kcs_progress progress = {
		.when = choose_when(work->args),
		.data_bytes = work->taken->data_bytes,
		.pause_ns = work->taken->pause_ns,
	};
	struct kcs_copy *copy = &work->copy;
	enum kcs_copy_result result;

	copy->tick = kcs_progress_tick;
	copy->arg = &progress;
	kcs_progress_start(&progress);
	result = kcs_copy_run(copy);
	kcs_progress_end(&progress);

	switch (result) {
	case KCS_COPY_OK:
		return KCS_EXIT_OK;
	case KCS_COPY_OUT_FAILED:
		return say_unwritten(work, copy->err);
	case KCS_COPY_STOPPED:
		return say_stopped(work);
	default:
		return say_failed_input(work, copy->err);
	}
}

static void append_bytes(FILE *line, uint64_t bytes, const char *what)
{
	char text[KCS_FORMAT_SIZE];

	if (bytes)
		fprintf(line, ", %s %s", kcs_format_bytes(text, bytes), what);
}

static void say_summary(const struct work *work)
{
	const struct kcs_taken *taken = work->taken;
	char size[KCS_FORMAT_SIZE], data[KCS_FORMAT_SIZE];
	char pause[KCS_FORMAT_SIZE], rate[KCS_FORMAT_SIZE];
	char *text KCS_CLEANUP(kcs_free) = NULL;
	size_t len;
	FILE *line = open_memstream(&text, &len);

	if (!line)
		return;
	fprintf(line, "%d (%s): %" PRIu32 " thread%s, %s core, %s data, pause %s, %s",
		work->target->pid, work->target->leader.comm, taken->threads,
		taken->threads == 1 ? "" : "s",
		kcs_format_bytes(size, work->copy.done),
		kcs_format_bytes(data, work->copy.data),
		kcs_format_ns(pause, work->entry.pause_ns),
		kcs_format_rate(rate, work->copy.data,
				kcs_now_ns() - work->start_ns));
	if (taken->inexact_threads)
		fprintf(line, ", %" PRIu32 " thread%s inexact",
			taken->inexact_threads,
			taken->inexact_threads == 1 ? "" : "s");
	append_bytes(line, work->entry.inexact_bytes, "inexact");
	if (work->entry.missed_bytes)
		fprintf(line, " (%s of it private)",
			kcs_format_bytes(size, work->entry.missed_bytes));
	append_bytes(line, work->entry.lost_bytes, "lost");
	append_bytes(line, work->cut.left_out, "left out");
	fclose(line);
	if (text)
		kcs_say("%s", text);
}

/* A name that was taken meanwhile is no reason to lose a core. */
static enum kcs_exit say_unnamed(struct work *work, int err)
{
	char *told KCS_CLEANUP(kcs_free) = NULL;

	if (err != EEXIST)
		return say_unwritten(work, err);
	told = keep(work);
	kcs_say("'%s' was created by somebody else meanwhile and is not overwritten: give another name%s",
		work->out->path, told ? told : "");
	return KCS_EXIT_OUTPUT;
}

static enum kcs_exit finish(struct work *work)
{
	enum kcs_exit ret = KCS_EXIT_OK;
	int err = let_go(work);

	if (err)
		return say_unlisted(work, -err);
	if (!work->listed || work->entry.dropped)
		return say_dropped(work);
	if (work->entry.lost_bytes)
		ret = say_lost(work);
	else if (work->cut.left_out)
		ret = say_left_out(work);
	if (!ret) {
		err = kcs_output_commit(work->out, work->copy.done);
		if (err)
			return say_unnamed(work, -err);
		ret = say_missed(work);
	}
	if (work->args->verbose && !work->args->json)
		say_summary(work);
	return ret;
}

/* Nothing of the snapshot was read before. */
static enum kcs_exit plan(struct work *work)
{
	int err;

	if (work->args->limit == UINT64_MAX)
		return KCS_EXIT_OK;
	err = kcs_cut_plan(&work->cut, work->taken->fd, work->taken->size,
			   work->args->limit);
	if (err)
		return say_failed_input(work, -err);
	work->copy.cut = &work->cut;
	return KCS_EXIT_OK;
}

static enum kcs_exit start_compressor(struct work *work)
{
	if (!work->args->level)
		return KCS_EXIT_OK;
	work->copy.zstd = kcs_zstd_create(work->args->level);
	if (work->copy.zstd) {
		/* Of a compressed stream nothing can be left out. */
		work->out->sink = KCS_SINK_STREAM;
		return KCS_EXIT_OK;
	}
	kcs_say("there is no memory to compress the core: make room, or leave out -z");
	return KCS_EXIT_ERROR;
}

enum kcs_exit kcs_write_core(struct kcs_nl *nl, const struct kcs_args *args,
			     const struct kcs_target *target,
			     struct kcs_taken *taken, struct kcs_output *out,
			     struct kcs_report *report)
{
	struct work work = {
		.nl = nl, .args = args, .target = target, .taken = taken,
		.out = out, .start_ns = kcs_now_ns(),
	};
	enum kcs_exit ret = start_compressor(&work);

	work.copy.in = taken->fd;
	work.copy.size = taken->size;
	work.copy.out = out->fd;
	work.copy.sink = out->sink;
	work.copy.base = out->base;
	work.copy.tidy = out->file && !out->direct;
	work.copy.rate = args->rate;
	work.copy.stop = kcs_interrupt_expired();
	if (!ret)
		ret = plan(&work);
	if (!ret)
		ret = copy_core(&work);
	if (!ret)
		ret = finish(&work);
	let_go(&work);
	report->counted = work.listed;
	report->entry = work.entry;
	report->written_bytes = work.copy.data;
	report->left_out_bytes = work.cut.left_out;
	report->elapsed_ns = kcs_now_ns() - work.start_ns;
	kcs_zstd_free(work.copy.zstd);
	kcs_cut_free(&work.cut);
	return ret;
}
