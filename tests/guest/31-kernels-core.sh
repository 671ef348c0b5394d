#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# A stopped process: its core by us and then, when it takes SIGABRT, by the kernel. Headers, notes and every byte agree, save
# what tests/core/compare.py lists.
. "$KCS_TREE/tests/guest/lib.sh"

# FILTER:PROGRAM
runs="33:memory_kinds 7f:memory_kinds 10:memory_kinds 0:memory_kinds 33:memory_kinds32 7f:memory_kinds32"
files=/var/tmp/31-kernels-core

plan 20

ulimit -c unlimited
# Where it is registered, the kernel writes to it whenever a thread changes its CPU.
export GLIBC_TUNABLES=glibc.pthread.rseq=0
echo "$KCS_TMP/core.kernel" >/proc/sys/kernel/core_pattern
echo 0 >/proc/sys/kernel/core_uses_pid
echo 16 >/proc/sys/vm/nr_hugepages
rm -rf "$files"
mkdir "$files"

all_stopped()
{
	! grep -hv ') T ' "/proc/$1"/task/*/stat | grep -q .
}

for run in $runs; do
	filter=${run%:*}
	program=${run#*:}
	"$KCS_TARGETS/$program" "$files" >map &
	pid=$!
	wait_for 30 grep -q ready map || diag "the target is not ready"
	# Its bits in the process for half of them, in the request for the others.
	option=
	case $filter in
	7f | 10) option="--filter $filter" ;;
	*) echo "0x$filter" >"/proc/$pid/coredump_filter" ;;
	esac
	kill -STOP "$pid"
	wait_for 10 all_stopped "$pid" || diag "the target does not stop"
	rm -f core.*
	# shellcheck disable=SC2086 # two words
	cmd_ok "a core of $program by filter $filter" "$KCS" --max-pause 20s $option -o core.ours "$pid"
	is "$(cat "/proc/$pid"/task/*/stat | sed 's/.*) \(.\).*/\1/' | sort | uniq -c | xargs)" "3 T" \
		"its threads are stopped as before ($program, filter $filter)"
	echo "0x$filter" >"/proc/$pid/coredump_filter"
	kill -ABRT "$pid"
	kill -CONT "$pid"
	wait "$pid" 2>/dev/null
	cmd_ok "is the kernel's own ($program, filter $filter)" python3 "$KCS_TREE/tests/core/compare.py" core.ours core.kernel
	[ "$run" != 33:memory_kinds ] || cp map map.33
done
is "$(grep -c unavailable map.33)" 0 "with every kind of mapping, hugetlb too"
is "$("$KCS" list)" "" "no snapshot is left"
rm -rf "$files"
