// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/kcoresnap.h>

#include "array.h"
#include "cmd.h"
#include "parse.h"
#include "say.h"

#define SEE_HELP "see 'kcoresnap --help'"

#define USEC_PER_SEC 1000000
/* Bounds of KCORESNAP_A_MAX_PAUSE_US. */
#define MAX_PAUSE_US (60 * USEC_PER_SEC)

static int set_output(struct kcs_args *args, const char *text)
{
	if (!*text)
		return -EINVAL;
	args->output = strcmp(text, "-") ? text : NULL;
	return 0;
}

static int set_verbose(struct kcs_args *args, const char *text)
{
	(void)text;
	args->verbose = true;
	return 0;
}

static int set_mode(struct kcs_args *args, const char *text)
{
	return kcs_parse_mode(text, &args->wish.mode);
}

static int set_max_pause(struct kcs_args *args, const char *text)
{
	uint64_t us = 0;
	int ret = kcs_parse_time_us(text, &us);

	if (ret)
		return ret;
	if (!us || us > MAX_PAUSE_US)
		return -ERANGE;
	args->wish.max_pause_us = us;
	return 0;
}

static int set_filter(struct kcs_args *args, const char *text)
{
	args->wish.has_filter = true;
	return kcs_parse_mask(text, &args->wish.filter);
}

static int set_allow(struct kcs_args *args, const char *text)
{
	return kcs_parse_allow(text, &args->wish.allow);
}

static int set_dry_run(struct kcs_args *args, const char *text)
{
	(void)text;
	args->wish.dry_run = true;
	return 0;
}

/* All but --help and --version belong to the core, which has no command word. */
static const struct option_row {
	const char *name;
	char letter;
	const char *arg;
	const char *accepts;
	const char *help;
	int (*set)(struct kcs_args *args, const char *text);
} options[] = {
	{ "output", 'o', "FILE", "the name of a file",
	  "write to FILE, which must not exist ('-': standard output)",
	  set_output },
	{ "verbose", 'v', NULL, NULL, "say in one line what was done",
	  set_verbose },
	{ "mode", 0, "MODE", "'auto', 'cow', 'stop' or 'live'",
	  "how memory is taken: auto (default), cow, stop, live", set_mode },
	{ "max-pause", 0, "TIME", "a time from 1us to 60s such as 50ms",
	  "refuse a longer pause of the target, e.g. 50ms", set_max_pause },
	{ "filter", 0, "MASK", "a hexadecimal mask of up to 32 bits",
	  "memory to include, hexadecimal as in coredump_filter", set_filter },
	{ "allow", 0, "RISK,...", "'mlocked', 'realtime' or both with a comma",
	  "accept a risk for the target: mlocked, realtime", set_allow },
	{ "dry-run", 0, NULL, NULL, "predict and decide, take nothing",
	  set_dry_run },
	{ "help", 'h', NULL, NULL, "print this text", NULL },
	{ "version", 'V', NULL, NULL, "print the versions of tool and module",
	  NULL },
};

static int set_pid(struct kcs_args *args, const char *text)
{
	return kcs_parse_pid(text, &args->pid);
}

static int set_id(struct kcs_args *args, const char *text)
{
	return kcs_parse_id(text, &args->id);
}

/* The first row is what is done without a command word. */
static const struct command {
	const char *name;
	const char *operand;
	const char *help;
	int (*set)(struct kcs_args *args, const char *text);
	enum kcs_exit (*run)(const struct kcs_args *args);
} commands[] = {
	{ NULL, "PID", "write a core of the process to standard output",
	  set_pid, kcs_cmd_core },
	{ "info", NULL, "print what the module offers", NULL, kcs_cmd_info },
	{ "list", NULL, "list open snapshots", NULL, kcs_cmd_list },
	{ "cancel", "ID", "drop an open snapshot", set_id, kcs_cmd_cancel },
};

static void print_help(void)
{
	char left[40];
	size_t i;

	printf("Usage: kcoresnap [OPTION]... PID\n"
	       "       kcoresnap COMMAND\n\n"
	       "Write an ELF core of a running process without stopping it for long.\n\n"
	       "Commands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(left, sizeof(left), "%s%s%s",
			 commands[i].name ? commands[i].name : "",
			 commands[i].name && commands[i].operand ? " " : "",
			 commands[i].operand ? commands[i].operand : "");
		printf("  %-22s %s\n", left, commands[i].help);
	}
	printf("\nOptions:\n");
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		char letter[] = { '-', options[i].letter, ',', ' ', '\0' };

		snprintf(left, sizeof(left), "%s--%s%s%s",
			 options[i].letter ? letter : "    ", options[i].name,
			 options[i].arg ? " " : "",
			 options[i].arg ? options[i].arg : "");
		printf("  %-22s %s\n", left, options[i].help);
	}
	printf("\nExit status:\n");
	kcs_exit_print(stdout);
}

