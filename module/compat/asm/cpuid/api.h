/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_ASM_CPUID_API_H
#define _KCS_COMPAT_ASM_CPUID_API_H

/*
 * From v6.16 on cpuid_count() is declared here; before, in <asm/cpuid.h>, and
 * up to v6.1 in <asm/processor.h>.
 */
#if __has_include_next(<asm/cpuid/api.h>)
#include_next <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

#endif
