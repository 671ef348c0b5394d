/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The note that says how a core was taken, <linux/kcoresnap_core.h>, out of a core
 * that may have been damaged, or made to harm.
 */
#ifndef KCS_NOTE_H
#define KCS_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kcoresnap_core.h>

#define KCS_NOTE_MAX (256U << 20)	/* bytes: 8 million threads */

/**
 * struct kcs_note - the note
 * @head: as much of it as the core has, the rest 0; its strings end and hold no
 *	control characters, and @head.threads is how many of @threads there are
 * @threads: likewise
 */
struct kcs_note {
	struct kcoresnap_note head;
	struct kcoresnap_note_thread *threads;
};

/**
 * kcs_note_find() - find the note's descriptor in a core
 * @fd: the core, of either class; its position does not move
 * @desc: to be freed
 * @size: bytes of it
 *
 * Return: 0; -ENOEXEC: it is no ELF core of this machine's byte order; -ENODATA: it
 * has no such note; -EBADMSG: it is damaged or cut off; -ENOMEM; another -errno of
 * pread(2).
 */
int kcs_note_find(int fd, void **desc, size_t *size);

/**
 * kcs_note_parse() - take a descriptor apart
 * @note: filled in
 * @desc: the descriptor
 * @size: bytes of it
 *
 * Return: 0; -EPROTO: of a version that is not known; -EBADMSG: it is damaged;
 * -ENOMEM.
 */
int kcs_note_parse(struct kcs_note *note, const void *desc, size_t size);

void kcs_note_free(struct kcs_note *note);

#endif /* KCS_NOTE_H */
