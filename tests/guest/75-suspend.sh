#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# The machine freezes its processes and suspends its devices, and goes on at once (/sys/power/pm_test), in a loop while snapshots
# are taken in a loop, and at every level while one is open.
. "$KCS_TREE/tests/guest/lib.sh"

power=/sys/power
[ -w "$power/pm_test" ] || skip_all "this kernel can't test a suspend (CONFIG_PM_SLEEP_DEBUG, CONFIG_SUSPEND)"
plan 9

snapshots=$(scaled 12)
# Nothing but the change there and back.
echo 0 >/sys/module/suspend/parameters/pm_test_delay

nice -n 19 "$KCS_TARGETS/lockstep" >target.out &
target=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
read -r _ table <target.out

# suspends: until the file "enough" is there; prints how many were done and how many were not, for being busy
suspends()
{
	local done=0 busy=0 err

	while [ ! -e enough ]; do
		for level in freezer devices; do
			echo "$level" >"$power/pm_test"
			if err=$({ echo freeze >"$power/state"; } 2>&1); then
				done=$((done + 1))
			elif [[ $err =~ busy ]]; then
				busy=$((busy + 1))
			else
				echo "$err"
			fi
		done
	done
	echo "$done $busy"
}
suspends >suspends.out 2>&1 &
suspender=$!

taken=0 refused=0
for ((i = 0; i < snapshots; i++)); do
	if "$KCS" --max-pause 20s "$target" >core 2>err; then
		if verdict=$("$KCS_TARGETS/lockcheck" core core "$table" 2>&1); then
			taken=$((taken + 1))
		else
			diag "core $i: $verdict"
		fi
	elif [ "$(wc -l <err)" -eq 1 ]; then
		refused=$((refused + 1))
		diag "$(cat err)"
	fi
done
touch enough
wait "$suspender"
read -r suspended busy < <(tail -n 1 suspends.out)
is "$((taken + refused))" "$snapshots" "$snapshots snapshots while the machine suspends: each of one instant, or refused"
num "$taken" -ge 1 "some are taken: $taken"
num "$suspended" -ge 1 "the machine suspended $suspended times, and was busy $busy times"
is "$(head -n -1 suspends.out)" "" "no suspend failed otherwise"
tally suspends "$suspended"

mkfifo fifo
exec 9<>fifo
"$KCS" --max-pause 20s "$target" >fifo 2>err 9>&- &
tool=$!
is_open()
{
	[ -n "$("$KCS" list)" ]
}
wait_for 20 is_open || diag "no snapshot is open"
failed=''
for state in freeze mem; do
	for level in freezer devices platform processors core; do
		# Suspended to idle, the CPUs stay.
		[ "$state:$level" != freeze:processors ] || break
		echo "$level" >"$power/pm_test"
		echo "$state" >"$power/state" || failed+="$state/$level "
	done
done
echo none >"$power/pm_test"
is "$failed" "" "a suspend at every level while a snapshot is open"
cmd_ok "it is still open" is_open
exec 8<fifo 9>&-
cat <&8 >core &
cat=$!
exec 8<&-
wait "$tool"
is $? 0 "it is read to its end"
wait "$cat"
cmd_ok "and is of one instant" "$KCS_TARGETS/lockcheck" core core "$table"
kill "$target"
cmd_ok "the module can be unloaded right away" unload
load "$@"
