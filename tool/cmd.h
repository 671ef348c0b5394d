/* SPDX-License-Identifier: GPL-2.0 */
/* The commands, one per cmd_*.c. */
#ifndef KCS_CMD_H
#define KCS_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "exit.h"
#include "filter.h"
#include "module.h"
#include "progress.h"

/**
 * struct kcs_args - the command line
 * @pids: targets, each of which gets a core
 * @pid_count: how many
 * @ns: process in whose pid namespace the pids are meant, 0 for the caller's
 * @container: begin of a container's ID or name, or NULL
 * @every_process: not only the container's main process
 * @id: snapshot to cancel
 * @core: core to show
 * @output: template of the file's name, NULL for standard output
 * @force: a file that exists is replaced
 * @limit: bytes that the core may have, UINT64_MAX for any
 * @level: of compression, 0 for none
 * @rate: bytes per second, 0 for any
 * @timeout_us: how long all may take, 0 for any time
 * @progress: whether it is told
 * @quiet: say nothing but what went wrong
 * @verbose: say what was done
 * @json: results are JSON
 * @filter: memory to include
 * @wish: what the module is asked for; of all targets the same, so without filter
 */
struct kcs_args {
	pid_t *pids;
	size_t pid_count;
	pid_t ns;
	const char *container;
	bool every_process;
	uint32_t id;
	const char *core;
	const char *output;
	bool force;
	uint64_t limit;
	int level;
	uint64_t rate;
	uint64_t timeout_us;
	enum kcs_when progress;
	bool quiet;
	bool verbose;
	bool json;
	struct kcs_filter filter;
	struct kcs_wish wish;
};

enum kcs_exit kcs_cmd_core(const struct kcs_args *args);
enum kcs_exit kcs_cmd_info(const struct kcs_args *args);
enum kcs_exit kcs_cmd_list(const struct kcs_args *args);
enum kcs_exit kcs_cmd_monitor(const struct kcs_args *args);
enum kcs_exit kcs_cmd_ps(const struct kcs_args *args);
enum kcs_exit kcs_cmd_cancel(const struct kcs_args *args);
enum kcs_exit kcs_cmd_show(const struct kcs_args *args);
enum kcs_exit kcs_cmd_version(const struct kcs_args *args);

#endif /* KCS_CMD_H */
