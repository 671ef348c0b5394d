// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "cleanup.h"
#include "nest.h"
#include "options.h"
#include "say.h"

/* What is listed of containers that may be meant. */
#define MOST_LISTED 6

static size_t count_named(const struct kcs_census *census, const char *wanted,
			  bool whole, size_t *index)
{
	size_t i, count = 0;

	for (i = 0; i < census->container_count; i++) {
		if (!kcs_census_is_named(&census->containers[i], wanted, whole))
			continue;
		*index = i;
		count++;
	}
	return count;
}

static void list_container(FILE *text, const struct kcs_census *census,
			   const struct kcs_housing *container)
{
	fprintf(text, "%s %.*s", container->id.runtime,
		kcs_container_short(container->id.id), container->id.id);
	if (container->name[0])
		fprintf(text, " (%s)", container->name);
	if (container->main != KCS_NO_MAIN)
		fprintf(text, " with process %d (%s)",
			census->processes[container->main].pid,
			census->processes[container->main].stat.comm);
}

static enum kcs_exit say_ambiguous(const struct kcs_census *census,
				   const char *wanted, bool whole, size_t count)
{
	char *list KCS_CLEANUP(kcs_free) = NULL;
	size_t i, listed = 0, len;
	FILE *text = open_memstream(&list, &len);

	for (i = 0; text && i < census->container_count; i++) {
		if (!kcs_census_is_named(&census->containers[i], wanted, whole))
			continue;
		if (listed == MOST_LISTED) {
			fprintf(text, ", and more");
			break;
		}
		fprintf(text, "%s", listed++ ? ", " : "");
		list_container(text, census, &census->containers[i]);
	}
	if (text)
		fclose(text);
	kcs_say("'%s' may be one of %zu containers, %s: give more of its ID",
		wanted, count, list ? list : "too many to list");
	return KCS_EXIT_USAGE;
}

enum kcs_exit kcs_choose_container(const struct kcs_census *census,
				   const char *wanted, size_t *index)
{
	bool whole = true;
	size_t count;

	wanted = kcs_container_wanted(wanted);
	count = count_named(census, wanted, whole, index);
	if (!count) {
		whole = false;
		count = count_named(census, wanted, whole, index);
	}
	if (count == 1)
		return KCS_EXIT_OK;
	if (count)
		return say_ambiguous(census, wanted, whole, count);
	kcs_say("no container here has an ID or a name that begins with '%s': 'kcoresnap ps' tells what can be seen of them",
		wanted);
	return KCS_EXIT_NO_TARGET;
}

static void add(struct kcs_choice *choices, size_t *count,
		const struct kcs_process *process)
{
	choices[(*count)++] = (struct kcs_choice){
		.pid = process->pid,
		.start_time = process->stat.start_time,
	};
}

static enum kcs_exit choose_in(const struct kcs_census *census,
			       const struct kcs_args *args,
			       struct kcs_choice *choices, size_t *count)
{
	size_t i, index = 0;
	enum kcs_exit ret;

	ret = kcs_choose_container(census, args->container, &index);
	if (ret)
		return ret;
	for (i = 0; i < census->count; i++) {
		const struct kcs_process *process = &census->processes[i];

		if (args->every_process ?
			    kcs_census_is_in(process, index) &&
				    process->pid != getpid() :
			    i == census->containers[index].main)
			add(choices, count, process);
	}
	if (*count)
		return KCS_EXIT_OK;
	kcs_say("container %s has no process of its own, only containers within: name one of these, or give --every-process",
		census->containers[index].id.id);
	return KCS_EXIT_NO_TARGET;
}

static enum kcs_exit choose_by_container(const struct kcs_args *args,
					 struct kcs_choice **choices,
					 size_t *count)
{
	struct kcs_census census KCS_CLEANUP(kcs_census_free) = { 0 };
	int ret = kcs_census_take(&census);

	if (ret) {
		kcs_say("the processes in /proc can't be read (%s): check that it is mounted",
			strerror(-ret));
		return KCS_EXIT_ERROR;
	}
	*choices = calloc(census.count + 1, sizeof(**choices));
	if (!*choices) {
		kcs_say("there is no memory for a list of processes: make room");
		return KCS_EXIT_ERROR;
	}
	return choose_in(&census, args, *choices, count);
}

static bool is_repeated(const struct kcs_choice *choices, size_t index)
{
	size_t i;

	for (i = 0; i < index; i++)
		if (choices[i].pid == choices[index].pid)
			return true;
	return false;
}

static enum kcs_exit choose_by_pid(const struct kcs_args *args,
				   struct kcs_choice **choices, size_t *count)
{
	enum kcs_exit ret;
	size_t i;

	*choices = calloc(args->pid_count + 1, sizeof(**choices));
	if (!*choices) {
		kcs_say("there is no memory for a list of processes: make room");
		return KCS_EXIT_ERROR;
	}
	for (i = 0; i < args->pid_count; i++) {
		struct kcs_choice *choice = &(*choices)[i];

		choice->pid = args->pids[i];
		ret = !args->ns ? KCS_EXIT_OK :
			kcs_nest_find(args->ns, args->pids[i], &choice->pid,
				      &choice->start_time);
		if (ret)
			return ret;
		if (!is_repeated(*choices, i))
			continue;
		kcs_say("process %d is given twice: a core has one name only",
			args->pids[i]);
		return KCS_EXIT_USAGE;
	}
	*count = args->pid_count;
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_choose(const struct kcs_args *args,
			 struct kcs_choice **choices, size_t *count)
{
	*choices = NULL;
	*count = 0;
	if (args->container && (args->pid_count || args->ns)) {
		kcs_say("a process is named by its PID or by --container, not by both: "
			KCS_SEE_HELP);
		return KCS_EXIT_USAGE;
	}
	if (args->every_process && !args->container) {
		kcs_say("option '--every-process' needs '--container': "
			KCS_SEE_HELP);
		return KCS_EXIT_USAGE;
	}
	if (args->container)
		return choose_by_container(args, choices, count);
	if (!args->pid_count) {
		kcs_say("no process is given: " KCS_SEE_HELP);
		return KCS_EXIT_USAGE;
	}
	return choose_by_pid(args, choices, count);
}
