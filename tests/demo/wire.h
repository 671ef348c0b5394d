/* SPDX-License-Identifier: GPL-2.0 */
/* What store and load say to each other, and where the services of the demo listen. */
#ifndef KCS_DEMO_WIRE_H
#define KCS_DEMO_WIRE_H

#include <stdint.h>

#define KCS_STORE_PORT		7000
#define KCS_STORE_CONTROL_PORT	7001
#define KCS_PROBE_CONTROL_PORT	7011
#define KCS_BYSTANDER_CONTROL_PORT 7031

/**
 * struct kcs_request - update a record
 * @key: which one, modulo the number of records
 */
struct kcs_request {
	uint64_t key;
};

/**
 * struct kcs_reply - the record was updated
 * @key: of the request
 * @version: how often the record was updated
 * @sum: of its content
 */
struct kcs_reply {
	uint64_t key;
	uint64_t version;
	uint64_t sum;
};

#endif /* KCS_DEMO_WIRE_H */
