/* SPDX-License-Identifier: GPL-2.0 */
/* What cmocka.h wants to be included before it. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif /* TEST_H */
