// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "apart.h"
#include "cleanup.h"
#include "name.h"
#include "say.h"

/* What goes wrong here goes wrong again, and is told then. */
static char *name_of(const struct kcs_args *args, const struct kcs_choice *choice)
{
	struct kcs_target target;
	char *name = NULL;

	kcs_say_mute(true);
	if (!kcs_target_pin(&target, choice->pid, choice->start_time))
		kcs_name_make(&name, args->output, args->level, &target);
	kcs_say_mute(false);
	return name;
}

static enum kcs_exit compare(char *const *names,
			     const struct kcs_choice *choices, size_t index)
{
	size_t i;

	for (i = 0; names[index] && i < index; i++) {
		if (!names[i] || strcmp(names[i], names[index]) != 0)
			continue;
		kcs_say("the cores of processes %d and %d would both be '%s': use %%P, the pid as seen here, in the name",
			choices[i].pid, choices[index].pid, names[i]);
		return KCS_EXIT_USAGE;
	}
	return KCS_EXIT_OK;
}

enum kcs_exit kcs_apart_check(const struct kcs_args *args,
			      const struct kcs_choice *choices, size_t count)
{
	enum kcs_exit ret = KCS_EXIT_OK;
	char **names;
	size_t i;

	if (count < 2 || args->wish.dry_run)
		return KCS_EXIT_OK;
	if (!kcs_name_tells_apart(args->output)) {
		kcs_say("the cores of several processes can't have the same name: use -o DIR/, or %%p in the name");
		return KCS_EXIT_USAGE;
	}
	names = calloc(count, sizeof(*names));
	if (!names) {
		kcs_say("there is no memory for the names of the cores: make room");
		return KCS_EXIT_ERROR;
	}
	for (i = 0; i < count && !ret; i++) {
		names[i] = name_of(args, &choices[i]);
		ret = compare(names, choices, i);
	}
	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return ret;
}
