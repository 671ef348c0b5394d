/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KCS_COMPAT_ASM_CPUID_API_H
#define _KCS_COMPAT_ASM_CPUID_API_H

/* Where a kernel has no such header, <asm/processor.h> brings cpuid_count(). */
#if __has_include_next(<asm/cpuid/api.h>)
#include_next <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

#endif
