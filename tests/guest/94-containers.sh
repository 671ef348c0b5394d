#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 300 s
#
# Processes in namespaces of every kind, below cgroups with the names that docker, podman, kubepods and others give them: found by
# --container and by --ns, and told by ps.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

two=/sys/fs/cgroup
one=$PWD/named
root=$PWD/root
docker=4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970
podman=b2a102854b4969b2ce98dc329c86b4fb2b06e4ad2cc8da9d8a7578c9cd2004a2
app=9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d
pause=9ec39b0000000000000000000000000000000000000000000000000000000001
inner=15838e0a4c7a4bf0a1f4ae5b0a1e8b2c15838e0a4c7a4bf0a1f4ae5b0a1e8b2c
old=77777e0a4c7a4bf0a1f4ae5b0a1e8b2c15838e0a4c7a4bf0a1f4ae5b0a1e8b2c
pod=$two/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod72f7f152_440c_66ac_9084_e0fc1d8a910c.slice

plan 31

# A root file system of its own: the program and its libraries, under other names than outside.
mkdir -p "$root/bin" "$root/proc"
cp "$KCS_TARGETS/known_threads" "$root/bin/app"
ldd "$root/bin/app" | grep -oE '/[^ ]+' | while read -r library; do
	mkdir -p "$root${library%/*}"
	cp -L "$library" "$root$library"
done

# there PARENT: the child of unshare is the program, and has said that it is ready
there()
{
	pid=$(pgrep -P "$1") && [ "$(cat "/proc/$pid/comm")" = app ] && grep -qs ready "ready.$made"
}

# contain CGROUP [NAME [PID]]: a container below; its first process is $pid, its host's name NAME. With PID, it is in the UTS
# namespace of that process.
contain()
{
	local cgroup=$1 name=${2:-} of=${3:-} uts=--uts enter=

	made=$((made + 1))
	mkdir -p "$cgroup"
	[ -z "$of" ] || { uts="" enter="nsenter --uts=/proc/$of/ns/uts"; }
	# shellcheck disable=SC2016,SC2086,SC2248 # of the inner shells; words
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$cgroup" \
		$enter unshare --user --map-root-user --pid --fork --mount $uts --net --cgroup \
		sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/app >"$1"' "$root" "$PWD/ready.$made" &
	wait_for 30 there $! || diag "no container in $cgroup"
	# shellcheck disable=SC2016 # of the inner shell
	[ -z "$name" ] || [ -n "$of" ] ||
		nsenter --uts="/proc/$pid/ns/uts" sh -c 'echo "$0" >/proc/sys/kernel/hostname' "$name"
}
made=0

# meant OPTION...: the pids that a dry run is about
meant()
{
	"$KCS" --max-pause 20s --dry-run "$@" 2>&1 | awk '$1 == "process" { print $2 } /^kcoresnap:/' | sort -n | xargs
}

contain "$two/system.slice/docker-$docker.scope"
first=$pid
grep -q NSpid "/proc/$first/status" && diag "$(grep NSpid "/proc/$first/status")"
is "$(meant --container "$docker")" "$first" "docker: the process that is 1 inside, by the whole ID"
is "$(meant --container "${docker:0:12}")" "$first" "by the ID as docker ps shows it"
is "$(meant --container "docker://$docker")" "$first" "by the ID as an orchestrator writes it"

contain "$two/machine.slice/libpod-$podman.scope/container" web-1
web=$pid
is "$(meant --container b2a1)" "$web" "podman: by the begin of the ID"
is "$(meant --container web-)" "$web" "by the begin of its host's name"

contain "$pod/cri-containerd-$pause.scope" shop-7d9f
sandbox=$pid
contain "$pod/cri-containerd-$app.scope" '' "$sandbox"
shop=$pid
is "$(meant --container "$app")" "$shop" "kubepods: by the ID"
cmd_fails 2 "what may be two containers is refused" "$KCS" -o core --container shop-7d9f
like "$(cat .err)" "^kcoresnap: 'shop-7d9f' may be one of 2 containers, .*: give more of its ID$" "with a sentence"
like "$(cat .err)" "containerd ${pause:0:12} \(shop-7d9f\) with process $sandbox \(app\)" "that lists the one"
like "$(cat .err)" "containerd ${app:0:12} \(shop-7d9f\) with process $shop \(app\)" "and the other"
[ ! -e core ] || diag "a core was written"

# In the first one, a process that docker exec would start, and a container of its own.
# shellcheck disable=SC2016 # of the inner shell
sh -c 'echo $$ >"$1/cgroup.procs" && exec nsenter --target "$2" --preserve-credentials --user --pid --mount --uts --net --root --wd /bin/app >second' - \
	"$two/system.slice/docker-$docker.scope" "$first" &
wait_for 30 grep -qs ready second || diag "no second process"
second=$(pgrep -P $! -x app)
contain "$two/system.slice/docker-$docker.scope/docker/$inner"
nested=$pid
is "$(meant --container "$docker")" "$first" "what was started later in it is not its main process"
is "$(meant --container "$inner")" "$nested" "a container in a container"

