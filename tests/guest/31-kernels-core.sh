#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 400 s
#
# Every kind of mapping by each bit of coredump_filter: its program header and content are those of the kernel's own core of the
# same state, and so is everything else, save what tests/core/compare.py lists.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/oracle.sh"

filters="33 0 1 2 4 8 10 20 40 80 100 1ff"
kinds="sparse never-touched no-access guard read-only huge-pages dev-zero dontfork wipeonfork dontdump shared memfd memfd-at-offset
	memfd-private sysv file-clean file-written file-shared deleted-written deleted-shared truncated-written truncated-shared
	elf-file elf-executable elf-at-offset hugetlb hugetlb-shared hugetlb-file swapped swapped-shared
	dontfork-shared dontfork-file dontfork-shared-file dontfork-device dontfork-swapped wipeonfork-swapped merged guard-region sealed sealed-shared growing freed secret
	device vdso vvar vvar_vclock vsyscall"
# Whether they are there is for the kernel to say.
optional="guard-region sealed sealed-shared secret vvar_vclock vsyscall io-uring-rings io-uring-sqes"
files=/var/tmp/31-kernels-core

read -ra filter_list <<<"$filters"
read -ra kind_list <<<"$(xargs <<<"$kinds")"
plan $((${#filter_list[@]} + ${#kind_list[@]} + 14))

echo 16 >/proc/sys/vm/nr_hugepages
rm -rf "$files"
mkdir "$files"
fallocate -l 64M "$files/swap" && chmod 600 "$files/swap" && mkswap "$files/swap" >/dev/null && swapon "$files/swap"
echo 1000 >/sys/kernel/mm/ksm/pages_to_scan
echo 1 >/sys/kernel/mm/ksm/run

program=memory_kinds stood=
# by_filter FILTER MODE [KIND]: what is wrong with a core of $program, or nothing. Of its mappings, that is in kinds.wrong.
by_filter()
{
	local filter=$1 mode=$2 wrong filter_after='' options=(--mode "$2") stood=$stood

	# What fork leaves out and is in swap is private memory that a clone has not.
	if [ "$mode" = cow ] && ((0x$filter & 1)); then
		stood="-x 10"
	fi
	pose "$program" "$files" "${@:3}"
	# Its bits in the process for some of them, in the request for the others.
	case $filter in
	? | 1da) options+=(--filter "$filter") filter_after=$filter ;;
	*) echo "0x$filter" >"/proc/$pid/coredump_filter" ;;
	esac
	# shellcheck disable=SC2086 # words
	wrong=$(both_cores -c 3 $stood -- "${options[@]}")
	[ -n "$wrong" ] || wrong=$(same_cores)
	echo run >>kinds.wrong
	python3 "$KCS_TREE/tests/core/check_kinds.py" core.ours core.kernel posed 2>&1 |
		sed "s/^\([^ ]*: \)/\1filter $filter, mode $mode: /" >>kinds.wrong
	grep -h unavailable posed >>kinds.unavailable
	dismiss
	echo "$wrong"
}

# kind_results KIND...: without another process for each
kind_results()
{
	local -A compared=() lines=() why=()
	local kind line runs=0

	while IFS= read -r line; do
		case $line in
		run) runs=$((runs + 1)) ;;
		*" compared") compared[${line% compared}]=$((${compared[${line% compared}]:-0} + 1)) ;;
		*": "*) lines[${line%%: *}]+=$line$'\n' ;;
		esac
	done <kinds.wrong
	while read -r kind _ _ _ line; do
		why[$kind]=$line
	done <kinds.unavailable

	for kind; do
		if [ -z "${why[$kind]:-}" ]; then
			is "${compared[$kind]:-0} ${lines[$kind]:-}" "$runs " "$kind, by every filter"
		elif [[ " $optional " = *" $kind "* ]]; then
			skip "$kind, by every filter" "${why[$kind]}"
		else
			not_ok "$kind, by every filter" "it can't be had: ${why[$kind]}"
		fi
	done
}

: >kinds.wrong
: >kinds.unavailable
for filter in $filters; do
	is "$(by_filter "$filter" cow)" "" "a core by filter $filter"
done
wrong=
for filter in 33 4 1ff; do
	wrong+=$(by_filter "$filter" stop)$(by_filter "$filter" live)
done
is "$wrong" "" "and without a clone, of what stands still anyway"
# shellcheck disable=SC2086 # words
kind_results $kinds
is "$(grep -v -e ' compared$' -e '^run$' -e "^$(xargs <<<"$kinds" | sed 's/ /: \\|^/g'): " kinds.wrong)" "" "no other kind differs"

program=memory_kinds32
for filter in 33 5 1da; do
	is "$(by_filter "$filter" cow)" "" "a core of a 32-bit program by filter $filter"
done
program=memory_kinds

# of_kind WHAT STATUS FILTER...: cores of a process of that kind alone, which may not be cloned everywhere. STATUS is the tool's.
of_kind()
{
	local what=$1 expected=$2 filter wrong=

	shift 2
	: >kinds.wrong
	: >kinds.unavailable
	for filter; do
		wrong+=$(stood="-x $expected" by_filter "$filter" stop "$what")
	done
	is "$wrong" "" "cores of a process with $what, by mode stop"
}

# shellcheck disable=SC2086 # words
of_kind uffd 0 $filters
kind_results uffd-missing
# shellcheck disable=SC2086 # words
of_kind io-uring 0 $filters
kind_results io-uring-rings io-uring-sqes
# What the memory has lost, both have as zeros, and ours is called incomplete.
of_kind poisoned 9 33 1 1ff
kind_results poisoned
like "$(cat stood.err)" "4.0 KiB of memory could no longer be read" "what is lost is said"

swapoff "$files/swap"
echo 2 >/sys/kernel/mm/ksm/run
rm -rf "$files"
is "$("$KCS" list)" "" "no snapshot is left"
