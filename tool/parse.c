// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <linux/kcoresnap.h>

#include "array.h"
#include "parse.h"

static const char *const modes[] = {
	[KCORESNAP_MODE_AUTO] = "auto",
	[KCORESNAP_MODE_COW] = "cow",
	[KCORESNAP_MODE_STOP] = "stop",
	[KCORESNAP_MODE_LIVE] = "live",
};

static const char *const whens[] = {
	[KCS_WHEN_AUTO] = "auto",
	[KCS_WHEN_ALWAYS] = "always",
	[KCS_WHEN_NEVER] = "never",
};

static const char *const whose_pids[] = {
	[KCORESNAP_PIDS_TARGET] = "target",
	[KCORESNAP_PIDS_CALLER] = "host",
};

static const struct {
	const char *name;
	uint32_t bit;
} allowances[] = {
	{ "mlocked", KCORESNAP_ALLOW_MLOCKED },
	{ "realtime", KCORESNAP_ALLOW_REALTIME },
};

static const struct {
	const char *name;
	uint64_t us;
} units[] = {
	{ "us", 1 },
	{ "ms", 1000 },
	{ "s", 1000 * 1000 },
	{ "min", 60 * 1000 * 1000ULL },
	{ "h", 3600 * 1000 * 1000ULL },
};

/* In units of 1024, the first of which is the byte. */
static const char size_units[] = "KMGTPE";

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * strtoull() takes blanks, signs and, for base 16, what is not there: "0x" is 0
 * to it.
 */
static int parse_digits(const char **text, unsigned int base, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0;
	int digit;

	for (; (digit = digit_value(*p)) >= 0 && digit < (int)base; p++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	if (p == *text)
		return -EINVAL;

	*text = p;
	*out = value;
	return 0;
}

static int parse_number(const char *text, unsigned int base, uint64_t max,
			uint64_t *out)
{
	uint64_t value;
	int ret = parse_digits(&text, base, &value);

	if (ret)
		return ret;
	if (*text)
		return -EINVAL;
	if (value > max)
		return -ERANGE;

	*out = value;
	return 0;
}

int kcs_parse_pid(const char *text, pid_t *out)
{
	uint64_t value;
	int ret = parse_number(text, 10, INT32_MAX, &value);

	if (ret)
		return ret;
	if (!value)
		return -ERANGE;

	*out = (pid_t)value;
	return 0;
}

int kcs_parse_id(const char *text, uint32_t *out)
{
	uint64_t value;
	int ret = parse_number(text, 10, UINT32_MAX, &value);

	if (!ret)
		*out = (uint32_t)value;
	return ret;
}

int kcs_parse_mask(const char *text, uint32_t *out)
{
	uint64_t value;
	int ret;

	if (!strncmp(text, "0x", 2) || !strncmp(text, "0X", 2))
		text += 2;
	ret = parse_number(text, 16, UINT32_MAX, &value);
	if (!ret)
		*out = (uint32_t)value;
	return ret;
}

int kcs_parse_time_us(const char *text, uint64_t *out)
{
	const char *fraction = NULL;
	uint64_t value, ignored, scale;
	size_t i;
	int ret;

	ret = parse_digits(&text, 10, &value);
	if (ret)
		return ret;
	if (*text == '.') {
		fraction = ++text;
		ret = parse_digits(&text, 10, &ignored);
		if (ret)
			return ret;
	}

	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(text, units[i].name))
			break;
	if (i == ARRAY_SIZE(units))
		return -EINVAL;

	scale = units[i].us;
	if (__builtin_mul_overflow(value, scale, &value))
		return -ERANGE;
	for (; fraction && fraction < text && scale > 1; fraction++) {
		scale /= 10;
		if (__builtin_add_overflow(value, scale * (*fraction - '0'),
					   &value))
			return -ERANGE;
	}

	*out = value;
	return 0;
}

/* What follows the point, as a part of a unit; what is finer is cut off. */
static uint64_t parse_fraction(const char *text, const char *end, uint64_t unit)
{
	uint64_t part = 0, divisor = 1;

	for (; text < end && divisor < 1000000; text++) {
		part = part * 10 + (*text - '0');
		divisor *= 10;
	}
	return unit / divisor * part + unit % divisor * part / divisor;
}

/* Leaves *text behind the unit. */
static int parse_size(const char **text, uint64_t *out)
{
	const char *fraction = NULL, *fraction_end = NULL, *unit;
	uint64_t value, ignored, scale = 1;
	int ret;

	ret = parse_digits(text, 10, &value);
	if (!ret && **text == '.') {
		fraction = ++*text;
		ret = parse_digits(text, 10, &ignored);
		fraction_end = *text;
		/* There is no part of a byte. */
		if (!**text || !strchr(size_units, **text))
			ret = -EINVAL;
	}
	if (ret)
		return ret;
	unit = **text ? strchr(size_units, **text) : NULL;
	if (unit) {
		scale <<= 10 * (unit - size_units + 1);
		(*text)++;
		if (!strncmp(*text, "iB", 2))
			*text += 2;
	}
	if (__builtin_mul_overflow(value, scale, &value) ||
	    (fraction && __builtin_add_overflow(value,
			parse_fraction(fraction, fraction_end, scale), &value)))
		return -ERANGE;
	*out = value;
	return 0;
}

int kcs_parse_size(const char *text, uint64_t *out)
{
	uint64_t size;
	int ret = parse_size(&text, &size);

	if (ret)
		return ret;
	if (*text)
		return -EINVAL;
	*out = size;
	return 0;
}

int kcs_parse_rate(const char *text, uint64_t *out)
{
	uint64_t rate;
	int ret = parse_size(&text, &rate);

	if (ret)
		return ret;
	if (strcmp(text, "/s") != 0)
		return -EINVAL;
	if (!rate)
		return -ERANGE;
	*out = rate;
	return 0;
}

int kcs_parse_mode(const char *text, uint32_t *out)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(text, modes[i])) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

int kcs_parse_pids(const char *text, uint32_t *out)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(whose_pids); i++) {
		if (!strcmp(text, whose_pids[i])) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

int kcs_parse_when(const char *text, enum kcs_when *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(whens); i++) {
		if (!strcmp(text, whens[i])) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

int kcs_parse_allow(const char *text, uint32_t *out)
{
	uint32_t allow = 0;
	size_t i, len;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; i < ARRAY_SIZE(allowances); i++)
			if (strlen(allowances[i].name) == len &&
			    !strncmp(text, allowances[i].name, len))
				break;
		if (i == ARRAY_SIZE(allowances))
			return -EINVAL;
		allow |= allowances[i].bit;
		if (!text[len])
			break;
	}

	*out = allow;
	return 0;
}

const char *kcs_mode_name(uint32_t mode)
{
	return mode < ARRAY_SIZE(modes) ? modes[mode] : "?";
}

const char *kcs_dropped_name(uint32_t dropped)
{
	switch (dropped) {
	case 0:
		return "open";
	case ECANCELED:
		return "cancelled";
	case ENOMEM:
		return "memory";
	case ETIME:
		return "lifetime";
	default:
		return "?";
	}
}

const char *kcs_pids_name(uint32_t pids)
{
	return pids < ARRAY_SIZE(whose_pids) ? whose_pids[pids] : "?";
}
