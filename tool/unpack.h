/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The note that says how a core was taken, out of a core that is compressed: of
 * which no more is decompressed than that takes.
 */
#ifndef KCS_UNPACK_H
#define KCS_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

/** kcs_unpack_is_packed() - is @fd a file that zstd compressed? */
bool kcs_unpack_is_packed(int fd);

/**
 * kcs_unpack_find() - kcs_note_find() in a compressed core
 * @fd: the file, at its begin; its position moves
 * @desc: to be freed
 * @size: bytes of it
 *
 * Return: as kcs_note_find(), of what the file holds.
 */
int kcs_unpack_find(int fd, void **desc, size_t *size);

#endif /* KCS_UNPACK_H */
