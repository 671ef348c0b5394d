#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 150 s
#
# A process in pid, mount and user namespaces of its own and under another root: its pids and paths in the core are those that
# it sees itself, as in the kernel's own core, and gdb finds its files below /proc/PID/root.
. "$KCS_TREE/tests/guest/lib.sh"

top=/var/tmp/38-namespaces
umask 022
rm -rf "$top"

ways=chroot

plan 12

echo /core.kernel >/proc/sys/kernel/core_pattern
echo 0 >/proc/sys/kernel/core_uses_pid
ulimit -c unlimited
export GLIBC_TUNABLES=glibc.pthread.rseq=0

# A root with the program and its libraries, and nothing else.
make_root()
{
	mkdir -p "$top/$1/inside" "$top/$1/proc"
	cp "$KCS_TARGETS/threads" "$top/$1/inside/program"
	ldd "$KCS_TARGETS/threads" | grep -o '/[^ ]*' | xargs -I{} cp --parents -L {} "$top/$1"
}

# Not as pid 1 of its namespace, which the kernel would not let die of a signal.
enter_chroot()
{
	unshare --user --map-root-user --pid --fork --mount --kill-child \
		sh -c "chroot '$top/chroot' /inside/program 3 0 1 & wait"
}

# The innermost process of those below.
find_target()
{
	pid=$(pgrep -x program)
	[ -n "$pid" ]
}

all_stopped()
{
	! grep -hv ') T ' "/proc/$1"/task/*/stat | grep -q .
}

# tids COLUMN: of the target, as its host (1) or itself (2) sees them
tids()
{
	awk -v column="$1" '$1 == "NSpid:" { print column == 1 ? $2 : $NF }' "/proc/$pid/task"/*/status | sort -n
}

file_names()
{
	python3 - "$1" "$KCS_TREE/tests/core" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[2])
		import elfcore
		core = elfcore.Core(sys.argv[1])
		for note in core.notes:
		    if note.type == elfcore.NT_FILE:
		        count = core.format.words(note.desc[:8])[0]
		        for name in sorted(set(note.desc[16 + 24 * count:].split(b"\0")[:-1])):
		            print(name.decode())
	END
}

for how in $ways; do
	make_root "$how"
	rm -f ready core.*
	"enter_$how" >ready 2>err &
	parent=$!
	wait_for 30 grep -qs ^ready ready || diag "the target is not ready ($how): $(cat err)"
	wait_for 10 find_target
	kill -STOP "$pid"
	wait_for 10 all_stopped "$pid" || diag "the target does not stop"

	cmd_ok "a core ($how)" "$KCS" --max-pause 20s -o core.ours "$pid"
	"$KCS_TARGETS/corethreads" core.ours | sort -n >in-core
	is "$(<in-core)" "$(tids 2)" "its threads by the ids that it sees itself ($how)"
	isnt "$(tids 2)" "$(tids 1)" "which are not the host's ($how)"
	cmd_ok "a core with the host's pids ($how)" "$KCS" --max-pause 20s --pids host -o core.host "$pid"
	"$KCS_TARGETS/corethreads" core.host | sort -n >in-core
	is "$(<in-core)" "$(tids 1)" "its threads by the ids that the host sees ($how)"
	is "$("$KCS" show core.ours | awk '$1 == "process" || $1 == "inside" || $1 == "pids" { print $2 }' | xargs)" \
		"$pid $(awk '$1 == "NSpid:" { print $NF }' "/proc/$pid/status") target" "show tells both pids ($how)"
	is "$("$KCS" show core.ours | awk 'past { print $1, $2 } /^ *TID/ { past = 1 }' | sort -n)" \
		"$(paste -d' ' <(tids 1) <(tids 2))" "and both ids of each thread ($how)"

	file_names core.ours >paths
	is "$(grep -c '^/inside/program$' paths) $(grep -c "$top\|unreachable" paths)" "1 0" \
		"its files have the names that it sees ($how)" || cat paths >&2
	missing=
	while read -r path; do
		[ -e "/proc/$pid/root$path" ] || missing+=" $path"
	done < <(grep -v -e '^/dev' -e '^/memfd' -e '^/anon_hugepage' -e '^/SYSV' -e deleted paths)
	is "$missing" "" "below /proc/PID/root they are there ($how)"
	gdb -nx -batch -ex "set sysroot /proc/$pid/root" -ex "file /proc/$pid/root/inside/program" -ex "core-file core.ours" \
		-ex "info sharedlibrary" -ex "bt" >gdb.out 2>&1 </dev/null
	like "$(cat gdb.out)" "Yes.*/proc/$pid/root/[^ ]*libc.*#0 .*pause" "and gdb finds them with that as its sysroot ($how)" ||
		cat gdb.out >&2

	rm -f "$top/$how/core.kernel"
	# SIGCONT would let other threads go on for a moment.
	"$KCS_TARGETS/oracle" "$pid" true >oracle.out 2>&1 || diag "$(cat oracle.out)"
	kill -CONT "$pid" 2>/dev/null
	wait "$parent" 2>/dev/null
	is "$(ls "$top/$how/core.kernel")" "$top/$how/core.kernel" "the kernel writes its own core ($how)"
	cmd_ok "which is the same ($how)" python3 "$KCS_TREE/tests/core/compare.py" core.ours "$top/$how/core.kernel"
done
rm -rf "$top"
