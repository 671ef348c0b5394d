/* SPDX-License-Identifier: GPL-2.0 */
/* The options: a table, and which commands each belongs to. */
#ifndef KCS_OPTIONS_H
#define KCS_OPTIONS_H

#include <stdint.h>

#include "cmd.h"
#include "exit.h"

#define KCS_SEE_HELP "see 'kcoresnap --help'"

/** enum kcs_of - the commands, as bits; a core is written without a command word */
enum kcs_of {
	KCS_OF_CORE = 1 << 0,
	KCS_OF_INFO = 1 << 1,
	KCS_OF_LIST = 1 << 2,
	KCS_OF_CANCEL = 1 << 3,
	KCS_OF_PS = 1 << 4,
	KCS_OF_MONITOR = 1 << 5,
	KCS_OF_SHOW = 1 << 8,
	KCS_OF_EVERY = 0xffff,
};

/**
 * struct kcs_options - what was given, beside what went to struct kcs_args
 * @given: bit N set for row N of the table
 * @help: --help was among them
 * @version: --version was among them
 */
struct kcs_options {
	uint64_t given;
	bool help;
	bool version;
};

/**
 * kcs_options_parse() - take the options out of the command line
 * @argc: of main()
 * @argv: of main(); reordered so that from optind on there are no options
 * @args: filled
 * @options: zeroed
 *
 * Where --json is anywhere among them, even what is wrong before it is told on
 * stderr in that form.
 *
 * Return: KCS_EXIT_OK, or the exit code once the sentence has been said.
 */
enum kcs_exit kcs_options_parse(int argc, char **argv, struct kcs_args *args,
				struct kcs_options *options);

/**
 * kcs_options_foreign() - is there an option that the command does not know?
 * @options: as parsed
 * @of: the command
 *
 * Return: the name of the first one, or NULL.
 */
const char *kcs_options_foreign(const struct kcs_options *options,
				enum kcs_of of);

/**
 * kcs_options_print() - print the options of a command on standard output
 * @of: the command
 */
void kcs_options_print(enum kcs_of of);

#endif /* KCS_OPTIONS_H */
