// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/kcoresnap.h>

#include "array.h"
#include "compress.h"
#include "json.h"
#include "options.h"
#include "parse.h"
#include "say.h"
#include "template.h"

#define USEC_PER_SEC 1000000
/* Bounds of KCORESNAP_A_MAX_PAUSE_US. */
#define MAX_PAUSE_US (60 * USEC_PER_SEC)
#define MAX_TIMEOUT_US (1000 * 3600ULL * USEC_PER_SEC)

static int set_output(struct kcs_args *args, const char *text)
{
	char bad;

	if (!*text)
		return -EINVAL;
	args->output = strcmp(text, "-") ? text : NULL;
	return kcs_template_check(text, &bad);
}

static int set_force(struct kcs_args *args, const char *text)
{
	(void)text;
	args->force = true;
	return 0;
}

static int set_compress(struct kcs_args *args, const char *text)
{
	uint32_t level = KCS_ZSTD_LEVEL_DEFAULT;
	int ret = text ? kcs_parse_id(text, &level) : 0;

	if (ret)
		return ret;
	if (level < KCS_ZSTD_LEVEL_MIN || level > KCS_ZSTD_LEVEL_MAX)
		return -ERANGE;
	args->level = (int)level;
	return 0;
}

static int set_limit(struct kcs_args *args, const char *text)
{
	return kcs_parse_size(text, &args->limit);
}

static int set_rate(struct kcs_args *args, const char *text)
{
	return kcs_parse_rate(text, &args->rate);
}

static int set_timeout(struct kcs_args *args, const char *text)
{
	uint64_t us = 0;
	int ret = kcs_parse_time_us(text, &us);

	if (ret)
		return ret;
	if (!us || us > MAX_TIMEOUT_US)
		return -ERANGE;
	args->timeout_us = us;
	return 0;
}

static int set_progress(struct kcs_args *args, const char *text)
{
	return kcs_parse_when(text, &args->progress);
}

static int set_quiet(struct kcs_args *args, const char *text)
{
	(void)text;
	args->quiet = true;
	args->verbose = false;
	return 0;
}

static int set_container(struct kcs_args *args, const char *text)
{
	if (!*text)
		return -EINVAL;
	args->container = text;
	return 0;
}

static int set_every_process(struct kcs_args *args, const char *text)
{
	(void)text;
	args->every_process = true;
	return 0;
}

static int set_ns(struct kcs_args *args, const char *text)
{
	return kcs_parse_pid(text, &args->ns);
}

static int set_verbose(struct kcs_args *args, const char *text)
{
	(void)text;
	args->verbose = true;
	args->quiet = false;
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
	return kcs_filter_parse(text, &args->filter);
}

static int set_allow(struct kcs_args *args, const char *text)
{
	return kcs_parse_allow(text, &args->wish.allow);
}

static int set_pids(struct kcs_args *args, const char *text)
{
	return kcs_parse_pids(text, &args->wish.pids);
}

static int set_dry_run(struct kcs_args *args, const char *text)
{
	(void)text;
	args->wish.dry_run = true;
	return 0;
}

static int set_json(struct kcs_args *args, const char *text)
{
	(void)text;
	args->json = true;
	return 0;
}

/**
 * struct option_row - one option
 * @of: enum kcs_of, the commands that take it
 * @letter: its short name, 0 if it has none
 * @optional: it may stand without its value, and is then set to NULL
 * @name: its long name
 * @arg: what its value is called, NULL if it takes none
 * @accepts: the values it takes, for messages
 * @help: its line of the help
 * @set: takes the value: 0, or negative for one that is not accepted. NULL for
 *	the options that are told by struct kcs_options
 */
