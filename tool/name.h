/* SPDX-License-Identifier: GPL-2.0 */
/* The name of a core's file. */
#ifndef KCS_NAME_H
#define KCS_NAME_H

#include <stdbool.h>

#include "exit.h"
#include "target.h"

/**
 * kcs_name_tells_apart() - whether the cores of several processes get names of
 *	their own
 * @output: as given with -o; NULL is standard output
 */
bool kcs_name_tells_apart(const char *output);

/**
 * kcs_name_make() - make a name for a core
 * @name: set to the name, to be freed; NULL on failure
 * @output: as given with -o: a template, checked; one that ends with a slash
 *	stands for core.%e.%p in that directory
 * @compressed: in a directory, ".zst" comes behind
 * @target: the process
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_name_make(char **name, const char *output, bool compressed,
			    const struct kcs_target *target);

#endif /* KCS_NAME_H */
