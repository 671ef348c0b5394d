// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zstd.h>

#include "cleanup.h"
#include "note.h"
#include "read.h"
#include "unpack.h"

#define PIECE_SIZE (128 * 1024)
/* The notes stand before memory, so that it is tried with little, and then more. */
#define FIRST_SIZE (1024 * 1024)
#define MOST_SIZE (2ULL * KCS_NOTE_MAX)

/**
 * struct unpack - a compressed file on its way
 * @in: it, read from its position on
 * @out: what came of it
 * @size: bytes in @out
 * @ended: there is no more, or what there is can't be decompressed
 * @context: of the library
 * @pending: what was read and not decompressed yet, in @from
 */
struct unpack {
	int in;
	int out;
	uint64_t size;
	bool ended;
	ZSTD_DCtx *context;
	ZSTD_inBuffer pending;
	char from[PIECE_SIZE];
	char to[PIECE_SIZE];
};

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_piece(struct unpack *unpack)
{
	ssize_t n;

	do {
		n = read(unpack->in, unpack->from, sizeof(unpack->from));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	unpack->ended = !n;
	unpack->pending = (ZSTD_inBuffer){ .src = unpack->from, .size = n };
	return 0;
}

static int unpack_until(struct unpack *unpack, uint64_t size)
{
	int ret = 0;

	while (!ret && !unpack->ended && unpack->size < size) {
		ZSTD_outBuffer to = { .dst = unpack->to, .size = sizeof(unpack->to) };

		if (ZSTD_isError(ZSTD_decompressStream(unpack->context, &to,
						       &unpack->pending)))
			unpack->ended = true;
		ret = write_all(unpack->out, unpack->to, to.pos);
		unpack->size += to.pos;
		/* Where room is left it has told all. */
		if (!ret && !unpack->ended && to.pos < to.size &&
		    unpack->pending.pos == unpack->pending.size)
			ret = read_piece(unpack);
	}
	return ret;
}

bool kcs_unpack_is_packed(int fd)
{
	uint32_t magic;

	return !kcs_read_at(fd, &magic, sizeof(magic), 0) &&
	       magic == ZSTD_MAGICNUMBER;
}

static int find(struct unpack *unpack, void **desc, size_t *size)
{
	uint64_t want = FIRST_SIZE;
	int ret;

	for (;;) {
		ret = unpack_until(unpack, want);
		if (ret)
			return ret;
		ret = kcs_note_find(unpack->out, desc, size);
		if (ret != -EBADMSG || unpack->ended || want >= MOST_SIZE)
			return ret;
		want *= 2;
	}
}

int kcs_unpack_find(int fd, void **desc, size_t *size)
{
	int out KCS_CLEANUP(kcs_close) = memfd_create("kcoresnap", MFD_CLOEXEC);
	struct unpack *unpack KCS_CLEANUP(kcs_free) = calloc(1, sizeof(*unpack));
	int ret;

	if (out < 0)
		return -errno;
	if (!unpack)
		return -ENOMEM;
	unpack->context = ZSTD_createDCtx();
	if (!unpack->context)
		return -ENOMEM;
	unpack->in = fd;
	unpack->out = out;
	ret = find(unpack, desc, size);
	ZSTD_freeDCtx(unpack->context);
	return ret;
}
