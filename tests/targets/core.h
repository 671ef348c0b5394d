/* SPDX-License-Identifier: GPL-2.0 */
/* Reading an ELF core of this machine's kind. */
#ifndef CORE_H
#define CORE_H

#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * struct core_segment - memory that is known
 * @start: its address in the target
 * @size: bytes at @data
 */
struct core_segment {
	uint64_t start;
	uint64_t size;
	const uint8_t *data;
};

/**
 * struct core - memory and notes of a process at some time
 * @segments: in the order of the file
 * @nr: how many
 * @notes: contents of PT_NOTE, or NULL
 * @notes_size: their size
 */
struct core {
	struct core_segment *segments;
	size_t nr;
	const uint8_t *notes;
	size_t notes_size;
};

/**
 * struct core_note - one note
 * @name: NUL-terminated within @name_size
 */
struct core_note {
	uint32_t type;
	const char *name;
	size_t name_size;
	const void *desc;
	size_t size;
};

static inline const uint8_t *core_range(const uint8_t *file, size_t file_size, uint64_t offset,
					uint64_t size)
{
	if (offset > file_size || size > file_size - offset)
		errx(2, "the core ends before offset %#llx", (unsigned long long)(offset + size));
	return file + offset;
}

static inline size_t core_count_headers(const uint8_t *file, size_t size, const Elf64_Ehdr *ehdr)
{
	const Elf64_Shdr *shdr;

	if (ehdr->e_phnum != PN_XNUM)
		return ehdr->e_phnum;
	shdr = (const Elf64_Shdr *)core_range(file, size, ehdr->e_shoff, sizeof(*shdr));
	return shdr->sh_info;
}

static inline const uint8_t *core_read(const char *path, size_t *size)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0;
	size_t room = 4 << 20;
	uint8_t *file = NULL;
	ssize_t n;

	if (fd < 0)
		err(2, "%s", path);
	*size = 0;
	do {
		if (!file || *size == room) {
			uint8_t *grown = realloc(file, room *= 2);

			if (!grown)
				err(2, "%s", path);
			file = grown;
		}
		n = read(fd, file + *size, room - *size);
		if (n < 0)
			err(2, "%s", path);
		*size += n;
	} while (n);
	if (fd)
		close(fd);
	return file;
}

/**
 * core_open() - read a core
 * @core: filled
 * @path: the file, or "-" for standard input
 *
 * Exits with status 2 and a sentence on stderr if it is not a complete core.
 */
static inline void core_open(struct core *core, const char *path)
{
	const Elf64_Ehdr *ehdr;
	const Elf64_Phdr *phdr;
	size_t size, nr;
	const uint8_t *file = core_read(path, &size);

	if (size < sizeof(*ehdr))
		errx(2, "the core has only %zu bytes", size);
	ehdr = (const Elf64_Ehdr *)file;
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) || ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_type != ET_CORE)
		errx(2, "%s is no 64-bit ELF core", path);
	nr = core_count_headers(file, size, ehdr);
	phdr = (const Elf64_Phdr *)core_range(file, size, ehdr->e_phoff, nr * sizeof(*phdr));

	*core = (struct core){ .segments = calloc(nr + 1, sizeof(*core->segments)) };
	if (!core->segments)
		err(2, "segments");
	for (; nr--; phdr++) {
		const uint8_t *data = core_range(file, size, phdr->p_offset, phdr->p_filesz);

		if (phdr->p_type == PT_NOTE) {
			core->notes = data;
			core->notes_size = phdr->p_filesz;
		} else if (phdr->p_type == PT_LOAD) {
			core->segments[core->nr++] = (struct core_segment){
				.start = phdr->p_vaddr,
				.size = phdr->p_filesz,
				.data = data,
			};
		}
	}
}

/**
 * core_at() - the bytes at an address
 *
 * Return: a pointer to @size bytes, or NULL if they are not all in one segment.
 */
static inline const void *core_at(const struct core *core, uint64_t address, size_t size)
{
	for (size_t i = 0; i < core->nr; i++) {
		const struct core_segment *seg = &core->segments[i];

		if (address >= seg->start && address - seg->start <= seg->size &&
		    size <= seg->size - (address - seg->start))
			return seg->data + (address - seg->start);
	}
	return NULL;
}

static inline size_t core_padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/**
 * core_next_note() - walk the notes
 * @offset: 0 at first, updated
 *
 * Exits with status 2 if the notes are malformed. Return: false at the end.
 */
static inline bool core_next_note(const struct core *core, size_t *offset, struct core_note *note)
{
	const Elf64_Nhdr *nhdr;
	size_t left = core->notes_size - *offset;

	if (!left)
		return false;
	nhdr = (const Elf64_Nhdr *)(core->notes + *offset);
	if (left < sizeof(*nhdr) ||
	    core_padded(nhdr->n_namesz) + core_padded(nhdr->n_descsz) > left - sizeof(*nhdr))
		errx(2, "the note at offset %zu does not end within the notes", *offset);
	note->type = nhdr->n_type;
	note->name = (const char *)(nhdr + 1);
	note->name_size = nhdr->n_namesz;
	note->desc = note->name + core_padded(nhdr->n_namesz);
	note->size = nhdr->n_descsz;
	*offset += sizeof(*nhdr) + core_padded(nhdr->n_namesz) + core_padded(nhdr->n_descsz);
	return true;
}

#endif