static const struct option_row {
	unsigned int of;
	char letter;
	bool optional;
	const char *name;
	const char *arg;
	const char *accepts;
	const char *help;
	int (*set)(struct kcs_args *args, const char *text);
} rows[] = {
	{ .of = KCS_OF_CORE, .name = "output", .letter = 'o', .arg = "FILE",
	  .accepts = "the name of a file, in which '%' begins a specifier of core(5)",
	  .set = set_output,
	  .help = "write to FILE, or to a new one in DIR/ ('-': standard output)" },
	{ .of = KCS_OF_CORE, .name = "force", .set = set_force,
	  .help = "replace FILE if it exists" },
	{ .of = KCS_OF_CORE, .name = "limit", .arg = "SIZE",
	  .accepts = "a size such as 500M", .set = set_limit,
	  .help = "leave out the biggest segments beyond, e.g. 500M" },
	{ .of = KCS_OF_CORE, .name = "compress", .letter = 'z', .arg = "LEVEL",
	  .optional = true, .accepts = "a level from 1 to 19",
	  .set = set_compress, .help = "compress with zstd, level 1 to 19 (3)" },
	{ .of = KCS_OF_CORE, .name = "rate", .arg = "SIZE/s",
	  .accepts = "a size per second such as 100M/s", .set = set_rate,
	  .help = "move no more than that, e.g. 100M/s" },
	{ .of = KCS_OF_CORE, .name = "timeout", .arg = "TIME",
	  .accepts = "a time from 1us to 1000h such as 5min",
	  .set = set_timeout,
	  .help = "give up after that time, e.g. 5min" },
	{ .of = KCS_OF_CORE, .name = "progress", .arg = "WHEN",
	  .accepts = "'auto', 'always' or 'never'", .set = set_progress,
	  .help = "tell how far it is: auto (on a terminal), always, never" },
	{ .of = KCS_OF_CORE, .name = "quiet", .letter = 'q', .set = set_quiet,
	  .help = "say nothing but what went wrong" },
	{ .of = KCS_OF_CORE | KCS_OF_PS, .name = "container", .arg = "CONTAINER",
	  .accepts = "the begin of a container's ID or name",
	  .set = set_container,
	  .help = "the main process of a container, by the begin of ID or name" },
	{ .of = KCS_OF_CORE, .name = "every-process", .set = set_every_process,
	  .help = "all processes of the container, a core each" },
	{ .of = KCS_OF_CORE, .name = "ns", .arg = "PID",
	  .accepts = "the PID of a process", .set = set_ns,
	  .help = "PIDs are meant as seen in that process's pid namespace" },
	{ .of = KCS_OF_CORE | KCS_OF_PS, .name = "verbose", .letter = 'v',
	  .set = set_verbose, .help = "say in one line what was done, or why not" },
	{ .of = KCS_OF_CORE | KCS_OF_PS, .name = "mode", .arg = "MODE",
	  .accepts = "'auto', 'cow', 'stop' or 'live'", .set = set_mode,
	  .help = "how memory is taken: auto (default), cow, stop, live" },
	{ .of = KCS_OF_CORE | KCS_OF_PS, .name = "max-pause", .arg = "TIME",
	  .accepts = "a time from 1us to 60s such as 50ms",
	  .set = set_max_pause,
	  .help = "refuse a longer pause of the target, e.g. 50ms" },
	{ .of = KCS_OF_CORE, .name = "filter", .arg = "FILTER",
	  .accepts = "a hexadecimal mask, or names such as anon,file or +file,-huge",
	  .set = set_filter,
	  .help = "memory to include: a mask, names, or +NAME,-NAME" },
	{ .of = KCS_OF_CORE | KCS_OF_PS, .name = "allow", .arg = "RISK,...",
	  .accepts = "'mlocked', 'realtime' or both with a comma",
	  .set = set_allow,
	  .help = "accept a risk for the target: mlocked, realtime" },
	{ .of = KCS_OF_CORE, .name = "pids", .arg = "WHOSE",
	  .accepts = "'target' or 'host'", .set = set_pids,
	  .help = "pids in the core: the target's own (default), or the host's" },
	{ .of = KCS_OF_CORE, .name = "dry-run", .set = set_dry_run,
	  .help = "predict and decide, take nothing" },
	{ .of = KCS_OF_CORE | KCS_OF_INFO | KCS_OF_LIST | KCS_OF_CANCEL |
		KCS_OF_PS | KCS_OF_MONITOR | KCS_OF_SHOW, .name = "json", .set = set_json,
	  .help = "print the result, and what goes wrong, as JSON" },
	{ .of = KCS_OF_EVERY, .name = "help", .letter = 'h',
	  .help = "print this text, or that of a command" },
	{ .of = KCS_OF_EVERY, .name = "version", .letter = 'V',
	  .help = "print the versions of tool and module" },
};

