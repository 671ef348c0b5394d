#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 300 s
#
# One instant: what threads keep in step, in memory on many pages and in registers, is in step in each core.

. "$KCS_TREE/tests/guest/lib.sh"
plan 6

snapshots=$(scaled 100)

# Nice, so that what takes and checks the cores need not wait for a CPU.
nice -n 19 "$KCS_TARGETS/lockstep" >target.out &
target=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
read -r _ table <target.out

# Reading the memory of the running process is what the check must not let pass.
sweeps=$("$KCS_TARGETS/lockcheck" sweep "$target" "$table" 20)
like "$sweeps" '^sweeps [0-9]+ cells [1-9]' "a sweep of /proc/PID/mem tears the writers' cells: $sweeps"
like "$sweeps" 'chain [1-9]' "a sweep of /proc/PID/mem tears the chain: $sweeps"

taken=0 consistent=0 registers=0 first_writes=0 writes=0
while [ "$taken" -lt "$snapshots" ]; do
	verdict=$("$KCS" --max-pause 5s "$target" 2>err | "$KCS_TARGETS/lockcheck" core - "$table" 2>&1
		exit "${PIPESTATUS[0]}") || { diag "snapshot $taken: $(cat err)"; break; }
	taken=$((taken + 1))
	if [[ $verdict =~ ^writes ]]; then
		consistent=$((consistent + 1))
		read -r _ writes _ threads <<<"$verdict"
		[ "$taken" -gt 1 ] || first_writes=$writes
		registers=$((registers + threads))
	elif [ $((taken - consistent)) -le 3 ]; then
		diag "core $taken: $verdict"
	fi
done
is "$taken" "$snapshots" "$snapshots snapshots were taken"
is "$consistent" "$taken" "each is of one instant"
num "$registers" -ge $((taken * ($(nproc) + 2))) "the registers of each writer were checked each time"
num "$writes" -gt "$first_writes" "the writers went on: $((writes - first_writes)) stores meanwhile"
