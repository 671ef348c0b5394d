/* SPDX-License-Identifier: GPL-2.0 */
/* Several cores have several names. */
#ifndef KCS_APART_H
#define KCS_APART_H

#include <stddef.h>

#include "choose.h"
#include "cmd.h"
#include "exit.h"

/**
 * kcs_apart_check() - before anything is done: will each core have its own name?
 * @args: the command line
 * @choices: whose cores
 * @count: how many
 *
 * Processes of several pid namespaces may have the same pid inside. What is gone
 * needs no name.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_apart_check(const struct kcs_args *args,
			      const struct kcs_choice *choices, size_t count);

#endif /* KCS_APART_H */
