// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "array.h"
#include "exit.h"

static const struct {
	enum kcs_exit code;
	const char *text;
} codes[] = {
	{ KCS_EXIT_OK, "complete core" },
	{ KCS_EXIT_ERROR, "unexpected error" },
	{ KCS_EXIT_USAGE, "wrong option or argument" },
	{ KCS_EXIT_NO_TARGET, "no such process or snapshot" },
	{ KCS_EXIT_PERMISSION, "not permitted" },
	{ KCS_EXIT_REFUSED, "refused as unsafe or out of bounds" },
	{ KCS_EXIT_BUSY, "too many snapshots are open" },
	{ KCS_EXIT_MODULE, "module not loaded or of another version" },
	{ KCS_EXIT_OUTPUT, "output failed" },
	{ KCS_EXIT_INCOMPLETE, "core incomplete" },
	{ KCS_EXIT_INEXACT, "core complete, private memory inexact" },
};

enum kcs_exit kcs_exit_of_errno(int err)
{
	switch (err) {
	case ESRCH:
	case ENOENT:
		return KCS_EXIT_NO_TARGET;
	case EPERM:
	case EACCES:
		return KCS_EXIT_PERMISSION;
	case EOPNOTSUPP:
	case ETIME:
	case ENOMEM:
	case EAGAIN:
		return KCS_EXIT_REFUSED;
	case EBUSY:
		return KCS_EXIT_BUSY;
	/* It is being unloaded. */
	case ENODEV:
		return KCS_EXIT_MODULE;
	default:
		return KCS_EXIT_ERROR;
	}
}

void kcs_exit_print(FILE *to)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		fprintf(to, "  %-5d %s\n", codes[i].code, codes[i].text);
	fprintf(to, "  128+N ended by signal N\n");
}
