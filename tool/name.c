// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "name.h"
#include "say.h"
#include "template.h"

#define NAME_IN_DIRECTORY "core.%e.%p"

static bool is_directory(const char *output)
{
	return output[strlen(output) - 1] == '/';
}

bool kcs_name_tells_apart(const char *output)
{
	return output &&
	       (is_directory(output) || kcs_template_tells_apart(output));
}

enum kcs_exit kcs_name_make(char **name, const char *output, bool compressed,
			    const struct kcs_target *target)
{
	char *template KCS_CLEANUP(kcs_free) = NULL;
	struct kcs_facts facts;
	struct kcs_fact_text text;
	enum kcs_exit ret;

	*name = NULL;
	if (asprintf(&template, "%s%s%s", output,
		     is_directory(output) ? NAME_IN_DIRECTORY : "",
		     is_directory(output) && compressed ? ".zst" : "") < 0)
		template = NULL;
	if (template && strchr(template, '%')) {
		ret = kcs_facts_read(&facts, &text, target);
		if (ret)
			return ret;
		*name = kcs_template_expand(template, &facts);
	} else if (template) {
		*name = strdup(template);
	}
	if (*name)
		return KCS_EXIT_OK;
	kcs_say("there is no memory for the name of the core: make room");
	return KCS_EXIT_ERROR;
}