/* Bits of struct kcs_options.given. */
_Static_assert(ARRAY_SIZE(rows) <= 64, "more options than bits");

static int has_arg(const struct option_row *row)
{
	if (!row->arg)
		return no_argument;
	return row->optional ? optional_argument : required_argument;
}

static void fill_getopt(struct option *longs, char *shorts)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = has_arg(&rows[i]),
			.val = (int)(UINT8_MAX + 1 + i),
		};
		if (!rows[i].letter)
			continue;
		*shorts++ = rows[i].letter;
		if (rows[i].arg)
			*shorts++ = ':';
		if (rows[i].optional)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static const struct option_row *find_option(int val)
{
	size_t i;

	if (val > UINT8_MAX)
		return &rows[val - UINT8_MAX - 1];
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].letter == val)
			return &rows[i];
	return NULL;
}

static enum kcs_exit say_bad_option(int val, char **argv)
{
	const struct option_row *row = optopt ? find_option(optopt) : NULL;

	if (row && val == ':')
		kcs_say("option '--%s' needs %s: " KCS_SEE_HELP, row->name,
			row->accepts);
	else if (row)
		kcs_say("option '--%s' takes no value: " KCS_SEE_HELP, row->name);
	else if (optopt)
		kcs_say("there is no option '-%c': " KCS_SEE_HELP, optopt);
	else
		kcs_say("there is no option '%s', or it is cut too short: " KCS_SEE_HELP,
			argv[optind - 1]);
	return KCS_EXIT_USAGE;
}

static enum kcs_exit set_option(const struct option_row *row,
				struct kcs_args *args,
				struct kcs_options *options)
{
	options->given |= 1ULL << (row - rows);
	if (!row->set) {
		if (row->letter == 'h')
			options->help = true;
		else
			options->version = true;
		return KCS_EXIT_OK;
	}
	if (!row->set(args, optarg))
		return KCS_EXIT_OK;
	kcs_say("option '--%s' takes %s, not '%s'", row->name, row->accepts,
		optarg);
	return KCS_EXIT_USAGE;
}

static bool wants_json(int argc, char **argv, const char *shorts,
		       const struct option *longs)
{
	bool wanted = false;
	int val;

	while ((val = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		wanted |= val > UINT8_MAX && find_option(val)->set == set_json;
	/* GNU's way to begin anew. */
	optind = 0;
	return wanted;
}

enum kcs_exit kcs_options_parse(int argc, char **argv, struct kcs_args *args,
				struct kcs_options *options)
{
	struct option longs[ARRAY_SIZE(rows) + 1] = { 0 };
	char shorts[3 * ARRAY_SIZE(rows) + 2];
	const struct option_row *row;
	enum kcs_exit ret = KCS_EXIT_OK;
	int val;

	fill_getopt(longs, shorts);
	opterr = 0;
	if (wants_json(argc, argv, shorts, longs))
		kcs_json_start(STDERR_FILENO);
	while (!ret && (val = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		row = val == '?' || val == ':' ? NULL : find_option(val);
		ret = row ? set_option(row, args, options) :
			    say_bad_option(val, argv);
	}
	return ret;
}

const char *kcs_options_foreign(const struct kcs_options *options,
				enum kcs_of of)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (options->given & 1ULL << i && !(rows[i].of & of))
			return rows[i].name;
	return NULL;
}

static void print_row(const struct option_row *row)
{
	char letter[] = { '-', row->letter, ',', ' ', '\0' };
	char left[40];

	snprintf(left, sizeof(left), "%s--%s%s%s%s",
		 row->letter ? letter : "    ", row->name,
		 row->optional ? "[=" : row->arg ? " " : "",
		 row->arg ? row->arg : "", row->optional ? "]" : "");
	printf("  %-24s %s\n", left, row->help);
}

void kcs_options_print(enum kcs_of of)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].of & of)
			print_row(&rows[i]);
}
