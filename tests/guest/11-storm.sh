#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 180 s
#
# One instant, while threads, processes that share the memory and forks are born all the time. None of them gets to write
# between the first and the last byte.

. "$KCS_TREE/tests/guest/lib.sh"
plan 4

snapshots=$(scaled 50)

nice -n 19 "$KCS_TARGETS/lockstep" storm >target.out &
target=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
read -r _ table <target.out

forks()
{
	awk '$1 == "processes" { print $2 }' /proc/stat
}

taken=0 consistent=0 registers=0
forks_before=$(forks)
while [ "$taken" -lt "$snapshots" ]; do
	verdict=$("$KCS" --max-pause 5s "$target" 2>err | "$KCS_TARGETS/lockcheck" core - "$table" 2>&1
		exit "${PIPESTATUS[0]}") || { diag "snapshot $taken: $(cat err)"; break; }
	taken=$((taken + 1))
	if [[ $verdict =~ ^writes ]]; then
		consistent=$((consistent + 1))
		registers=$((registers + ${verdict##* }))
	elif [ $((taken - consistent)) -le 3 ]; then
		diag "core $taken: $verdict"
	fi
done
born=$(($(forks) - forks_before))
is "$taken" "$snapshots" "$snapshots snapshots were taken"
is "$consistent" "$taken" "each is of one instant"
num "$registers" -ge "$taken" "the registers of the writer that lives on were checked each time"
# Of these, at most four each time are this script's.
num "$born" -gt $((10 * snapshots)) "threads and processes were born meanwhile"
diag "$born were born"
