// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "container.h"

#define LEAST_ID 12
#define FULL_ID 64
#define ECS_ID 32
#define SHORT_ID 12

/** struct part - a component of a path, or a piece of one */
struct part {
	const char *text;
	size_t len;
};

/* Longer ones first. */
static const struct {
	const char *prefix;
	const char *runtime;
} prefixes[] = {
	{ "cri-containerd-", "containerd" },
	{ "containerd-", "containerd" },
	{ "nerdctl-", "containerd" },
	{ "docker-", "docker" },
	{ "crio-", "cri-o" },
	{ "libpod-payload-", "podman" },
	{ "libpod-", "podman" },
};

/* What holds containers that are named by their ID alone. */
static const struct {
	const char *parent;
	const char *runtime;
} parents[] = {
	{ "docker", "docker" },
	{ "libpod_parent", "podman" },
	{ "default", "containerd" },
	{ "k8s.io", "containerd" },
	{ "ecs", "ecs" },
};

static bool is(struct part part, const char *word)
{
	return part.len == strlen(word) && !memcmp(part.text, word, part.len);
}

static bool strip_front(struct part *part, const char *front)
{
	size_t len = strlen(front);

	if (part->len <= len || memcmp(part->text, front, len) != 0)
		return false;
	part->text += len;
	part->len -= len;
	return true;
}

static bool strip_end(struct part *part, const char *end)
{
	size_t len = strlen(end);

	if (part->len <= len ||
	    memcmp(part->text + part->len - len, end, len) != 0)
		return false;
	part->len -= len;
	return true;
}

static size_t count_hex(struct part part)
{
	size_t i;

	for (i = 0; i < part.len; i++)
		if (!isdigit((unsigned char)part.text[i]) &&
		    !(part.text[i] >= 'a' && part.text[i] <= 'f'))
			break;
	return i;
}

static bool is_ecs_id(struct part part)
{
	size_t i;

	if (part.len < ECS_ID + 2 || count_hex(part) != ECS_ID ||
	    part.text[ECS_ID] != '-')
		return false;
	for (i = ECS_ID + 1; i < part.len; i++)
		if (!isdigit((unsigned char)part.text[i]))
			return false;
	return true;
}

static bool take(struct kcs_container *found, const char *runtime,
		 struct part id)
{
	found->runtime = runtime;
	snprintf(found->id, sizeof(found->id), "%.*s", (int)id.len, id.text);
	return true;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* systemd writes what a unit's name can't hold as \xNN. */
static bool take_unit(struct kcs_container *found, const char *runtime,
		      struct part id)
{
	char *out = found->id, *end = out + sizeof(found->id) - 1;
	size_t i = 0;

	while (i < id.len && out < end) {
		if (id.len - i >= 4 && id.text[i] == '\\' &&
		    id.text[i + 1] == 'x' &&
		    isxdigit((unsigned char)id.text[i + 2]) &&
		    isxdigit((unsigned char)id.text[i + 3])) {
			*out++ = (char)(hex_value(id.text[i + 2]) * 16 +
					hex_value(id.text[i + 3]));
			i += 4;
		} else {
			*out++ = id.text[i++];
		}
	}
	*out = '\0';
	found->runtime = runtime;
	return true;
}

static bool match_prefixed(struct part part, struct kcs_container *found)
{
	const char *colon = memrchr(part.text, ':', part.len);
	struct part id;
	size_t i;

	if (colon) {
		id.text = colon + 1;
		id.len = part.text + part.len - id.text;
		part.len = colon - part.text;
		if (strip_end(&part, ":cri-containerd") &&
		    id.len >= LEAST_ID && count_hex(id) == id.len)
			return take(found, "containerd", id);
		return false;
	}
	strip_end(&part, ".scope");
	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		id = part;
		if (strip_front(&id, prefixes[i].prefix) &&
		    id.len >= LEAST_ID && count_hex(id) == id.len)
			return take(found, prefixes[i].runtime, id);
	}
	return false;
}

static bool match_machine(struct part part, struct part next,
			  struct kcs_container *found)
{
	if (is(next, "supervisor"))
		return false;
	if (strip_front(&part, "systemd-nspawn@"))
		return strip_end(&part, ".service") &&
		       take_unit(found, "nspawn", part);
	if (!strip_front(&part, "machine-") || !strip_end(&part, ".scope"))
		return false;
	if (strip_front(&part, "qemu\\x2d"))
		return false;
	if (strip_front(&part, "lxc\\x2d"))
		return take_unit(found, "lxc", part);
	return take_unit(found, is(next, "payload") ? "nspawn" : "machine",
			 part);
}

static bool match_lxc(struct part parent, struct part part,
		      struct kcs_container *found)
{
	if (strip_front(&part, "lxc.payload."))
		return take(found, "lxc", part);
	if (is(parent, "lxc") || is(parent, "lxc.payload"))
		return take(found, "lxc", part);
	return false;
}

/* @front: the path up to the component */
static bool match_bare(struct part front, struct part parent, struct part part,
		       struct kcs_container *found)
{
	bool whole = part.len == FULL_ID && count_hex(part) == FULL_ID;
	size_t i;

	if (is(front, "/default/") || is(front, "/k8s.io/"))
		return take(found, "containerd", part);
	if (!whole && !is_ecs_id(part))
		return false;
	for (i = 0; i < ARRAY_SIZE(parents); i++)
		if (is(parent, parents[i].parent))
			return take(found, parents[i].runtime, part);
	if (memmem(front.text, front.len, "/ecs/", strlen("/ecs/")))
		return take(found, "ecs", part);
	if (memmem(front.text, front.len, "/kubepods", strlen("/kubepods")))
		return take(found, "kubernetes", part);
	return take(found, "container", part);
}

static struct part component(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);

	return (struct part){ text, slash ? (size_t)(slash - text) : len };
}

static size_t parse_path(const char *path, size_t len,
			 struct kcs_container *found)
{
	struct part parent = { path, 0 }, part, next;
	const char *end = path + len, *p = path;
	size_t count = 0;

	while (p < end && count < KCS_CONTAINER_LEVELS) {
		part = component(p, end - p);
		p += part.len + 1;
		next = p < end ? component(p, end - p) : (struct part){ end, 0 };
		if (match_prefixed(part, &found[count]) ||
		    match_machine(part, next, &found[count]) ||
		    match_lxc(parent, part, &found[count]) ||
		    match_bare((struct part){ path, part.text - path }, parent,
			       part, &found[count]))
			count++;
		parent = part;
	}
	return count;
}

size_t kcs_container_parse(const char *text, struct kcs_container *found)
{
	struct kcs_container here[KCS_CONTAINER_LEVELS];
	size_t count, most = 0;
	const char *path, *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		path = memchr(text, ':', end - text);
		path = path ? memchr(path + 1, ':', end - path - 1) : NULL;
		if (!path)
			continue;
		path++;
		count = parse_path(path, end - path, here);
		if (count <= most)
			continue;
		most = count;
		memcpy(found, here, count * sizeof(here[0]));
	}
	return most;
}

int kcs_container_short(const char *id)
{
	struct part part = { id, strlen(id) };

	return part.len == FULL_ID && count_hex(part) == FULL_ID ?
		       SHORT_ID : (int)part.len;
}

const char *kcs_container_wanted(const char *text)
{
	const char *scheme = strstr(text, "://");

	return scheme ? scheme + strlen("://") : text;
}
