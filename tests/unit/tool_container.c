// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "container.h"
#include "test.h"

#define A "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define B "b2a102854b4969b2ce98dc329c86b4fb2b06e4ad2cc8da9d8a7578c9cd2004a2"
#define C "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define ECS "15838e0a4c7a4bf0a1f4ae5b0a1e8b2c-1234567890"
#define UID "72f7f152-440c-66ac-9084-e0fc1d8a910c"
#define UID_ "72f7f152_440c_66ac_9084_e0fc1d8a910c"
#define POD "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"
#define SYSTEM "0::/system.slice/"
#define USER "/user.slice/user-1000.slice/user@1000.service/"

/* Texts of /proc/PID/cgroup, and "RUNTIME ID" of each container, the outermost first. */
static const struct {
	const char *text;
	const char *containers;
} cases[] = {
	/* docker: cgroupfs and systemd, versions 1 and 2, rootless, a service inside */
	{ "10:devices:/docker/" A "\n9:memory:/docker/" A "\n", "docker " A },
	{ "2:cpu,cpuacct:/system.slice/docker-" A ".scope\n"
	  "1:name=systemd:/system.slice/docker-" A ".scope\n", "docker " A },
	{ "0::/system.slice/docker-" A ".scope\n", "docker " A },
	{ "0::/system.slice/docker-" A ".scope/init.scope\n", "docker " A },
	{ "0::/docker/" A "\n", "docker " A },
	{ "0::" USER "user.slice/docker-" A ".scope\n", "docker " A },
	{ "0::" USER "app.slice/docker-" A ".scope\n", "docker " A },
	{ "0::/actions_job/" A "\n", "container " A },
	{ "4:memory:/" A "\n", "container " A },
	/* ECS */
	{ "9:perf_event:/ecs/4f79/" A "\n", "ecs " A },
	{ "9:perf_event:/ecs/cluster/4f79/" ECS "\n", "ecs " ECS },
	{ "0::/ecs/" ECS "\n", "ecs " ECS },
	{ "0::/ecstasks.slice/ecstasks-4f79.slice/docker-" A ".scope\n",
	  "docker " A },
	/* containerd */
	{ "0::" POD "cri-containerd-" A ".scope\n", "containerd " A },
	{ "11:devices:/system.slice/containerd.service/kubepods-pod" UID_
	  ".slice:cri-containerd:" A "\n", "containerd " A },
	{ SYSTEM "kubepods-burstable-pod" UID_ ".slice:cri-containerd:" A "\n",
	  "containerd " A },
	{ "5:memory:/kubepods/besteffort/pod" UID "/" A "\n", "kubernetes " A },
	{ "5:memory:/kubepods/pod" UID "/" A "\n0::/\n", "kubernetes " A },
	{ "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort-pod"
	  UID_ ".slice/cri-containerd-" A ".scope\n", "containerd " A },
	{ "0::/system.slice/nerdctl-" A ".scope\n", "containerd " A },
	{ "0::/default/web\n", "containerd web" },
	{ "0::/default/" A "\n", "containerd " A },
	{ "0::/k8s.io/" A "\n", "containerd " A },
	/* CRI-O, and what monitors its containers */
	{ "0::" POD "crio-" A ".scope\n", "cri-o " A },
	{ "0::" POD "crio-" A ".scope/container\n", "cri-o " A },
	{ "5:memory:/kubepods/burstable/pod" UID "/crio-" A "\n", "cri-o " A },
	{ "0::" POD "crio-conmon-" A ".scope\n", "" },
	{ "0::/system.slice/crio-conmon-" A ".scope\n", "" },
	/* podman: root, rootless, pods, in a service, cgroupfs */
	{ "0::/machine.slice/libpod-" A ".scope/container\n", "podman " A },
	{ "1:name=systemd:/machine.slice/libpod-" A ".scope\n", "podman " A },
	{ "0::" USER "user.slice/libpod-" A ".scope/container\n", "podman " A },
	{ "0::/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A
	  ".scope/container\n", "podman " A },
	{ "0::" USER "app.slice/redis.service/libpod-payload-" A "\n",
	  "podman " A },
	{ "0::" USER "app.slice/redis.service/runtime\n", "" },
	{ "3:pids:/libpod_parent/libpod-" A "\n", "podman " A },
	{ "0::/machine.slice/libpod-conmon-" A ".scope\n", "" },
	/* systemd-nspawn, and its supervisor */
	{ "0::/machine.slice/machine-web\\x2d1.scope/payload/init.scope\n",
	  "nspawn web-1" },
	{ "0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service\n",
	  "nspawn web" },
	{ "1:name=systemd:/machine.slice/machine-web.scope/system.slice/a.service\n",
	  "machine web" },
	{ "0::/machine.slice/machine-web\\x2d1.scope/supervisor\n", "" },
	{ "0::/machine.slice/systemd-nspawn@web.service/supervisor\n", "" },
	/* other machines */
	{ "0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator\n",
	  "" },
	{ "0::/machine.slice/machine-lxc\\x2d77\\x2dold.scope\n", "lxc 77-old" },
	/* LXC, LXD, Incus */
	{ "0::/lxc.payload.web/init.scope\n", "lxc web" },
	{ "0::/lxc.monitor.web\n", "" },
	{ "7:cpuset:/lxc/web\n", "lxc web" },
	{ "7:cpuset:/lxc.payload/web\n", "lxc web" },
	/* containers in containers */
	{ "0::/docker/" A "/docker/" B "\n", "docker " A " docker " B },
	{ SYSTEM "docker-" A ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod"
	  UID_ ".slice/cri-containerd-" B ".scope\n",
	  "docker " A " containerd " B },
	{ "0::/lxc.payload.web/system.slice/docker-" A ".scope\n",
	  "lxc web docker " A },
	/* the hierarchy that tells most */
	{ "1:name=systemd:/docker/" A "/docker/" B "\n0::/docker/" A "\n",
	  "docker " A " docker " B },
	/* none */
	{ "0::/\n", "" },
	{ "", "" },
	{ "0::/init.scope\n", "" },
	{ "0::/system.slice/docker.service\n", "" },
	{ "0::/system.slice/containerd.service\n", "" },
	{ "0::/system.slice/docker-compose.service\n", "" },
	{ "0::/system.slice/docker-" A ".scope.d\n", "" },
	{ "0::/system.slice/docker-cafe.scope\n", "" },
	{ "0::" USER "app.slice/app-foo.scope\n", "" },
	{ "0::/kubepods/besteffort/pod" UID "\n", "" },
	{ "0::/default\n", "" },
	{ "0::/foo/default/bar\n", "" },
	{ "0::/machine.slice/machine-.scope\n", "" },
	{ "0::/../..\n", "" },
	{ "garbage\n:\n::\n", "" },
};

