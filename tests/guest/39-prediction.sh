#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a dry run predicts is learned from the clones before: of memory from those with much memory, of mappings from those with many.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

mappings=30000
mib=128
# More than so many us the module does not believe: only a kernel that checks itself takes so long.
most_mappings=$((mappings * 100))
most_memory=$((mib * 256))

plan 5

echo 200000 >/proc/sys/vm/max_map_count
# Not what the tests before have taught it.
unload
load "$@"
tenant memory - anon $mib
tenant mappings - anon 12 /bin/true $((mappings / 2))

predict()
{
	pid=${pids[$1]}
	predicted --max-pause 20s
}

# clone NAME MOST: what the clone takes, in us, or at most what is believed
clone()
{
	rm -f core
	cmd_ok "a core of $1" "$KCS" --json --max-pause 20s -o core "${pids[$1]}"
	took=$(jq '.clone_ns / 1000 | floor' .out)
	[ "$took" -le "$2" ] || took=$2
}

before=$(predict memory)
clone mappings "$most_mappings"
after=$(predict memory)
diag "memory: predicted $before us, and $after us once many mappings were cloned"
num "$after" -le $((4 * before)) "many mappings that were cloned say nothing of memory"
again=$(predict mappings)
diag "mappings: cloned in $took us, predicted $again us"
num "$again" -ge $((took * 3 / 4)) "but of mappings"

clone memory "$most_memory"
again=$(predict memory)
diag "memory: cloned in $took us, predicted $again us"
num "$again" -ge $((took * 3 / 4)) "memory that was cloned says what it takes"

evict memory
evict mappings
