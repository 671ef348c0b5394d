#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By name only: it belongs to 98-baseline.
# Soak: yes
# Time limit: 60 s
#
# What of the kernel's memory is in use before the other tests, for 98-baseline.sh. What is allocated at first use and then kept
# is there already.

. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/baseline.sh"
plan 1

"$KCS_TARGETS/threads" 16 0 4 >target.out &
target=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
for ((i = 0; i < 20; i++)); do
	"$KCS" --max-pause 20s "$target" >core || break
done
kill -KILL "$target"
wait "$target" 2>/dev/null
rm core
is "$i" 20 "20 snapshots were taken"
memory_in_use >"$baseline"
snapshots_in_log >"$baseline.snapshots"