static void fill_getopt(struct option *longs, char *shorts)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		longs[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].arg ? required_argument :
						    no_argument,
			.val = (int)(UINT8_MAX + 1 + i),
		};
		if (!options[i].letter)
			continue;
		*shorts++ = options[i].letter;
		if (options[i].arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static const struct option_row *find_option(int val)
{
	size_t i;

	if (val > UINT8_MAX)
		return &options[val - UINT8_MAX - 1];
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].letter == val)
			return &options[i];
	return NULL;
}

static enum kcs_exit say_bad_option(int val, char **argv)
{
	const struct option_row *row = optopt ? find_option(optopt) : NULL;

	if (row && val == ':')
		kcs_say("option '--%s' needs %s: " SEE_HELP, row->name,
			row->accepts);
	else if (row)
		kcs_say("option '--%s' takes no value: " SEE_HELP, row->name);
	else if (optopt)
		kcs_say("there is no option '-%c': " SEE_HELP, optopt);
	else
		kcs_say("there is no option '%s', or it is cut too short: " SEE_HELP,
			argv[optind - 1]);
	return KCS_EXIT_USAGE;
}

/* *ended: --help or --version was the whole work. */
static enum kcs_exit parse_options(int argc, char **argv, struct kcs_args *args,
				   bool *core_option, bool *ended)
{
	struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
	char shorts[2 * ARRAY_SIZE(options) + 2];
	const struct option_row *row;
	int val;

	fill_getopt(longs, shorts);
	opterr = 0;
	while ((val = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		row = val == '?' || val == ':' ? NULL : find_option(val);
		if (!row)
			return say_bad_option(val, argv);
		if (row->set) {
			*core_option = true;
			if (!row->set(args, optarg))
				continue;
			kcs_say("option '--%s' takes %s, not '%s'", row->name,
				row->accepts, optarg);
			return KCS_EXIT_USAGE;
		}
		*ended = true;
		if (row->letter == 'V')
			return kcs_cmd_version(args);
		print_help();
		return KCS_EXIT_OK;
	}
	return KCS_EXIT_OK;
}

static const struct command *find_command(const char *word)
{
	size_t i;

	for (i = 1; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, word))
			return &commands[i];
	return &commands[0];
}

static enum kcs_exit run_command(int argc, char **argv, struct kcs_args *args,
				 bool core_option)
{
	const struct command *command;

	if (optind == argc) {
		kcs_say("no process is given: " SEE_HELP);
		return KCS_EXIT_USAGE;
	}
	command = find_command(argv[optind]);
	if (command->name) {
		optind++;
		if (core_option) {
			kcs_say("'%s' takes no options: " SEE_HELP,
				command->name);
			return KCS_EXIT_USAGE;
		}
	}
	if (command->operand) {
		if (optind == argc) {
			kcs_say("'%s' needs %s: " SEE_HELP, command->name,
				command->operand);
			return KCS_EXIT_USAGE;
		}
		if (command->set(args, argv[optind])) {
			kcs_say("'%s' is not %s: " SEE_HELP, argv[optind],
				command->name ? "the ID of a snapshot" :
						"the PID of a process nor a command");
			return KCS_EXIT_USAGE;
		}
		optind++;
	}
	if (optind < argc) {
		kcs_say("'%s' is one argument too many: " SEE_HELP,
			argv[optind]);
		return KCS_EXIT_USAGE;
	}
	return command->run(args);
}

/*
 * A file opened later must not become standard output or error. What was closed
 * stays unwritable.
 */
static void fill_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Text on standard output that did not get there is a failure. */
static enum kcs_exit flush_stdout(enum kcs_exit ret)
{
	if (!fflush(stdout) && !ferror(stdout))
		return ret;
	if (ret == KCS_EXIT_OK) {
		kcs_say("can't write to standard output (%s): redirect it elsewhere",
			strerror(errno));
		ret = KCS_EXIT_OUTPUT;
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct kcs_args args = { .wish.mode = KCORESNAP_MODE_AUTO };
	bool core_option = false, ended = false;
	enum kcs_exit ret;

	fill_standard_fds();
	/* Their errors, EPIPE and EFBIG, are told in a sentence. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	ret = parse_options(argc, argv, &args, &core_option, &ended);
	if (!ret && !ended)
		ret = run_command(argc, argv, &args, core_option);
	return flush_stdout(ret);
}
