// SPDX-License-Identifier: GPL-2.0
/* A 32-bit process that sleeps, with registers that are known. There is no C library for it. */
#define NR_PAUSE 29

unsigned int witness = 0x77697473;

void __attribute__((used)) _start(void)
{
	for (;;)
		asm volatile("int $0x80" : : "a" (NR_PAUSE), "b" (0xb1b2b3b4), "c" (0xc1c2c3c4),
			     "d" (0xd1d2d3d4), "S" (0x51525354), "D" (&witness) : "memory");
}
