/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments to numbers. Pure functions: no message, no state. */
#ifndef KCS_PARSE_H
#define KCS_PARSE_H

#include <stdint.h>
#include <sys/types.h>

#include "progress.h"

/*
 * All return 0, -EINVAL for text of another form, or -ERANGE for a number out of
 * bounds. *out is written on success only.
 */

/** kcs_parse_pid() - decimal, 1 to INT32_MAX */
int kcs_parse_pid(const char *text, pid_t *out);

/** kcs_parse_id() - decimal, 0 to UINT32_MAX */
int kcs_parse_id(const char *text, uint32_t *out);

/** kcs_parse_mask() - hexadecimal, with or without 0x, up to 32 bits */
int kcs_parse_mask(const char *text, uint32_t *out);

/**
 * kcs_parse_time_us() - decimal, with or without a fraction, and one of the
 * units us, ms, s, min and h, for example 1.5ms; what is finer than 1 us is cut off
 */
int kcs_parse_time_us(const char *text, uint64_t *out);

/**
 * kcs_parse_size() - bytes, or with one of the units K, M, G, T, P and E, in
 * steps of 1024, a decimal with or without a fraction, for example 1.5G or 64MiB
 */
int kcs_parse_size(const char *text, uint64_t *out);

/** kcs_parse_rate() - a size per second, for example 100M/s; not 0 */
int kcs_parse_rate(const char *text, uint64_t *out);

/** kcs_parse_mode() - the name of an enum kcoresnap_mode */
int kcs_parse_mode(const char *text, uint32_t *out);

/** kcs_parse_when() - the name of an enum kcs_when */
int kcs_parse_when(const char *text, enum kcs_when *out);

/** kcs_parse_pids() - the name of an enum kcoresnap_pids */
int kcs_parse_pids(const char *text, uint32_t *out);

/** kcs_parse_allow() - names of enum kcoresnap_allow, separated by commas */
int kcs_parse_allow(const char *text, uint32_t *out);

/**
 * kcs_mode_name() - name of a mode
 * @mode: enum kcoresnap_mode
 *
 * Return: the name, "?" for a mode this tool does not know.
 */
const char *kcs_mode_name(uint32_t mode);

/**
 * kcs_dropped_name() - name of a value of KCORESNAP_A_DROPPED
 * @dropped: positive errno
 *
 * Return: "open", "cancelled", "memory" (it ran short), "lifetime" (it was over), or
 * "?" for what this tool does not know.
 */
const char *kcs_dropped_name(uint32_t dropped);

/** kcs_pids_name() - name of an enum kcoresnap_pids; "?" for one that is not known */
const char *kcs_pids_name(uint32_t pids);

#endif /* KCS_PARSE_H */
