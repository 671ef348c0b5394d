// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

#define SPECIFIERS "pPiIugsthefEcCd%"
/* In containers two processes may still have the same. */
#define TELLING_APART "pPiI"

/* The letter of the next specifier, or NULL; *text then stands behind it. */
static const char *next_specifier(const char **text)
{
	const char *letter = strchr(*text, '%');

	if (!letter)
		return NULL;
	letter++;
	*text = letter + !!*letter;
	return letter;
}

int kcs_template_check(const char *text, char *bad)
{
	const char *letter;

	while ((letter = next_specifier(&text))) {
		if (*letter && strchr(SPECIFIERS, *letter))
			continue;
		*bad = *letter;
		return -EINVAL;
	}
	return 0;
}

bool kcs_template_uses(const char *text, const char *letters)
{
	const char *letter;

	while ((letter = next_specifier(&text)))
		if (*letter && strchr(letters, *letter))
			return true;
	return false;
}

bool kcs_template_tells_apart(const char *text)
{
	return kcs_template_uses(text, TELLING_APART);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* As in format_corename() of the kernel. */
static void put_text(FILE *out, const char *text)
{
	if (!*text || !strcmp(text, ".") || !strcmp(text, "..")) {
		fputc('!', out);
		text += !!*text;
	}
	for (; *text; text++)
		fputc(*text == '/' ? '!' : *text, out);
}

static void put_exe(FILE *out, const struct kcs_facts *facts, bool base)
{
	const char *exe = facts->exe;

	if (exe) {
		put_text(out, base ? base_name(exe) : exe);
		return;
	}
	put_text(out, facts->comm);
	fputs(" (path unknown)", out);
}

static void put_specifier(FILE *out, char letter, const struct kcs_facts *facts)
{
	switch (letter) {
	case '%':
		fputc('%', out);
		break;
	case 'p':
		fprintf(out, "%d", facts->inner_pid);
		break;
	case 'P':
		fprintf(out, "%d", facts->pid);
		break;
	case 'i':
		fprintf(out, "%d", facts->inner_tid);
		break;
	case 'I':
		fprintf(out, "%d", facts->tid);
		break;
	case 'u':
		fprintf(out, "%u", facts->uid);
		break;
	case 'g':
		fprintf(out, "%u", facts->gid);
		break;
	case 's':
		fputc('0', out);
		break;
	case 't':
		fprintf(out, "%" PRIu64, facts->time);
		break;
	case 'c':
		fprintf(out, "%" PRIu64, facts->core_limit);
		break;
	case 'C':
		fprintf(out, "%d", facts->cpu);
		break;
	case 'd':
		fprintf(out, "%d", facts->dumpable);
		break;
	case 'h':
		put_text(out, facts->host);
		break;
	case 'e':
		put_text(out, facts->comm);
		break;
	case 'f':
	case 'E':
		put_exe(out, facts, letter == 'f');
		break;
	}
}

char *kcs_template_expand(const char *text, const struct kcs_facts *facts)
{
	char *name = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&name, &len);

	if (!out)
		return NULL;
	for (; *text; text++) {
		if (*text != '%')
			fputc(*text, out);
		else if (*++text)
			put_specifier(out, *text, facts);
		else
			break;
	}
	if (fclose(out)) {
		free(name);
		return NULL;
	}
	return name;
}
