// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "note.h"
#include "read.h"
#include "say.h"

/* The notes' header is the first or nearly so: nobody puts it behind thousands. */
#define PHDR_MAX 4096U
#define OWNER_SIZE sizeof(KCORESNAP_NOTE_OWNER)
#define ALIGN4(size) (((uint64_t)(size) + 3) & ~3ULL)

/** struct notes - where a core has its notes */
struct notes {
	uint64_t offset;
	uint64_t size;
};

static int read_at(int fd, void *buf, size_t size, uint64_t offset)
{
	int ret = kcs_read_at(fd, buf, size, offset);

	return ret == -ENODATA ? -EBADMSG : ret;
}

/* How many program headers there are, or more than are looked at. */
static int count_phdrs(int fd, const Elf64_Ehdr *ehdr, uint32_t *count)
{
	union {
		Elf64_Shdr wide;
		Elf32_Shdr narrow;
	} shdr;
	int ret;

	*count = ehdr->e_phnum;
	if (ehdr->e_phnum != PN_XNUM)
		return 0;
	if (ehdr->e_ident[EI_CLASS] == ELFCLASS64) {
		ret = read_at(fd, &shdr.wide, sizeof(shdr.wide), ehdr->e_shoff);
		if (!ret)
			*count = shdr.wide.sh_info;
	} else {
		ret = read_at(fd, &shdr.narrow, sizeof(shdr.narrow),
			      ehdr->e_shoff);
		if (!ret)
			*count = shdr.narrow.sh_info;
	}
	return ret;
}

/* Of either class, as that of the larger. */
static int read_ehdr(int fd, Elf64_Ehdr *ehdr)
{
	Elf32_Ehdr narrow;
	int ret = read_at(fd, ehdr->e_ident, EI_NIDENT, 0);

	if (ret)
		return ret == -EBADMSG ? -ENOEXEC : ret;
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	switch (ehdr->e_ident[EI_CLASS]) {
	case ELFCLASS64:
		return read_at(fd, ehdr, sizeof(*ehdr), 0);
	case ELFCLASS32:
		ret = read_at(fd, &narrow, sizeof(narrow), 0);
		if (ret)
			return ret;
		ehdr->e_type = narrow.e_type;
		ehdr->e_phoff = narrow.e_phoff;
		ehdr->e_phnum = narrow.e_phnum;
		ehdr->e_shoff = narrow.e_shoff;
		return 0;
	default:
		return -ENOEXEC;
	}
}

static int read_phdr(int fd, const Elf64_Ehdr *ehdr, uint32_t i, Elf64_Phdr *phdr)
{
	Elf32_Phdr narrow;
	int ret;

	if (ehdr->e_phoff > INT64_MAX / 2)
		return -EBADMSG;
	if (ehdr->e_ident[EI_CLASS] == ELFCLASS64)
		return read_at(fd, phdr, sizeof(*phdr),
			       ehdr->e_phoff + (uint64_t)i * sizeof(*phdr));
	ret = read_at(fd, &narrow, sizeof(narrow),
		      ehdr->e_phoff + (uint64_t)i * sizeof(narrow));
	if (ret)
		return ret;
	phdr->p_type = narrow.p_type;
	phdr->p_offset = narrow.p_offset;
	phdr->p_filesz = narrow.p_filesz;
	return 0;
}

static int find_notes(int fd, struct notes *notes)
{
	Elf64_Ehdr ehdr = { .e_type = ET_NONE };
	Elf64_Phdr phdr = { .p_type = PT_NULL };
	uint32_t count, i;
	int ret;

	ret = read_ehdr(fd, &ehdr);
	if (ret)
		return ret;
	if (ehdr.e_type != ET_CORE)
		return -ENOEXEC;
	ret = count_phdrs(fd, &ehdr, &count);
	for (i = 0; !ret && i < count && i < PHDR_MAX; i++) {
		ret = read_phdr(fd, &ehdr, i, &phdr);
		if (ret || phdr.p_type != PT_NOTE)
			continue;
		notes->offset = phdr.p_offset;
		notes->size = phdr.p_filesz;
		return 0;
	}
	return ret ? ret : -ENODATA;
}

