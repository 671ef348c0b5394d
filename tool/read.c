// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>

#include "read.h"

int kcs_read_at(int fd, void *buf, size_t size, uint64_t offset)
{
	char *to = buf;

	if (offset > INT64_MAX - size)
		return -ENODATA;
	while (size) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		to += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}
