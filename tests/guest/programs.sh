# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of lib.sh
#
# For tests that run real programs. Sourced after lib.sh.
#
#   harass NAME PGREP-ARGUMENT...	snapshot the processes that pgrep finds, one at a time, the oldest every other time, until
#				harass_end; those that are taken are counted
#   harass_end			end it
#   snapshots_of NAME		how many were taken of what has that name
#
# What a short-lived process ends before its snapshot is begun is no failure, and is not counted.

harassers=()
RANDOM=${KCS_SEED:-1}

harass()
{
	local name=$1 pids turn=0

	shift
	: >"taken.$name"
	(
		while :; do
			mapfile -t pids < <(pgrep "$@")
			if [ ${#pids[@]} -eq 0 ]; then
				sleep 0.05
				continue
			fi
			# Those that live on are what is sure to be there.
			pid=$(pgrep -o "$@")
			[ $((turn++ % 2)) -eq 0 ] || pid=${pids[RANDOM % ${#pids[@]}]}
			if "$KCS" --max-pause 20s "$pid" >/dev/null 2>"refused.$name"; then
				echo >>"taken.$name"
			fi
		done
	) &
	harassers+=($!)
}

harass_end()
{
	kill "${harassers[@]}"
	wait "${harassers[@]}" 2>/dev/null
	harassers=()
}

snapshots_of()
{
	wc -l <"taken.$1"
}