static int read_desc(int fd, uint64_t offset, uint32_t descsz, void **desc,
		     size_t *size)
{
	void *buf;
	char last;
	int ret;

	if (!descsz || descsz > KCS_NOTE_MAX)
		return -EBADMSG;
	/* Not as much memory as a damaged size says, for nothing. */
	ret = read_at(fd, &last, 1, offset + descsz - 1);
	if (ret)
		return ret;
	buf = malloc(descsz);
	if (!buf)
		return -ENOMEM;
	ret = read_at(fd, buf, descsz, offset);
	if (ret) {
		free(buf);
		return ret;
	}
	*desc = buf;
	*size = descsz;
	return 0;
}

int kcs_note_find(int fd, void **desc, size_t *size)
{
	struct notes notes;
	char owner[OWNER_SIZE];
	uint64_t offset, end;
	Elf64_Nhdr nhdr;
	int ret;

	ret = find_notes(fd, &notes);
	if (ret)
		return ret;
	if (__builtin_add_overflow(notes.offset, notes.size, &end) || end > INT64_MAX)
		return -EBADMSG;
	for (offset = notes.offset; offset + sizeof(nhdr) <= end;
	     offset += ALIGN4(nhdr.n_namesz) + ALIGN4(nhdr.n_descsz)) {
		ret = read_at(fd, &nhdr, sizeof(nhdr), offset);
		if (ret)
			return ret;
		offset += sizeof(nhdr);
		/* Zeros where notes should be: the hole of a file that was cut off. */
		if (!nhdr.n_namesz)
			return -EBADMSG;
		if (nhdr.n_type != KCORESNAP_NT_SNAPSHOT || nhdr.n_namesz != OWNER_SIZE)
			continue;
		ret = read_at(fd, owner, sizeof(owner), offset);
		if (ret)
			return ret;
		if (!memcmp(owner, KCORESNAP_NOTE_OWNER, OWNER_SIZE))
			return read_desc(fd, offset + ALIGN4(nhdr.n_namesz),
					 nhdr.n_descsz, desc, size);
	}
	return -ENODATA;
}

static void end_string(char *text, size_t room)
{
	text[room - 1] = '\0';
	kcs_printable(text);
}

static void take_threads(struct kcs_note *note, const char *records,
			 uint32_t record_size)
{
	size_t known = sizeof(*note->threads);
	uint32_t i;

	for (i = 0; i < note->head.threads; i++) {
		struct kcoresnap_note_thread *thread = &note->threads[i];

		memcpy(thread, records + (size_t)i * record_size,
		       record_size < known ? record_size : known);
		end_string(thread->name, sizeof(thread->name));
	}
}

int kcs_note_parse(struct kcs_note *note, const void *desc, size_t size)
{
	struct kcoresnap_note *head = &note->head;
	/* Up to and with the number of threads, each version has it so. */
	const size_t least = offsetof(struct kcoresnap_note, mode);

	memset(note, 0, sizeof(*note));
	if (size < least)
		return -EBADMSG;
	memcpy(head, desc, least);
	if (head->version != KCORESNAP_NOTE_VERSION)
		return -EPROTO;
	if (head->size < least || head->size > size ||
	    (head->threads && (!head->thread_size ||
	     head->threads > (size - head->size) / head->thread_size)))
		return -EBADMSG;
	memcpy(head, desc, head->size < sizeof(*head) ? head->size : sizeof(*head));
	end_string(head->release, sizeof(head->release));
	end_string(head->module, sizeof(head->module));
	end_string(head->comm, sizeof(head->comm));

	note->threads = calloc(head->threads + 1ULL, sizeof(*note->threads));
	if (!note->threads)
		return -ENOMEM;
	take_threads(note, (const char *)desc + head->size, head->thread_size);
	return 0;
}

void kcs_note_free(struct kcs_note *note)
{
	free(note->threads);
	note->threads = NULL;
}
