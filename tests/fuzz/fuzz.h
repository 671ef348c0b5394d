/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is fuzzed in user space: pure code of the module and the tool. Each
 * function below makes of arbitrary bytes an input that its callers could have
 * given, runs the code and checks everything that the code's contract promises.
 * It aborts on what does not hold; sanitizers see the rest.
 */
#ifndef KCS_FUZZ_H
#define KCS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** fuzz_layout() - module/elf.c: offsets and headers */
void fuzz_layout(const uint8_t *data, size_t size);

/** fuzz_notes() - module/notedata.c, and the notes of module/elf.c */
void fuzz_notes(const uint8_t *data, size_t size);

/** fuzz_core() - tool/note.c: cores that others made */
void fuzz_core(const uint8_t *data, size_t size);

/** fuzz_text() - the tool's numbers: parse.c, stat.c, format.c */
void fuzz_text(const uint8_t *data, size_t size);

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/** struct fuzz_input - bytes that are used up one behind the other */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/** fuzz_take() - the next bytes; zeros where there are none any more */
static inline void fuzz_take(struct fuzz_input *in, void *to, size_t size)
{
	size_t have = size < in->left ? size : in->left;

	memset(to, 0, size);
	if (have)
		memcpy(to, in->data, have);
	in->data += have;
	in->left -= have;
}

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	uint8_t value;

	fuzz_take(in, &value, sizeof(value));
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t value;

	fuzz_take(in, &value, sizeof(value));
	return value;
}

static inline uint64_t fuzz_u64(struct fuzz_input *in)
{
	uint64_t value;

	fuzz_take(in, &value, sizeof(value));
	return value;
}

/** fuzz_alloc() - room of just that size, so that a sanitizer sees what is behind it */
static inline void *fuzz_alloc(size_t size)
{
	void *room = malloc(size);

	CHECK(room || !size);
	if (size)
		memset(room, 0xa5, size);
	return room;
}

/** fuzz_string() - a string of at most @max bytes without its NUL; to be freed */
static inline char *fuzz_string(struct fuzz_input *in, size_t max)
{
	size_t room = max < in->left ? max : in->left;
	size_t len = room ? strnlen((const char *)in->data, room) : 0;
	char *text = fuzz_alloc(len + 1);

	fuzz_take(in, text, len);
	text[len] = '\0';
	if (in->left && len < max)
		fuzz_u8(in);	/* its NUL */
	return text;
}

#endif /* KCS_FUZZ_H */
