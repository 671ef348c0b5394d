#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is in the core of each kind of memory, where holes are, and that neither is at the target's cost.
. "$KCS_TREE/tests/guest/lib.sh"

files=/var/tmp/32-memory

plan 12

echo 16 >/proc/sys/vm/nr_hugepages
rm -rf "$files"
mkdir "$files"
"$KCS_TARGETS/memory_kinds" "$files" >map &
pid=$!
wait_for 30 grep -q ready map || diag "the target is not ready"

usage()
{
	grep -E '^(VmRSS|RssAnon|RssFile|RssShmem|VmSwap|VmSize|HugetlbPages)' "/proc/$pid/status"
	grep -E '^(Rss|Pss_Shmem|Referenced|Anonymous|ShmemPmdMapped)' "/proc/$pid/smaps_rollup" | grep -v Referenced
	awk '$2 ~ /^[0-9]+$/ { print "shm", $2, "attached", $7, "bytes", $4 }' /proc/sysvipc/shm
	awk '/^Shmem:|^HugePages_/' /proc/meminfo
	cat "/proc/$pid/maps"
	stat -L -c '%n %b blocks' "/proc/$pid/fd"/*
	for fd in "/proc/$pid/fdinfo"/*; do
		echo "$fd" && grep pos "$fd"
	done
}

usage >usage.before
cmd_ok "a core of all kinds of memory" "$KCS" --max-pause 20s -o core "$pid"
usage >usage.after
# The core itself is shared memory here, on a tmpfs.
sed -i '/^Shmem:/d' usage.before usage.after
is "$(diff usage.before usage.after)" "" "the target's memory, mappings and file positions are as before"

cmd_ok "every kind of memory is in it, or absent, as it should be" python3 "$KCS_TREE/tests/core/check_memory.py" core map
num "$(stat -c %s core)" -gt $((1024 * 1024 * 1024)) "the core has all of a sparse GiB"
num "$(($(stat -c '%b * %B' core)))" -lt $((64 * 1024 * 1024)) "and takes a fraction of that on disk"

# The target runs on: what it had at that instant was already read, so read again, from a snapshot that is open meanwhile.
exec 3< <("$KCS" --max-pause 20s -o core.again "$pid" 2>&1; echo "status $?")
like "$(cat <&3)" "^status 0$" "a second core"
cmd_ok "is the same" python3 "$KCS_TREE/tests/core/compare.py" core core.again
exec 3<&-

# With the snapshot open: held by a process that has its descriptor and does nothing.
"$KCS_TARGETS/snapshot_fd" hold "$pid" >held &
holder=$!
wait_for 10 grep -q held held
usage >usage.open
sed -i '/^Shmem:/d' usage.open
is "$(diff usage.before usage.open)" "" "nor does an open snapshot change them, the attachments of System V memory included"
kill "$holder"
wait "$holder" 2>/dev/null

cmd_ok "with all filter bits the rest is there" "$KCS" --max-pause 20s --filter 1ff -o core.all "$pid"
sed -n -e '/^file-\(clean\|shared\) /s/absent/filled/p' -e '/^dontfork-shared-file /s/absent/filled/p' -e '/^hugetlb-shared /s/absent/filled/p' map >map.all
cmd_ok "as it should be" python3 "$KCS_TREE/tests/core/check_memory.py" core.all map.all

kill -0 "$pid" && kill "$pid" && wait "$pid" 2>/dev/null
is "$(awk '$2 ~ /^[0-9]+$/' /proc/sysvipc/shm)" "" "its System V memory goes with it"
is "$("$KCS" list)" "" "no snapshot is left"
rm -rf "$files"
