/* SPDX-License-Identifier: GPL-2.0 */
/* Reading all that is asked for. Says nothing to people. */
#ifndef KCS_READ_H
#define KCS_READ_H

#include <stddef.h>
#include <stdint.h>

/**
 * kcs_read_at() - read at an offset, which need not be one that a file can have
 * @fd: a file
 * @buf: @size bytes, filled
 * @size: how many
 * @offset: of the first one
 *
 * Return: 0, -ENODATA where the file ends before, or -errno.
 */
int kcs_read_at(int fd, void *buf, size_t size, uint64_t offset);

#endif /* KCS_READ_H */
