/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people read them. Pure functions. */
#ifndef KCS_FORMAT_H
#define KCS_FORMAT_H

#include <stdint.h>

#define KCS_FORMAT_SIZE 24

/**
 * kcs_format_bytes() - bytes in binary units: "512 B", "1.5 GiB"
 * @buf: KCS_FORMAT_SIZE bytes
 * @bytes: the number
 *
 * Return: @buf
 */
const char *kcs_format_bytes(char *buf, uint64_t bytes);

/**
 * kcs_format_ns() - time in the unit that leaves few digits: "3.2 ms"
 * @buf: KCS_FORMAT_SIZE bytes
 * @ns: nanoseconds
 *
 * Return: @buf
 */
const char *kcs_format_ns(char *buf, uint64_t ns);

/**
 * kcs_format_rate() - bytes per second: "1.5 GiB/s"
 * @buf: KCS_FORMAT_SIZE bytes
 * @bytes: how many
 * @ns: in what time
 *
 * Return: @buf
 */
const char *kcs_format_rate(char *buf, uint64_t bytes, uint64_t ns);

#endif /* KCS_FORMAT_H */
