// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stat.h"

#define FIELD_STATE 3
#define FIELD_START_TIME 22

int kcs_stat_parse(const char *text, struct kcs_stat *stat)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');
	const char *p;
	uint64_t start_time;
	size_t len;
	char state;
	int field;

	if (!open || !close || close < open || close[1] != ' ')
		return -EINVAL;

	p = close + 2;
	state = *p;
	for (field = FIELD_STATE; field < FIELD_START_TIME; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EINVAL;
		p++;
	}
	if (*p < '0' || *p > '9' || sscanf(p, "%" SCNu64, &start_time) != 1)
		return -EINVAL;

	len = close - open - 1;
	if (len >= sizeof(stat->comm))
		len = sizeof(stat->comm) - 1;
	memcpy(stat->comm, open + 1, len);
	stat->comm[len] = '\0';
	stat->state = state;
	stat->start_time = start_time;
	return 0;
}

pid_t kcs_status_tgid(const char *text)
{
	const char *line = strstr(text, "\nTgid:");
	int tgid;

	if (!line || sscanf(line, "\nTgid: %d", &tgid) != 1 || tgid <= 0)
		return -EINVAL;
	return tgid;
}
