// SPDX-License-Identifier: GPL-2.0
/* memory_kinds as a 32-bit program. */
#include "memory_kinds.c"
