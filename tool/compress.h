/* SPDX-License-Identifier: GPL-2.0 */
/* Compression by libzstd, in memory that does not grow with the core. */
#ifndef KCS_COMPRESS_H
#define KCS_COMPRESS_H

#include <stddef.h>

#define KCS_ZSTD_LEVEL_MIN 1
#define KCS_ZSTD_LEVEL_MAX 19
#define KCS_ZSTD_LEVEL_DEFAULT 3

struct kcs_zstd;

/**
 * typedef kcs_zstd_write_fn - takes compressed bytes
 * @arg: the caller's
 *
 * Return: 0 or -errno.
 */
typedef int kcs_zstd_write_fn(void *arg, const void *data, size_t len);

/**
 * kcs_zstd_create() - a compressor with threads of its own
 * @level: KCS_ZSTD_LEVEL_MIN to KCS_ZSTD_LEVEL_MAX
 *
 * Return: the compressor, or NULL without memory.
 */
struct kcs_zstd *kcs_zstd_create(int level);
void kcs_zstd_free(struct kcs_zstd *zstd);

/*
 * Both return 0, what @write returned, or -EIO for an error of the library.
 */

/** kcs_zstd_put() - compress some bytes, and write what comes of it so far */
int kcs_zstd_put(struct kcs_zstd *zstd, const void *data, size_t len,
		 kcs_zstd_write_fn *write, void *arg);

/** kcs_zstd_end() - write what is left, and begin a new frame */
int kcs_zstd_end(struct kcs_zstd *zstd, kcs_zstd_write_fn *write, void *arg);

#endif /* KCS_COMPRESS_H */
