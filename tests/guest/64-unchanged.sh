#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What can be seen of a process and its files from outside is the same before, during and after a snapshot of which everything
# is read. When the process dies meanwhile, nothing waits for the snapshot that need not.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

files=/var/tmp/64-unchanged
key=1801679716

plan 29

# fields FILE FIELD...: of each mapping in smaps
fields()
{
	awk -v fields=" ${*:2} " '/^[0-9a-f]+-/ { print } index(fields, " " $1 " ")' "/proc/$pid/$1"
}

# shm COLUMN...: of the segment in /proc/sysvipc/shm
shm()
{
	awk -v names="$*" -v key=$key '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; n = split(names, name) }
		$1 == key { for (i = 1; i <= n; i++) printf "%s %s ", name[i], $(column[name[i]]); print "" }' /proc/sysvipc/shm
}

# look NAME: into files NAME.*, one for each of what is compared
look()
{
	local sizes="Size: Rss: Anonymous: LazyFree: AnonHugePages: ShmemPmdMapped: FilePmdMapped: Swap:" fd

	# shellcheck disable=SC2086 # several
	fields smaps $sizes VmFlags: >"$1.smaps"
	# shellcheck disable=SC2086
	fields smaps_rollup $sizes >"$1.rollup"
	# Clean pages of libraries are shared with whoever runs at the time.
	fields smaps Private_Dirty: Shared_Dirty: Locked: >"$1.shares"
	grep -E '^(Vm|Rss|Hugetlb|Threads|Sig|Shd|TracerPid)' "/proc/$pid/status" >"$1.status"
	shm size nattch uid perms ctime rss swap >"$1.shm"
	for fd in "/proc/$pid/fd"/[3-9]; do
		echo "$fd $(grep pos: "/proc/$pid/fdinfo/${fd##*/}")"
	done >"$1.pos"
	stat -L -c '%n %s %b %h %u %a %y %z' "/proc/$pid/fd"/[3-9] >"$1.files"
	stat -L -c '%n %x' "/proc/$pid/fd"/[3-9] >"$1.atime"
}

# count NAME: what a CPU has done to lists of pages counts for the machine when that CPU gets to it, or before a compaction, and
# what it has counted, when the sums are refreshed. That compaction can itself unmap pages of files, which the target then has to
# touch.
count()
{
	sync
	echo 1 >/proc/sys/vm/compact_memory
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^Mlocked|^AnonHugePages/' /proc/meminfo >"$1.counts"
}

# same WHAT NAME NAME-OF-TEST
same()
{
	[ -s "$2.$1" ] || echo "nothing was seen" >>"$2.$1"
	is "$(diff -U 0 -F '^[0-9a-f]*-' "before.$1" "$2.$1")" "" "$3"
}

# writable FILE: can it be opened to be written to?
writable()
{
	(: >>"$1") 2>/dev/null
}

mkdir "$files"
mount --bind "$files" "$files"
cp "$KCS_TARGETS/mapper" "$files"
start a - "$files/mapper" "$files"
pid=${pids[a]}
safe -
# So old that reading would change it.
touch -a -d 2001-01-01 "/proc/$pid/fd"/[3-9]
echo 0x1ff >"/proc/$pid/coredump_filter"
count before
is "$(tell a check) $(tell a lease)" "ok ok" "the target is ready"
look before

hold "$pid"
cat "$held" >core
num "$(wc -c <core)" -gt $((4 << 20)) "everything is read"
rm core
look open
while read -r what name; do
	same "$what" open "during: $name"
done <<-END
	smaps the mappings, and what is present of each
	rollup their sums
	status sizes, locked memory and signals in status
	shm System V memory, its attachments included
	pos file positions
	files files, and the blocks that they have
	atime times of access
END
is "$(tell a leases) $(tell a check)" "ok ok" "during: leases are not broken, and the memory is as it was"
drop

look after
count after
while read -r what name; do
	same "$what" after "after: $name"
done <<-END
	smaps the mappings, and what is present of each
	rollup their sums
	shares how much of it is shared, private or locked
	status sizes, locked memory and signals in status
	shm System V memory, its attachments included
	pos file positions
	files files, and the blocks that they have
	atime times of access
	counts locked memory and huge pages of the machine
END
is "$(tell a leases)" ok "after: leases are not broken"

merged()
{
	[ "$(cat /sys/kernel/mm/ksm/pages_sharing)" -eq "$1" ]
}
echo 1000 >/sys/kernel/mm/ksm/pages_to_scan
echo 1 >/sys/kernel/mm/ksm/run
wait_for 60 merged 31
hold "$pid"
cat "$held" >/dev/null
drop
cmd_ok "as many pages are merged (KSM)" wait_for 60 merged 31
echo 2 >/sys/kernel/mm/ksm/run

echo 0x33 >"/proc/$pid/coredump_filter"
hold "$pid"
is "$(tell a seal)" ok "memory that is no longer mapped can be sealed against writing while a snapshot is open"
is "$(tell a check)$(shm nattch)" "oknattch 1 " "its System V memory has one attachment"
evict a
is "$(shm nattch)" "nattch 0 " "and none when it has died, with the snapshot open"
cmd_ok "the lock on its file is free by then" flock -n "$files/locked" true
cat "$held" >core
is "$(readelf -h core | grep -c 'CORE')" 1 "the core can still be read"
writable "$files/mapper" && diag "its executable is not busy"
drop
cmd_ok "its executable can be written when the snapshot is closed" writable "$files/mapper"
cmd_ok "and its file system unmounted" umount "$files"
rm -r "$files"
ipcrm -M $key
is "$(harm)" "" "nothing is left"
