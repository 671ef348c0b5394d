// SPDX-License-Identifier: GPL-2.0
/* corethreads CORE: the thread of each NT_PRSTATUS, one a line, in the order of the notes. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/procfs.h>

#include "core.h"

int main(int argc, char **argv)
{
	struct core_note note;
	struct core core;
	size_t offset = 0;

	if (argc != 2)
		errx(2, "usage: corethreads CORE");
	core_open(&core, argv[1]);
	while (core_next_note(&core, &offset, &note)) {
		const struct elf_prstatus *status = note.desc;

		if (note.type != NT_PRSTATUS || strcmp(note.name, "CORE"))
			continue;
		if (note.size != sizeof(*status))
			errx(2, "an NT_PRSTATUS has %zu bytes", note.size);
		printf("%d\n", status->pr_pid);
	}
	return 0;
}
