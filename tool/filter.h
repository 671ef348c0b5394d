/* SPDX-License-Identifier: GPL-2.0 */
/* Which memory is in a core: the bits of coredump_filter, see core(5). Pure functions. */
#ifndef KCS_FILTER_H
#define KCS_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct kcs_filter - what the command line says of them
 * @given: it says something; else the target's own filter holds
 * @relative: it is about the target's own filter
 * @add: bits to set
 * @remove: bits to clear, if @relative
 */
struct kcs_filter {
	bool given;
	bool relative;
	uint32_t add;
	uint32_t remove;
};

/**
 * kcs_filter_parse() - parse the value of --filter
 * @text: a hexadecimal mask; or names with commas between them, which are all that
 *	is in the core; or such names with '+' or '-' before each, for what is to be
 *	in it beside what the target's own filter says, or not
 * @filter: written on success only
 *
 * Return: 0, -EINVAL for text of another form, -ERANGE for a mask out of bounds.
 */
int kcs_filter_parse(const char *text, struct kcs_filter *filter);

/**
 * kcs_filter_apply() - what is asked of the module
 * @filter: given
 * @own: the target's own
 *
 * Return: the bits.
 */
uint32_t kcs_filter_apply(const struct kcs_filter *filter, uint32_t own);

#endif /* KCS_FILTER_H */
