// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "format.h"

/*
 * The next unit begins where rounding to one decimal would show the full factor,
 * so that 1023.99 KiB reads "1.0 MiB".
 */
static const char *scaled(char *buf, double value, double factor,
			  const char *const *units, const char *suffix)
{
	int decimals = 0;

	for (; value >= factor - 0.05 && units[1]; units++) {
		value /= factor;
		decimals = 1;
	}
	snprintf(buf, KCS_FORMAT_SIZE, "%.*f %s%s", decimals, value, *units,
		 suffix);
	return buf;
}

static const char *const byte_units[] = {
	"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL
};

static const char *const time_units[] = { "ns", "us", "ms", "s", NULL };

const char *kcs_format_bytes(char *buf, uint64_t bytes)
{
	return scaled(buf, (double)bytes, 1024, byte_units, "");
}

const char *kcs_format_ns(char *buf, uint64_t ns)
{
	return scaled(buf, (double)ns, 1000, time_units, "");
}

const char *kcs_format_rate(char *buf, uint64_t bytes, uint64_t ns)
{
	double rate = (double)bytes * NSEC_PER_SEC / (double)(ns ? ns : 1);

	return scaled(buf, rate, 1024, byte_units, "/s");
}