static void paths_name_containers(void **state)
{
	struct kcs_container found[KCS_CONTAINER_LEVELS];
	char text[2048];
	size_t i, n, count;
	int len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		count = kcs_container_parse(cases[i].text, found);
		text[0] = '\0';
		for (n = 0, len = 0; n < count; n++)
			len += snprintf(text + len, sizeof(text) - len,
					"%s%s %s", n ? " " : "",
					found[n].runtime, found[n].id);
		if (strcmp(text, cases[i].containers))
			print_message("of %s\n", cases[i].text);
		assert_string_equal(text, cases[i].containers);
	}
}

static void the_outermost_are_kept(void **state)
{
	struct kcs_container found[KCS_CONTAINER_LEVELS];
	const char *text = "0::/docker/" A "/docker/" B "/docker/" C "/docker/" A
			   "/docker/" B "/docker/" C "\n";

	assert_int_equal(kcs_container_parse(text, found), KCS_CONTAINER_LEVELS);
	assert_string_equal(found[0].id, A);
	assert_string_equal(found[2].id, C);
}

static void long_names_are_cut(void **state)
{
	struct kcs_container found[KCS_CONTAINER_LEVELS];
	char text[2000];

	snprintf(text, sizeof(text), "0::/lxc/%01000d\n", 7);
	assert_int_equal(kcs_container_parse(text, found), 1);
	assert_int_equal(strlen(found[0].id), KCS_CONTAINER_ID_SIZE - 1);
	snprintf(text, sizeof(text), "0::/machine.slice/machine-%01000d.scope\n", 7);
	assert_int_equal(kcs_container_parse(text, found), 1);
	assert_int_equal(strlen(found[0].id), KCS_CONTAINER_ID_SIZE - 1);
}

static void ids_are_shortened(void **state)
{
	assert_int_equal(kcs_container_short(A), 12);
	assert_int_equal(kcs_container_short("web"), 3);
	assert_int_equal(kcs_container_short(ECS), strlen(ECS));
}

static void schemes_are_stripped(void **state)
{
	assert_string_equal(kcs_container_wanted("containerd://" A), A);
	assert_string_equal(kcs_container_wanted("cri-o://4f79"), "4f79");
	assert_string_equal(kcs_container_wanted("web"), "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_name_containers),
		cmocka_unit_test(the_outermost_are_kept),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(ids_are_shortened),
		cmocka_unit_test(schemes_are_stripped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
