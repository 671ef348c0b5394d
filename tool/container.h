/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The containers that a process is in, by the paths of its cgroups. Pure functions.
 *
 * What makes a path component a container:
 *
 *	docker-ID.scope, cri-containerd-ID.scope, containerd-ID.scope,
 *	nerdctl-ID.scope, crio-ID.scope, libpod-ID.scope, with or without the
 *	".scope" (the drivers systemd and cgroupfs), libpod-payload-ID (podman
 *	in a service), SLICE:cri-containerd:ID (containerd without its option
 *	SystemdCgroup); ID is of 12 hexadecimal digits or more
 *	a component of 64 hexadecimal digits (the driver cgroupfs) or of 32, a
 *	minus and digits (ECS)
 *	lxc.payload.NAME, and NAME in lxc or lxc.payload
 *	machine-NAME.scope and systemd-nspawn@NAME.service, unless the next
 *	component is "supervisor"; not machine-qemu-*.scope, a virtual machine
 *	NAME in /default or /k8s.io (containerd's ctr)
 *
 * What monitors a container (conmon, lxc.monitor) is in none.
 */
#ifndef KCS_CONTAINER_H
#define KCS_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

/* A name of a file and its NUL. */
#define KCS_CONTAINER_ID_SIZE 256
/* Containers in containers; what is deeper is not told apart. */
#define KCS_CONTAINER_LEVELS 4

/**
 * struct kcs_container - one container
 * @runtime: what made it: "docker", "containerd", "cri-o", "podman", "nspawn",
 *	"lxc", "ecs", "kubernetes" (some runtime under kubepods), "machine", or
 *	"container" where nothing tells
 * @id: its ID, in full, or its name where it has no ID
 */
struct kcs_container {
	const char *runtime;
	char id[KCS_CONTAINER_ID_SIZE];
};

/**
 * kcs_container_parse() - find the containers of a process
 * @text: of /proc/PID/cgroup, NUL-terminated
 * @found: KCS_CONTAINER_LEVELS of them: the outermost first
 *
 * Of several hierarchies the one that tells most is taken.
 *
 * Return: how many, 0 if the process is in none.
 */
size_t kcs_container_parse(const char *text, struct kcs_container *found);

/**
 * kcs_container_short() - length of the ID as people write it
 * @id: the ID
 *
 * Return: 12 for 64 hexadecimal digits, else all of it.
 */
int kcs_container_short(const char *id);

/**
 * kcs_container_wanted() - strip what orchestrators put before an ID
 * @text: as in "containerd://ID", or an ID or name
 *
 * Return: where the ID or name begins.
 */
const char *kcs_container_wanted(const char *text);

#endif /* KCS_CONTAINER_H */
