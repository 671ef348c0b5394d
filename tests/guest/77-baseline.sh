#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# Memory goes back to what it was after many snapshots: not an object of a slab cache, a page or a mapping of the kernel's for each.
. "$KCS_TREE/tests/guest/lib.sh"

plan 3

rounds=$((100 * ${KCS_SCALE:-1}))

# Lines "NAME COUNT": objects in use per cache, pages per kind, mappings.
measure()
{
	local cache

	sync
	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done
	awk 'NR > 2 && $1 != "vmap_area" { print "cache:" $1, $2 }' /proc/slabinfo
	awk '/^nr_(anon_pages|page_table_pages|kernel_stack|slab_unreclaimable|mapped|shmem) / { print }' /proc/vmstat
	# Those that are unused go together, later.
	echo "vmalloc $(grep -vc 'unpurged\|vm_map_ram' /proc/vmallocinfo)"
	awk '{ print "percpu", $2 }' < <(grep Percpu /proc/meminfo)
}

# grown: what has grown by at least one for two snapshots
grown()
{
	measure >after
	awk -v least=$((rounds / 2)) '
		NR == FNR { before[$1] = $2; next }
		$2 - before[$1] >= least { print $1, "from", before[$1] + 0, "to", $2 }' before after
}

# In this shell, as before: another one would be in the figures.
back()
{
	grown >growth
	[ ! -s growth ]
}

cmd_ok "some snapshots before it is measured" "$KCS_TARGETS/reader" closes 20 1
measure >before
cmd_ok "$rounds snapshots" "$KCS_TARGETS/reader" closes "$rounds" 1
name="everything is back to what it was, or grew by less than one for two snapshots"
if grep -q ' kasan_quarantine_put$' /proc/kallsyms; then
	skip "$name" "this kernel keeps objects that were freed (CONFIG_KASAN); kmemleak tells there"
	exit
fi
# Some is freed only after a while.
if ! wait_for 20 back; then
	# What leaks grows again; caches of all kinds that were not full don't.
	diag "grew first:" "$(cat growth)"
	cut -d' ' -f1 growth >suspects
	cp after before
	"$KCS_TARGETS/reader" closes "$rounds" 1
	wait_for 20 back
	grep -wFf suspects growth >again
	mv again growth
fi
is "$(cat growth)" "" "$name"
