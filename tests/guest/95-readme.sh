#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# The commands that README.md has for a real host, each as it stands there, save for the pids, IDs and hosts it makes up.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

# tour: the commands, one a line
tour()
{
	awk '/^## / { on = $0 == "## On a real host" } on && sub(/^    /, "")' "$KCS_TREE/README.md"
}

plan $(($(tour | grep -c .) + 7))

# The machine may be busy; the commands name no bound of their own.
echo 20000000 >/sys/module/kcoresnap/parameters/max_pause_us

# What the guest has not, or has in another way.
mkdir -p bin far
stand_in()
{
	cat >"bin/$1"
	chmod +x "bin/$1"
}
stand_in sudo <<'END'
#!/bin/sh
exec "$@"
END
# Whatever it says must be a package that the guest was made with; its kernel's headers have another name.
stand_in apt-get <<'END'
#!/bin/bash
[ "$1" = install ] || exit 1
for package in "${@:2}"; do
	[ "$package" = linux-headers-amd64 ] || dpkg -s "$package" >/dev/null || exit 1
done
END
# It was built in the row's root, and the module installed there by DKMS: tests/vm/build.
stand_in make <<'END'
#!/bin/bash
[ $# -gt 0 ] || exec test -x "$KCS_TREE/tool/kcoresnap"
[ "$*" = install ] || exit 1
exec env PATH="${PATH#*:}" make -s -C "$KCS_TREE/tool" -o all install
END
stand_in modprobe <<'END'
#!/bin/sh
[ "$*" = kcoresnap ] && grep -q '^kcoresnap ' /proc/modules
END
stand_in ssh <<'END'
#!/bin/sh
shift
cd far && exec sh -c "$*"
END
stand_in gdb <<'END'
#!/bin/bash
exec env PATH="${PATH#*:}" gdb -nx -batch -ex "info threads" "$@"
END
"$KCS_TARGETS/known_threads" >ready &
target=$!
"$KCS_TARGETS/known_threads" >ready2 &
other=$!
wait_for 30 grep -qs ready ready || diag "the target is not ready"
wait_for 30 grep -qs ready ready2 || diag "the other is not ready"

# The container that it speaks of.
cgroup=/sys/fs/cgroup/system.slice/docker-4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970.scope
mkdir -p "$cgroup"
echo "$target" >"$cgroup/cgroup.procs"

# The snapshot that it cancels.
"$KCS_TARGETS/snapshot_fd" hold "$target" >held &
holder=$!
wait_for 30 grep -qs held held
id=$("$KCS" list --json | jq '.[0].id')

export KCS_TREE
while IFS= read -r line; do
	[ -n "$line" ] || continue
	command=$(sed -e "s/\<4711\>/$target/g" -e "s/\<4712\>/$other/g" -e "s/cancel 3\>/cancel $id/g" <<<"$line")
	cmd_ok "${line%% \#*}" env PATH="$PWD/bin:$PATH:/usr/local/sbin" bash -e -o pipefail -c "$command"
	[[ $line != gdb* ]] || gdb=$(cat .out)
done < <(tour)

is "$(grep -c '^[* ] *[0-9].*LWP' <<<"$gdb")" 8 "the debugger found all threads"
is "$(head -c 4 /var/tmp/core.web)" $'\177ELF' "the core is one"
is "$(zstd -dc far/core.zst | head -c 4)" $'\177ELF' "what went to another host is one"
kill "$holder"
wait "$holder" 2>/dev/null
is "$(zstd -dc "/var/tmp/core.known_threads.$other.zst" | head -c 4)" $'\177ELF' "those of several processes are"
is "$(head -c 4 "/var/tmp/core.known_threads.$target")" $'\177ELF' "that of the container is one"
is "$("$KCS" list)" "" "no snapshot is left"
cmd_ok "uninstalled" make -s -C "$KCS_TREE/tool" uninstall
kill "$target" "$other"
wait "$target" "$other" 2>/dev/null
rm -f /var/tmp/core*
echo 250000 >/sys/module/kcoresnap/parameters/max_pause_us
rmdir "$cgroup" "${cgroup%/*}"
