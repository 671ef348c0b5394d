#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 300 s
#
# Memory of the machine: a full swap, no free memory, strict overcommit. A snapshot is refused, dropped or incomplete; nobody is
# killed or refused memory for it.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

swap=/var/tmp/63-swap
top=/sys/fs/cgroup/kcs-63

plan 8

# meminfo NAME: MiB
meminfo()
{
	awk -v name="$1:" '$1 == name { print int($2 / 1024) }' /proc/meminfo
}

gone()
{
	[ "$(cat "$top/memory.current")" -lt $((8 << 20)) ]
}

# A target that is swapped out, under a limit that is lower than its size: read through the clone, its pages come in again on its
# account, and none can go out.
swapped_out()
{
	local wrong

	dd if=/dev/zero of="$swap" bs=1M count=52 2>/dev/null
	chmod 600 "$swap"
	mkswap "$swap" >/dev/null
	swapon "$swap"
	mkdir "$top"
	tenant a "$top" anon 48
	safe "$top"
	# Out, and the limit out of the way again.
	echo 4M >"$top/memory.high"
	wait_for 20 gone
	echo max >"$top/memory.high"
	num "$(tell a swapped)" -gt $((40 << 10)) "the target is swapped out"
	open_snapshot "${pids[a]}" --filter 1
	echo 40M >"$top/memory.max"
	diag "$(tell a swapped) KiB swapped, $(meminfo SwapFree) MiB of swap free"
	read_snapshot core
	diag "$(tell a swapped) KiB swapped, $(meminfo SwapFree) MiB of swap free: $(tr '\n' ' ' <"$top/memory.events")"
	wrong=$(one_sentence 'the core is incomplete: .* of memory could no longer be read and are zeros in it')
	is "$status $wrong" "9 " "what there is no room for is lost, and the tool says so"
	is "$(harm a)" "" "nobody is harmed"
	is "$(tell a rewrite) $(harm a)" "ok " "nor when it comes back into memory"
	evict a
	rmdir "$top"
	swapoff "$swap"
	rm "$swap"
}

# leave MIB: so much is available; the rest goes to huge pages, at once
leave()
{
	local more tries

	for ((tries = 0; tries < 5; tries++)); do
		more=$((($(meminfo MemAvailable) - $1) / 2))
		[ "$more" -gt 2 ] || break
		echo $(($(cat /proc/sys/vm/nr_hugepages) + more)) >/proc/sys/vm/nr_hugepages
	done
	diag "$(meminfo MemAvailable) MiB available"
}

short_of_memory()
{
	local answers with wrong

	tenant a - anon 96
	tenant b - anon 4
	safe -
	echo 3 >/proc/sys/vm/drop_caches
	for with in without with; do
		[ "$with" = without ] || open_snapshot "${pids[a]}"
		# What the two can use while there is one of each page, but not two.
		leave 140
		answers+="$(tell a rewrite) $(tell b grow 60) $with, "
		diag "$(meminfo MemAvailable) MiB available"
		"$KCS" list >snapshots
		[ "$with" = without ] || read_snapshot core
		echo 0 >/proc/sys/vm/nr_hugepages
	done
	answers+="$(tell a rewrite) after "
	is "$answers$(harm a b)" "ok ok without, ok ok with, ok after " "nobody is harmed when the machine runs short of memory"
	wrong=$(one_sentence "the core is incomplete: memory ran short while it was read")
	is "$status $wrong$(grep -c 'dropped: memory ran short' snapshots)" "9 1" "the core is incomplete, says the tool, and the list why"
	evict a
	evict b
}

strict_overcommit()
{
	local answers free kbytes mode

	tenant a - anon 96
	safe -
	mode=$(cat /proc/sys/vm/overcommit_memory) kbytes=$(cat /proc/sys/vm/overcommit_kbytes)
	echo $((($(meminfo Committed_AS) + 400) << 10)) >/proc/sys/vm/overcommit_kbytes
	echo 2 >/proc/sys/vm/overcommit_memory
	free=$(($(meminfo CommitLimit) - $(meminfo Committed_AS) - 40))
	answers="$(tell a map "$free") without a snapshot,"
	hold "${pids[a]}"
	answers+=" $(tell a map "$free") with one,"
	drop
	answers+=" $(tell a map "$free") after it"
	is "$answers $(harm a)" "ok without a snapshot, ok with one, ok after it " \
		"under strict overcommit the target can map all that it could before"
	echo "$mode" >/proc/sys/vm/overcommit_memory
	if [ "$kbytes" -gt 0 ]; then
		echo "$kbytes" >/proc/sys/vm/overcommit_kbytes
	else
		echo 50 >/proc/sys/vm/overcommit_ratio
	fi
	evict a
}

swapped_out
short_of_memory
strict_overcommit
cmd_ok "the module can be unloaded right away" unload
load "$@"
