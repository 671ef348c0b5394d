# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # variables that the scripts use
#
# For tests/guest/00-baseline.sh and 98-baseline.sh: what of the kernel's memory is in use when nothing runs.

baseline=/run/kcs-baseline
# Of the module, which the script was given.
parameters=("$@")

# A line "NAME COUNT UNIT" per slab cache and per kind of page. Caches that the kernel keeps until it needs the room are left out,
# and what a debug kernel notes down about each object, of those caches too. The module is not loaded meanwhile: it is nothing that
# stays behind then. And whoever removes a module has the addresses that vmalloc freed given back (vm_reset_perms(), mm/vmalloc.c),
# for which KASAN keeps shadow memory: on the debug kernel 2 kB for each snapshot, whose thread had a stack, until 64 MiB are freed.
memory_in_use()
{
	local shrink

	unload
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for shrink in /sys/kernel/slab/*/shrink; do
		echo 1 >"$shrink"
	done 2>/dev/null
	awk 'NR > 2 && $1 !~ /(inode|dentry|buffer_head|radix_tree|xarray|kernfs|rcl|ext4|jbd2|bio|scsi|names|vmap_area|kmemleak|debug_objects)/ { print $1, $2, "objects" }
	' /proc/slabinfo
	awk '{ kb[$1] = $2 }
	     END {
		print "anonymous", kb["AnonPages:"], "kB"
		print "page-tables", kb["PageTables:"], "kB"
		print "kernel-stacks", kb["KernelStack:"], "kB"
		print "slabs", kb["SUnreclaim:"], "kB"
		listed = "Active: Inactive: Unevictable: Slab: PageTables: KernelStack: Percpu: Hugetlb:"
		other = kb["MemTotal:"] - kb["MemFree:"]
		for (i = split(listed, name, " "); i > 0; i--)
			other -= kb[name[i]]
		print "other", other, "kB"
	     }' /proc/meminfo
	load "${parameters[@]}"
}

snapshots_in_log()
{
	dmesg | grep -c 'kcoresnap: snapshot .* threads, pause'
}

# grown FILE FILE: the lines that grew, by how much, most first
grown()
{
	awk 'NR == FNR { before[$1] = $2; next } $2 > before[$1] { print $1, $2 - before[$1], $3 }' "$1" "$2" | sort -k2,2nr
}
