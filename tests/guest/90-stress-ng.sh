#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By name only: it takes as long as a third of the other tests.
# Soak: yes
# Time limit: 180 s
#
# What stress-ng checks about its own work stays right while its processes are snapshotted in a loop.

. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/programs.sh"

seconds=$((3 * ${KCS_SCALE:-1}))
declare -A stressors=(
	[memory]="--vm 1 --vm-bytes 16M --mmap 1 --mmap-bytes 8M"
	[futexes]="--futex 1"
	[pipes]="--pipe 1"
	[timers]="--timer 1 --timer-freq 1000 --timerfd 1 --timerfd-freq 1000 --nanosleep 1"
	[sockets]="--sock 1 --sockpair 1 --udp 1"
	[forks]="--fork 1 --vfork 1 --clone 1 --clone-max 16"
	[threads]="--pthread 1 --pthread-max 16"
	[ipc]="--sem 1 --sem-sysv 1 --shm 1 --shm-sysv 1 --mq 1"
)
plan $((2 * ${#stressors[@]}))

for name in "${!stressors[@]}"; do
	# Nice, so that what takes the snapshots need not wait for a CPU. A session, so that its processes can be told from others.
	# shellcheck disable=SC2086 # options
	nice -n 19 setsid stress-ng --verify --timeout "${seconds}s" --temp-path "$KCS_TMP" ${stressors[$name]} >out 2>&1 &
	program=$!
	harass "$name" -s "$program"
	wait "$program"
	status=$?
	harass_end
	if [ "$status" -eq 0 ] && ! grep -qi 'fail:' out; then
		ok "stress-ng finds nothing wrong: $name"
	else
		not_ok "stress-ng finds nothing wrong: $name" "status $status" "$(tail -n 15 out)"
	fi
	taken=$(snapshots_of "$name")
	num "$taken" -gt 0 "snapshots were taken meanwhile: $name" || diag "$(cat "refused.$name")"
	diag "$name: $taken snapshots"
done
