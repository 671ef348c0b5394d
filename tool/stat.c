// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stat.h"

/* The number of a field in proc(5). */
#define FIELD_STATE 3
#define FIELD_FLAGS 9
#define FIELD_THREADS 20
#define FIELD_START_TIME 22
#define FIELD_RSS 24

/* PF_KTHREAD of the kernel's <linux/sched.h>. */
#define FLAG_KERNEL 0x00200000

/* @p: the fields behind the second. Negative numbers are not asked for. */
static int parse_field(const char *p, int number, uint64_t *out)
{
	int field;

	for (field = FIELD_STATE; field < number; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EINVAL;
		p++;
	}
	if (*p < '0' || *p > '9' || sscanf(p, "%" SCNu64, out) != 1)
		return -EINVAL;
	return 0;
}

int kcs_stat_parse(const char *text, struct kcs_stat *stat)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');
	uint64_t flags, threads, start_time, rss;
	size_t len;

	if (!open || !close || close < open || close[1] != ' ')
		return -EINVAL;
	if (parse_field(close + 2, FIELD_FLAGS, &flags) ||
	    parse_field(close + 2, FIELD_THREADS, &threads) ||
	    parse_field(close + 2, FIELD_START_TIME, &start_time) ||
	    parse_field(close + 2, FIELD_RSS, &rss))
		return -EINVAL;

	len = close - open - 1;
	if (len >= sizeof(stat->comm))
		len = sizeof(stat->comm) - 1;
	memcpy(stat->comm, open + 1, len);
	stat->comm[len] = '\0';
	stat->state = close[2];
	stat->kernel = flags & FLAG_KERNEL;
	stat->threads = threads;
	stat->start_time = start_time;
	stat->rss_pages = rss;
	return 0;
}

bool kcs_stat_is_dead(const struct kcs_stat *stat)
{
	return stat->state == 'X' || stat->state == 'x' ||
	       (stat->state == 'Z' && stat->threads < 2);
}

pid_t kcs_status_tgid(const char *text)
{
	const char *line = strstr(text, "\nTgid:");
	int tgid;

	if (!line || sscanf(line, "\nTgid: %d", &tgid) != 1 || tgid <= 0)
		return -EINVAL;
	return tgid;
}

int kcs_status_nspids(const char *text, pid_t *pids)
{
	const char *line = strstr(text, "\nNSpid:");
	int count = 0, len;

	if (!line)
		return -EINVAL;
	line += strlen("\nNSpid:");
	while (count < KCS_PID_LEVELS && *line != '\n' &&
	       sscanf(line, "%d%n", &pids[count], &len) == 1) {
		line += len;
		count++;
	}
	return count ? count : -EINVAL;
}
