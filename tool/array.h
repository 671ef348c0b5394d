/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCS_ARRAY_H
#define KCS_ARRAY_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif /* KCS_ARRAY_H */
