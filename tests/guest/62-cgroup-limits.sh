#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 300 s
#
# Limits of cgroups above a target: pages that it writes while a snapshot is open exist twice. The snapshot is refused, or dropped
# before anybody is killed for that.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

top=/sys/fs/cgroup/kcs-62
many=$(scaled 300000)
[ "$many" -le 300000 ] || many=300000

grep -qw memory /sys/fs/cgroup/cgroup.subtree_control || skip_all "the kernel has no memory controller for cgroup 2"

plan 16

mkdir "$top"
echo +memory >"$top/cgroup.subtree_control"
mkdir "$top/target" "$top/sibling" "$top/elsewhere"
untouched=/var/tmp/62-untouched
head -c 65536 /dev/zero >"$untouched"
tenant target "$top/target" anon 96 "$untouched"
tenant sibling "$top/sibling" anon 4
pid=${pids[target]} awkward=$pid
safe "$top"

# act [TENANT COMMAND]: what fits as long as there is one of each page
act()
{
	tell target rewrite
	[ $# -eq 0 ] || tell "$@"
}

# tight NAME LIMIT MIB [TENANT COMMAND]: once the snapshot is open, the limit is lowered to so much, the target rewrites its memory and
# the tenant does something
tight()
{
	local name=$1 limit=$top/$2 mib=$3 answers wrong

	shift 3
	echo "${mib}M" >"$limit"
	answers="$(act "$@") without a snapshot,"
	echo max >"$limit"
	open_snapshot "$pid"
	echo "${mib}M" >"$limit"
	answers+=" $(act "$@") with one,"
	"$KCS" list >snapshots
	read_snapshot core
	answers+=" $(act "$@") after it"
	echo max >"$limit"
	diag "$name: $(grep -hs . "$top"/memory.{peak,events} | tr '\n' ' ')"

	wrong=$(harm target sibling)
	answers=${answers//$'\n'/ }
	is "${answers//ok ok/ok} $wrong" "ok without a snapshot, ok with one, ok after it " "$name: nobody is harmed"
	wrong=$(one_sentence "the core is incomplete: memory ran short while it was read")
	grep -q 'dropped: memory ran short' snapshots || [ "${may_have_ended:-}$(cat snapshots)" = yes ] || wrong+="listed: $(cat snapshots)"
	is "$status $wrong" "9 " "$name: the core is incomplete, says the tool, and the list why"
}

tight "its own limit" target/memory.max 140
tight "an ancestor's limit" memory.max 140
tight "an ancestor's memory.high" memory.high 140
tight "a sibling that grows" memory.max 280 sibling grow 100

# What it writes from then on is charged there, and a drop makes no room: it only ends the copying.
tenant neighbour "$top/elsewhere" anon 66
safe "$top"
echo $(($(cat "$top/elsewhere/memory.current") + (94 << 20))) >"$top/elsewhere/memory.max"
open_snapshot "$pid"
echo "$pid" >"$top/elsewhere/cgroup.procs"
answer=$(tell target rewrite)
"$KCS" list >snapshots
read_snapshot core
echo "$pid" >"$top/target/cgroup.procs"
is "$answer $(harm target sibling neighbour) $status $(grep -o 'dropped: memory ran short' snapshots)" "ok  9 dropped: memory ran short" \
	"moved to a cgroup without room for its copies: nobody is harmed"
evict neighbour

echo 110M >"$top/memory.max"
refused 5 "memory could grow by [0-9]+ MiB.* and [0-9]+ MiB are free for it" "with a tenth of room it is refused"
is "$(tell target rewrite) $(harm target)" "ok " "and the target can rewrite its memory"

# Whether a mapped file is ELF, the disk is asked, which may take long. Here it takes until the limit on it is lifted.
disk=$(mountpoint -d /)
slow=/sys/fs/cgroup/kcs-62-slow
echo max >"$top/memory.max"
echo +io >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$slow"
echo "$disk rbps=100" >"$slow/io.max"
dd if="$untouched" of="$untouched" conv=notrunc,fdatasync status=none
dd if="$untouched" iflag=nocache count=0 status=none
rm -f core
{
	echo "$BASHPID" >"$slow/cgroup.procs"
	exec "$KCS" --max-pause 20s -o core "$pid"
} 2>.err &
tool=$!
waits()
{
	grep -qs 'page\|folio\|filemap' "/proc/$tool/wchan"
}
wait_for 20 waits || diag "$(cat .err)"
is "$? $("$KCS" list | wc -l)" "0 0" "a snapshot whose core waits for the disk before it is laid out"
echo 140M >"$top/target/memory.max"
answer=$(tell target rewrite)
echo max >"$top/target/memory.max"
echo "$disk rbps=max" >"$slow/io.max"
status=0
wait "$tool" || status=$?
is "$answer $(harm target) $status $(one_sentence "the core is incomplete: memory ran short while it was read")$(ls core* 2>/dev/null)" \
	"ok  9 " "is dropped all the same before anybody is harmed"
rmdir "$slow"
echo -io >/sys/fs/cgroup/cgroup.subtree_control

# What the core does not need of a clone is given back while its limits are watched. Here that takes longer than the target does.
evict target
echo 1000000 >/proc/sys/vm/max_map_count
tenant target "$top/target" anon 96 "$untouched" $((many / 2))
pid=${pids[target]}
# It may be dropped before the tool has read anything, which then has ended already.
may_have_ended=yes tight "$many mappings to be given back" target/memory.max $(($(cat "$top/target/memory.current") / 1048576 + 44))

evict target
evict sibling
rm -f "$untouched"
rmdir "$top/target" "$top/sibling" "$top/elsewhere" "$top"
cmd_ok "the module can be unloaded right away" unload
load "$@"
