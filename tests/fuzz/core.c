// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "note.h"

static void check_note(const struct kcs_note *note, size_t size)
{
	size_t i, sum = 0;

	CHECK(note->threads && note->head.threads <= size);
	CHECK(strlen(note->head.release) < sizeof(note->head.release));
	CHECK(strlen(note->head.module) < sizeof(note->head.module));
	CHECK(strlen(note->head.comm) < sizeof(note->head.comm));
	for (i = 0; i < note->head.threads; i++)
		sum += strlen(note->threads[i].name);
	CHECK(sum < note->head.threads * sizeof(note->threads[0].name) + 1);
}

static void parse(const void *data, size_t size)
{
	/* To the byte, so that a sanitizer sees what is behind it. */
	void *desc = fuzz_alloc(size);
	struct kcs_note note;
	int ret;

	if (size)
		memcpy(desc, data, size);
	ret = kcs_note_parse(&note, desc, size);
	CHECK(!ret || ret == -EPROTO || ret == -EBADMSG);
	if (!ret)
		check_note(&note, size);
	kcs_note_free(&note);
	free(desc);
}

/* Of any bytes as a file, and as a descriptor. */
void fuzz_core(const uint8_t *data, size_t size)
{
	static int fd = -1;
	void *desc = NULL;
	size_t found;
	int ret;

	if (fd < 0)
		fd = memfd_create("core", MFD_CLOEXEC);
	CHECK(fd >= 0 && !ftruncate(fd, 0));
	CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
	ret = kcs_note_find(fd, &desc, &found);
	CHECK(!ret || ret == -ENOEXEC || ret == -ENODATA || ret == -EBADMSG);
	CHECK(ret || (desc && found && found < size));
	if (!ret)
		parse(desc, found);
	free(desc);
	parse(data, size);
}
