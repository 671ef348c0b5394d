// SPDX-License-Identifier: GPL-2.0
/*
 * What tests/fuzz runs under libFuzzer, over inputs that are the same everywhere:
 * random bytes, and random changes to texts that are right.
 */
#include <stdlib.h>
#include <string.h>

#include "../fuzz/fuzz.h"
#include "test.h"

#define ROUNDS 3000
#define MAX_INPUT 2000U

static uint64_t seed;

/* xorshift64 */
static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void run(void (*fuzz)(const uint8_t *data, size_t size), const char *const *texts)
{
	size_t count = 0, size, i;
	uint8_t *data;
	int round;

	seed = 1;
	while (texts[count])
		count++;
	for (round = 0; round < ROUNDS; round++) {
		const char *text = texts[next() % (count + 1)] ?: "";

		size = round % 10 ? next() % 100 : next() % MAX_INPUT;
		if (size < strlen(text))
			size = strlen(text);
		if (round % 2 && *text)
			size = strlen(text);
		/* To the byte. */
		data = malloc(size);
		assert_true(data || !size);
		for (i = 0; i < size; i++)
			data[i] = i < strlen(text) && next() % 20 ? (uint8_t)text[i] : next();
		fuzz(data, size);
		free(data);
	}
}

static const char *const nothing[] = { NULL };

static void the_layout_holds(void **state)
{
	run(fuzz_layout, nothing);
}

static void the_notes_read_back(void **state)
{
	run(fuzz_notes, nothing);
}

static void damaged_cores_are_read(void **state)
{
	run(fuzz_core, nothing);
}

#define STAT(comm) "1 (" comm ") S 0 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 12 0 0"
#define SIXTEEN "0123456789abcdef"

static void texts_are_read_as_they_are_meant(void **state)
{
	static const char *const texts[] = {
		"4711", "2147483648", "0x7f", "250ms", "1.5s", "auto", "cow", "mlocked,realtime",
		STAT("a) b"), STAT(SIXTEEN SIXTEEN SIXTEEN SIXTEEN),
		"Name:\ta\nTgid:\t12\nPid:\t13\n", NULL
	};

	run(fuzz_text, texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_holds),
		cmocka_unit_test(the_notes_read_back),
		cmocka_unit_test(damaged_cores_are_read),
		cmocka_unit_test(texts_are_read_as_they_are_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
