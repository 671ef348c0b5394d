// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <linux/kcoresnap.h>

#include "cleanup.h"
#include "clock.h"
#include "cmd.h"
#include "format.h"
#include "json.h"
#include "note.h"
#include "parse.h"
#include "say.h"
#include "unpack.h"

#define TIME_SIZE 64

static const char *format_time(char *buf, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NSEC_PER_SEC);
	char day[TIME_SIZE / 2];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm))
		day[0] = '\0';
	snprintf(buf, TIME_SIZE, "%s.%09" PRIu64 " UTC", day,
		 (uint64_t)(ns % NSEC_PER_SEC));
	return buf;
}

static void print_pause(const struct kcoresnap_note *head)
{
	char pause[KCS_FORMAT_SIZE], park[KCS_FORMAT_SIZE];
	char regs[KCS_FORMAT_SIZE], clone[KCS_FORMAT_SIZE];

	printf("pause         %s: until all were parked %s, registers %s, page tables %s\n",
	       kcs_format_ns(pause, head->pause_ns),
	       kcs_format_ns(park, head->park_ns),
	       kcs_format_ns(regs, head->regs_ns),
	       kcs_format_ns(clone, head->clone_ns));
}

static void print_head(const struct kcs_note *note)
{
	const struct kcoresnap_note *head = &note->head;
	char text[KCS_FORMAT_SIZE], when[TIME_SIZE];
	uint32_t inexact = 0, i;

	for (i = 0; i < head->threads; i++)
		inexact += !!(note->threads[i].flags & KCORESNAP_NOTE_THREAD_INEXACT);
	printf("process       %" PRIu32 " (%s)\n", head->pid, head->comm);
	printf("inside        %" PRIu32 " in its own pid namespace\n", head->ns_pid);
	printf("taken         %s\n", format_time(when, head->time_ns));
	printf("mode          %s\n", kcs_mode_name(head->mode));
	printf("filter        %#" PRIx32 "\n", head->filter);
	print_pause(head);
	printf("pause bound   %s\n", kcs_format_ns(text, head->max_pause_ns));
	printf("inexact       up to %s\n", kcs_format_bytes(text, head->inexact_bound));
	printf("pids          %s\n", kcs_pids_name(head->pids));
	printf("requester     pid %" PRIu32 ", uid %" PRIu32 "\n",
	       head->requester_pid, head->requester_uid);
	printf("kernel        %s\n", head->release);
	printf("module        %s\n", head->module);
	printf("threads       %" PRIu32 "%s", head->threads, inexact ? ", " : "\n");
	if (inexact)
		printf("%" PRIu32 " inexact\n", inexact);
}

static char state_letter(const struct kcoresnap_note_thread *thread)
{
	return thread->state > ' ' && thread->state < 0x7f ? (char)thread->state : '?';
}

static void print_threads(const struct kcs_note *note)
{
	uint32_t i;

	printf("\n%10s %10s %-5s %s\n", "TID", "INSIDE", "STATE", "NAME");
	for (i = 0; i < note->head.threads; i++) {
		const struct kcoresnap_note_thread *thread = &note->threads[i];

		printf("%10" PRIu32 " %10" PRIu32 " %-5c %s%s\n", thread->tid,
		       thread->ns_tid, state_letter(thread), thread->name,
		       thread->flags & KCORESNAP_NOTE_THREAD_INEXACT ?
		       " (inexact)" : "");
	}
}

static void add_thread(struct json_object *all,
		       const struct kcoresnap_note_thread *thread)
{
	struct json_object *one = json_object_new_object();
	bool inexact = thread->flags & KCORESNAP_NOTE_THREAD_INEXACT;
	char state[] = { state_letter(thread), '\0' };

	kcs_json_add_u64(one, "tid", thread->tid);
	kcs_json_add_u64(one, "ns_tid", thread->ns_tid);
	kcs_json_add_text(one, "state", state);
	kcs_json_add_text(one, "name", thread->name);
	kcs_json_add(one, "inexact", json_object_new_boolean(inexact));
	json_object_array_add(all, one);
}

static enum kcs_exit show_json(const struct kcs_note *note)
{
	const struct kcoresnap_note *head = &note->head;
	struct json_object *all = json_object_new_object();
	struct json_object *threads = json_object_new_array();
	uint32_t i;

	kcs_json_add_u64(all, "pid", head->pid);
	kcs_json_add_u64(all, "ns_pid", head->ns_pid);
	kcs_json_add_text(all, "comm", head->comm);
	kcs_json_add_u64(all, "time_ns", head->time_ns);
	kcs_json_add_text(all, "mode", kcs_mode_name(head->mode));
	kcs_json_add_u64(all, "filter", head->filter);
	kcs_json_add_text(all, "pids", kcs_pids_name(head->pids));
	kcs_json_add_u64(all, "pause_ns", head->pause_ns);
	kcs_json_add_u64(all, "park_ns", head->park_ns);
	kcs_json_add_u64(all, "regs_ns", head->regs_ns);
	kcs_json_add_u64(all, "clone_ns", head->clone_ns);
	kcs_json_add_u64(all, "max_pause_ns", head->max_pause_ns);
	kcs_json_add_u64(all, "inexact_bound", head->inexact_bound);
	kcs_json_add_u64(all, "requester_pid", head->requester_pid);
	kcs_json_add_u64(all, "requester_uid", head->requester_uid);
	kcs_json_add_text(all, "release", head->release);
	kcs_json_add_text(all, "module", head->module);
	for (i = 0; i < head->threads; i++)
		add_thread(threads, &note->threads[i]);
	kcs_json_add(all, "threads", threads);
	return kcs_json_print(all, KCS_EXIT_OK);
}

static enum kcs_exit say_unreadable(const char *path, int err)
{
	switch (err) {
	case -ENOEXEC:
		kcs_say("'%s' is no ELF core, nor one that zstd compressed: name a core that kcoresnap wrote",
			path);
		break;
	case -ENODATA:
		kcs_say("'%s' has no note of kcoresnap's: it was written by something else, or by an older version: name a core that kcoresnap wrote",
			path);
		break;
	case -EPROTO:
		kcs_say("'%s' was written by a newer version: read it with that",
			path);
		break;
	case -EBADMSG:
		kcs_say("'%s' is damaged or cut off before the end of its notes: take another",
			path);
		break;
	default:
		kcs_say("'%s' can't be read (%s): name a core that you may read", path,
			strerror(-err));
		break;
	}
	return KCS_EXIT_ERROR;
}

enum kcs_exit kcs_cmd_show(const struct kcs_args *args)
{
	struct kcs_note note KCS_CLEANUP(kcs_note_free) = { .threads = NULL };
	void *desc KCS_CLEANUP(kcs_free) = NULL;
	int fd KCS_CLEANUP(kcs_close) = -1;
	size_t size;
	int ret;

	fd = open(args->core, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return say_unreadable(args->core, -errno);
	ret = kcs_unpack_is_packed(fd) ? kcs_unpack_find(fd, &desc, &size) :
					 kcs_note_find(fd, &desc, &size);
	if (!ret)
		ret = kcs_note_parse(&note, desc, size);
	if (ret)
		return say_unreadable(args->core, ret);
	if (args->json)
		return show_json(&note);
	print_head(&note);
	print_threads(&note);
	return KCS_EXIT_OK;
}
