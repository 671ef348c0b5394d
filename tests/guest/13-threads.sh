#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 90 s
#
# Many threads: each is in the core, once, and still there afterwards.

. "$KCS_TREE/tests/guest/lib.sh"
plan 6

threads_of()
{
	find "/proc/$1/task" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort -n
}

for count in 64 1000; do
	nice -n 19 "$KCS_TARGETS/threads" $((count - 4)) 4 >target.out &
	target=$!
	wait_for 60 grep -qs ^ready target.out || diag "the target did not start"
	threads_of "$target" >threads
	# The bound is for machines whose CPUs are emulated and shared.
	cmd_ok "a snapshot of $count threads" "$KCS" --max-pause 10s -o "core.$count" -v "$target"
	diag "$(cat .err)"
	"$KCS_TARGETS/corethreads" "core.$count" | sort -n >in-core
	is "$(wc -l <in-core) $(diff threads in-core)" "$count " "the core has the registers of each of $count threads"
	is "$(threads_of "$target" | diff threads - | head)" "" "the $count threads live on"
	kill -KILL "$target"
	# Of the next one, nothing may say that it is ready already.
	rm "core.$count" target.out
done