# below CGROUP: the processes there, among them those that wait for others here
below()
{
	grep -lE "/$1(/|\$)" /proc/[0-9]*/cgroup 2>/dev/null | grep -oE '[0-9]+' | sort -n | xargs
}
is "$(meant --container "$docker" --every-process)" "$(below "docker-$docker.scope")" "every process of it, those in the inner one too"
like " $(below "docker-$docker.scope") " " $first .* $nested " "which are more than one"
cmd_fails 2 "their cores can't have one name" "$KCS" -o core --container "$docker" --every-process

cmd_fails 2 "nor names by the pid inside, which is 1 more than once" "$KCS" -o none/ --container "$docker" --every-process
like "$(cat .err)" "would both be 'none/core\.app\.1': use %P" "which is said before anything is done"
mkdir every
cmd_ok "each has a core with its pid as seen here" "$KCS" --max-pause 20s -o every/%P --container "$docker" --every-process
is "$(find every -type f -printf '%f\n' | sort -n | xargs)" "$(below "docker-$docker.scope")" "in a file of its own"

# As seen inside.
inside=$(awk '/^NSpid:/ { print $NF }' "/proc/$second/status")
is "$(meant --ns "$first" 1 "$inside")" "$(printf '%s\n' "$first" "$second" | sort -n | xargs)" "--ns: pids as seen inside"
thread=$(find "/proc/$first/task" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
is "$(meant --ns "$first" "$(awk '/^NSpid:/ { print $NF }' "/proc/$first/task/$thread/status")")" "$thread" \
	"a thread as seen inside"
is "$(meant --ns $$ "$shop")" "$shop" "--ns of the pid namespace that it is called in"
cmd_fails 3 "no such pid inside" "$KCS" --ns "$first" 4242

if mkdir "$one" && mount -t cgroup -o none,name=kcs none "$one" 2>/dev/null; then
	contain "$one/docker/$old"
	is "$(meant --container 77777)" "$pid" "a hierarchy of version 1, and the driver cgroupfs"
	kill -KILL "$pid"
	wait_for 20 rmdir "$one/docker/$old"
	rmdir "$one/docker"
	umount "$one"
else
	skip "a hierarchy of version 1, and the driver cgroupfs" "the kernel has no cgroups of version 1"
fi

cmd_fails 3 "no such container" "$KCS" --container 0123456789ab

# What ps tells.
"$KCS" ps --max-pause 20s --json >ps.json
is "$(jq -c ".[] | select(.pid == $web) | [.comm, .mode, .container.runtime, .container.id, .container.name, .container.main]" ps.json)" \
	"[\"app\",\"cow\",\"podman\",\"$podman\",\"web-1\",true]" "ps: the container of a process"
is "$(jq -c "[.[] | select(.container.id == \"$docker\" and .container.main)] | map(.pid)" ps.json)" "[$first]" \
	"and whether it is its main process"
"$KCS" ps --container shop >ps.text
is "$(awk 'NR > 1 { print $1 }' ps.text | sort -n | xargs)" \
	"$(below "${pod##*/}")" "ps --container: the processes of a pod" || cat ps.text >&2

# What completion offers.
mkdir path
ln -s "$KCS" path/kcoresnap
like " $(PATH=$PWD/path:$PATH bash -c '. "$1"; COMP_WORDS=(kcoresnap --container "") COMP_CWORD=2; _kcoresnap
	echo "${COMPREPLY[@]}"' - "$KCS_TREE/tool/kcoresnap.bash-completion") " " ${docker:0:12} .*${podman:0:12} " \
	"completion offers the containers that are there"

# A core is one of files as the container sees them; a debugger outside finds them below the root of the process.
cmd_ok "a core of a container's main process" "$KCS" --max-pause 20s -o core.web --container web-1
eu-readelf -n core.web 2>/dev/null >notes
timeout 60 gdb -nx -batch -iex "set sysroot /proc/$web/root" -ex "info sharedlibrary" -ex "thread apply all bt" \
	"/proc/$web/root/bin/app" core.web >gdb.out 2>&1 </dev/null
wrong=$(
	grep -q "^ *[0-9a-f-]* .* /bin/app$" notes || echo "no /bin/app among its files"
	grep -F "$root" notes
	grep -qE "^0x.*Yes.* /proc/$web/root/.*/libc\.so\.6$" gdb.out || echo "gdb has no symbols of the container's libc"
	for function in wait_in_main wait_on_futex block_in_read; do
		grep -qw "$function" gdb.out || echo "gdb does not see $function"
	done
)
is "$wrong" "" "opens in gdb with the files of the container" || { cat notes gdb.out; } >&2

pkill -KILL -x app
wait 2>/dev/null
# shellcheck disable=SC2317 # called below
gone()
{
	find "$two/system.slice" "$two/machine.slice" "$two/kubepods.slice" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -e "$two/system.slice" ] && [ ! -e "$two/machine.slice" ] && [ ! -e "$two/kubepods.slice" ]
}
wait_for 20 gone || diag "cgroups stay behind"
