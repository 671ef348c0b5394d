// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/kcoresnap.h>

#include "array.h"
#include "cleanup.h"
#include "cmd.h"
#include "json.h"
#include "options.h"
#include "parse.h"
#include "say.h"

static int add_pid(struct kcs_args *args, const char *text)
{
	int ret = kcs_parse_pid(text, &args->pids[args->pid_count]);

	if (!ret)
		args->pid_count++;
	return ret;
}

static int set_id(struct kcs_args *args, const char *text)
{
	return kcs_parse_id(text, &args->id);
}

static int set_core(struct kcs_args *args, const char *text)
{
	args->core = text;
	return *text ? 0 : -EINVAL;
}

/**
 * struct command - one command
 * @of: its bit in the table of options
 * @name: its word; NULL for what is done without one
 * @operand: what its operands are called, NULL if it takes none
 * @is: what an operand is, for messages
 * @least: how many operands it needs
 * @most: how many it takes
 * @help: its line of the help
 * @set: takes one operand: 0, or negative for one that is not accepted
 * @run: does it
 */
static const struct command {
	enum kcs_of of;
	const char *name;
	const char *operand;
	const char *is;
	int least;
	int most;
	const char *help;
	int (*set)(struct kcs_args *args, const char *text);
	enum kcs_exit (*run)(const struct kcs_args *args);
} commands[] = {
	{ .of = KCS_OF_CORE, .operand = "PID...",
	  .is = "the PID of a process nor a command",
	  .most = INT32_MAX, .set = add_pid, .run = kcs_cmd_core,
	  .help = "write a core of the process to standard output" },
	{ .of = KCS_OF_INFO, .name = "info", .run = kcs_cmd_info,
	  .help = "print what the module offers" },
	{ .of = KCS_OF_PS, .name = "ps", .run = kcs_cmd_ps,
	  .help = "list processes and what a snapshot of each would be like" },
	{ .of = KCS_OF_LIST, .name = "list", .run = kcs_cmd_list,
	  .help = "list open snapshots" },
	{ .of = KCS_OF_MONITOR, .name = "monitor", .run = kcs_cmd_monitor,
	  .help = "tell of snapshots as they are taken, fail and end" },
	{ .of = KCS_OF_CANCEL, .name = "cancel", .operand = "ID",
	  .is = "the ID of a snapshot", .least = 1, .most = 1, .set = set_id,
	  .run = kcs_cmd_cancel, .help = "drop an open snapshot" },
	{ .of = KCS_OF_SHOW, .name = "show", .operand = "CORE",
	  .is = "the name of a core", .least = 1, .most = 1, .set = set_core,
	  .run = kcs_cmd_show, .help = "print how a core was taken" },
};

static const struct command *find_command(const char *word)
{
	size_t i;

	for (i = 1; word && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, word))
			return &commands[i];
	return &commands[0];
}

static void print_commands(void)
{
	char left[40];
	size_t i;

	printf("\nCommands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(left, sizeof(left), "%s%s%s",
			 commands[i].name ? commands[i].name : "",
			 commands[i].name && commands[i].operand ? " " : "",
			 commands[i].operand ? commands[i].operand : "");
		printf("  %-24s %s\n", left, commands[i].help);
	}
	printf("Their options are told by 'kcoresnap COMMAND --help'.\n");
}

static enum kcs_exit print_help(const struct command *command)
{
	if (command->name) {
		printf("Usage: kcoresnap %s [OPTION]...%s%s\n\n%c%s.\n",
		       command->name, command->operand ? " " : "",
		       command->operand ? command->operand : "",
		       command->help[0] - 'a' + 'A', command->help + 1);
	} else {
		printf("Usage: kcoresnap [OPTION]... PID...|--container CONTAINER\n"
		       "       kcoresnap COMMAND [OPTION]...\n\n"
		       "Write an ELF core of a running process without stopping it for long.\n");
		print_commands();
	}
	printf("\nOptions:\n");
	kcs_options_print(command->of);
	if (!command->name) {
		printf("\nExit status:\n");
		kcs_exit_print(stdout);
	}
	return KCS_EXIT_OK;
}

static enum kcs_exit take_operands(const struct command *command, char **words,
				   int count, struct kcs_args *args)
{
	int i;

	if (count < command->least) {
		kcs_say("'%s' needs %s: see 'kcoresnap %s --help'",
			command->name, command->operand, command->name);
		return KCS_EXIT_USAGE;
	}
	for (i = 0; i < count; i++) {
		if (i == command->most) {
			kcs_say("'%s' is one argument too many: " KCS_SEE_HELP,
				words[i]);
			return KCS_EXIT_USAGE;
		}
		if (command->set(args, words[i])) {
			kcs_say("'%s' is not %s: " KCS_SEE_HELP, words[i],
				command->is);
			return KCS_EXIT_USAGE;
		}
	}
	return KCS_EXIT_OK;
}

static enum kcs_exit run_command(char **words, int count, struct kcs_args *args,
				 const struct kcs_options *options)
{
	pid_t *pids KCS_CLEANUP(kcs_free) = NULL;
	const struct command *command = find_command(words[0]);
	const char *foreign = kcs_options_foreign(options, command->of);
	enum kcs_exit ret;

	if (options->version)
		return kcs_cmd_version(args);
	if (options->help)
		return print_help(command);
	if (kcs_json_on() && command->name)
		kcs_json_start(STDOUT_FILENO);
	if (foreign && command->name)
		kcs_say("'%s' takes no option '--%s': see 'kcoresnap %s --help'",
			command->name, foreign, command->name);
	else if (foreign)
		kcs_say("a core takes no option '--%s': " KCS_SEE_HELP, foreign);
	if (foreign)
		return KCS_EXIT_USAGE;

	if (command->name) {
		words++;
		count--;
	}
	pids = calloc(count + 1, sizeof(*pids));
	if (!pids) {
		kcs_say("there is no memory for the arguments: make room");
		return KCS_EXIT_ERROR;
	}
	args->pids = pids;
	ret = take_operands(command, words, count, args);
	return ret ? ret : command->run(args);
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
	struct kcs_args args = {
		.limit = UINT64_MAX,
		.wish.mode = KCORESNAP_MODE_AUTO,
	};
	struct kcs_options options = { 0 };
	enum kcs_exit ret;

	fill_standard_fds();
	/* Their errors, EPIPE and EFBIG, are told in a sentence. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	ret = kcs_options_parse(argc, argv, &args, &options);
	if (!ret)
		ret = run_command(argv + optind, argc - optind, &args, &options);
	kcs_say_end(ret);
	return flush_stdout(ret);
}
