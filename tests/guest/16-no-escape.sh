#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 180 s
#
# From the moment when all is parked until just before the release nothing in the target's memory changes, while threads,
# vfork children and processes that share the memory are born, write and end all the time.

. "$KCS_TREE/tests/guest/lib.sh"
plan 7

snapshots=$(scaled 50)
controls=40
parameters=/sys/module/witness/parameters

insmod "$KCS_TREE/tests/witness/witness.ko" || exit 1
nice -n 19 "$KCS_TARGETS/unquiet" "$parameters/watch" >target.out &
target=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"

forks()
{
	awk '$1 == "processes" { print $2 }' /proc/stat
}

# In a guest the other CPUs may be away for most of the time.
echo "$controls" >"$parameters/control"
control=$(cat "$parameters/control_unequal")
num "$control" -gt 0 "while nothing is parked, its memory changes: $control times of $controls"

modes=(cow stop)
taken=0 forks_before=$(forks)
while [ "$taken" -lt "$snapshots" ]; do
	mode=${modes[taken % 2]} status=0
	"$KCS" --mode "$mode" --max-pause 20s "$target" >/dev/null 2>err || status=$?
	# A stack that a system call under way unmaps is lost to the reader, who says so: without a clone there is no copy of it.
	if [ "$status" -ne 0 ] && [ "$mode $status" != "stop 9" ]; then
		diag "snapshot $taken, mode $mode, status $status: $(cat err)"
		break
	fi
	taken=$((taken + 1))
done
born=$(($(forks) - forks_before))
is "$taken" "$snapshots" "$snapshots snapshots were taken"
is "$(cat "$parameters/unequal")" 0 "none of them saw the memory change between park and release"
is "$(cat "$parameters/at_large")" 0 "and none left a task that uses the memory at large"
is "$(cat "$parameters/equal") $(cat "$parameters/cut_off")" "$taken 0" "each of them was looked at"
# Now and then it had no CPU in between.
num "$(cat "$parameters/changed")" -ge $((taken * 9 / 10)) "the target wrote between them"
# Of these, at most three each time are this script's.
num "$born" -gt $((10 * snapshots)) "threads and processes were born meanwhile"
diag "$born were born"
tally checks-for-escapes "$(cat "$parameters/equal")"
kill -KILL "$target"
wait "$target" 2>/dev/null
rmmod witness
