// SPDX-License-Identifier: GPL-2.0
/* A 32-bit process that sleeps. There is no C library for it. */
#define NR_PAUSE 29

void __attribute__((used)) _start(void)
{
	for (;;)
		asm volatile("int $0x80" : : "a" (NR_PAUSE) : "memory");
}
