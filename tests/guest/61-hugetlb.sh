#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 300 s
#
# A process with huge pages (hugetlb), of which the system has none to spare, writes to them while a snapshot is open, and after:
# it gets no SIGBUS, and the core has what it held, as far as that is promised.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

plan 16

free_huge_pages()
{
	awk '$1 == "HugePages_Free:" { print $2 }' /proc/meminfo
}

# exercise KIND MIB EXACT INEXACT: of which the core has EXACT MiB as of the instant
exercise()
{
	local kind=$1 mib=$2 exact=$3 inexact=$4 start answers wrong want

	echo $((mib / 2)) >/proc/sys/vm/nr_hugepages
	tenant a - "$kind" "$mib"
	# Private anonymous memory and huge pages, so that no other bytes are inexact.
	echo 0x61 >"/proc/${pids[a]}/coredump_filter"
	answers="$(free_huge_pages) free:"
	safe -
	hold "${pids[a]}"
	answers+=" $(tell a rewrite) $(tell a check)"
	cat "$held" >core
	answers+=" $(tell a rewrite)"
	"$KCS" list >snapshots
	drop
	answers+=" $(tell a rewrite)"
	wrong=$(harm a)
	is "$answers $wrong$why" "0 free: ok ok ok ok " "$mib MiB of $kind: all can be written to, and no SIGBUS"

	start=$(cut -d' ' -f2 a.map)
	# A page in each 256 KiB, up to the last one.
	for ((at = 256; at <= exact << 10; at += 256)); do
		printf 'exact %#x %#x filled\n' $((start + (at - 4) * 1024)) 4096
	done >exact.map
	if [ "$exact" -gt 0 ]; then
		cmd_ok "the core has $exact MiB of it as of the instant" python3 "$KCS_TREE/tests/core/check_memory.py" core exact.map
	fi
	is "$(awk 'NR == 2 { print $13, $14, "inexact,", $15, $16, "lost" }' snapshots)" \
		"$inexact inexact, 0 B lost" "and counts the rest"
	# Shared memory is read live by definition, private memory is not.
	want=0
	[ "$kind" != hugetlb-noreserve ] || want=10
	cmd_fails "$want" "which the tool's exit code tells where it is private ($kind)" \
		"$KCS" --max-pause 20s -o core.tool "${pids[a]}"
	rm -f core.tool
	evict a
}

exercise hugetlb 8 8 '0 B'
exercise hugetlb-noreserve 24 16 '8.0 MiB'
exercise hugetlb-inherited 8 8 '0 B'
exercise hugetlb-shared 8 0 '8.0 MiB'
echo 0 >/proc/sys/vm/nr_hugepages
cmd_ok "the module can be unloaded right away" unload
load "$@"
