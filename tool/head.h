/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stands before memory in a core of either class: headers and notes.
 */
#ifndef KCS_HEAD_H
#define KCS_HEAD_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct kcs_head - headers, notes and what pads them
 * @bytes: as they stand in the core
 * @size: how many
 * @phdrs: the number of program headers
 */
struct kcs_head {
	char *bytes;
	size_t size;
	size_t phdrs;
};

/**
 * struct kcs_thread - where a thread's stack is
 * @sp: stack pointer
 * @tp: thread pointer, or 0
 */
struct kcs_thread {
	uint64_t sp;
	uint64_t tp;
};

/**
 * struct kcs_threads - those of a core
 * @list: by stack pointer; to be freed
 * @count: how many
 */
struct kcs_threads {
	struct kcs_thread *list;
	size_t count;
};

/**
 * kcs_head_read() - read the head of a core
 * @head: empty; to be freed in any case
 * @in: the core, of which nothing was read
 * @size: its size
 *
 * Return: 0 or -errno; -ENOEXEC for what is no core.
 */
int kcs_head_read(struct kcs_head *head, int in, uint64_t size);
void kcs_head_free(struct kcs_head *head);

/** kcs_head_threads() - what the notes tell. Return: 0, -ENOMEM or -ENOEXEC. */
int kcs_head_threads(const struct kcs_head *head, struct kcs_threads *threads);

size_t kcs_head_phdr_size(const struct kcs_head *head);
/** kcs_head_at() - program header number @i as it stands there */
char *kcs_head_at(const struct kcs_head *head, size_t i);

/**
 * kcs_head_phdr() - program header number @i
 * @head: where it is
 * @i: less than @phdrs
 *
 * Return: it, or of a core of 32 bits type, addresses and sizes in that form.
 */
Elf64_Phdr kcs_head_phdr(const struct kcs_head *head, size_t i);

/** kcs_head_put_phdr() - put @phdr in the class's form into the header at @to */
void kcs_head_put_phdr(const struct kcs_head *head, void *to, const Elf64_Phdr *phdr);

uint64_t kcs_head_phoff(const struct kcs_head *head);
uint64_t kcs_head_shoff(const struct kcs_head *head);
void kcs_head_set_phnum(struct kcs_head *head, size_t count);
void kcs_head_set_shoff(struct kcs_head *head, uint64_t offset);

#endif /* KCS_HEAD_H */
