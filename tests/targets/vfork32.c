// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit process that waits for a vfork child, which sleeps. The file "direct"
 * is open with O_DIRECT. There is no C library for it.
 */
#define NR_OPEN 5
#define NR_PAUSE 29
#define NR_VFORK 190
#define O_DIRECT 040000

static int call(int nr, unsigned int arg1, unsigned int arg2)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret) : "0" (nr), "b" (arg1), "c" (arg2) : "memory");
	return ret;
}

void __attribute__((used)) _start(void)
{
	if (call(NR_OPEN, (unsigned int)"direct", O_DIRECT) >= 0)
		call(NR_VFORK, 0, 0);
	for (;;)
		call(NR_PAUSE, 0, 0);
}
