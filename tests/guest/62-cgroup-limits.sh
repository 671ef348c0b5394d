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

grep -qw memory /sys/fs/cgroup/cgroup.subtree_control || skip_all "the kernel has no memory controller for cgroup 2"

plan 11

mkdir "$top"
echo +memory >"$top/cgroup.subtree_control"
mkdir "$top/target" "$top/sibling"
tenant target "$top/target" anon 96
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
	is "$status $wrong$(grep -c 'dropped: memory ran short' snapshots)" "9 1" "$name: the core is incomplete, says the tool, and the list why"
}

tight "its own limit" target/memory.max 140
tight "an ancestor's limit" memory.max 140
tight "an ancestor's memory.high" memory.high 140
tight "a sibling that grows" memory.max 280 sibling grow 100

echo 110M >"$top/memory.max"
refused 5 "memory could grow by [0-9]+ MiB.* and [0-9]+ MiB are free for it" "with a tenth of room it is refused"
is "$(tell target rewrite) $(harm target)" "ok " "and the target can rewrite its memory"

evict target
evict sibling
rmdir "$top/target" "$top/sibling" "$top"
cmd_ok "the module can be unloaded right away" unload
load "$@"
