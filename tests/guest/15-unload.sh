#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 120 s
#
# The module goes as soon as nothing is open, whatever was snapshotted, and not before.

# shellcheck disable=SC2119 # the module is loaded without parameters
. "$KCS_TREE/tests/guest/lib.sh"
plan 9

rounds=$(scaled 4)

# With more memory than a pipe takes that nobody reads.
"$KCS_TARGETS/threads" 32 0 4 >target.out &
sleeping=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"

# all_are STATE PID: all threads
all_are()
{
	[ "$(grep -h ^State "/proc/$2"/task/*/status | awk '{ print $2 }' | sort -u)" = "$1" ]
}

alive()
{
	[ "$(awk '$1 == "Threads:" { print $2 }' "/proc/$1/status")" -eq 32 ] && all_are S "$1"
}

# A thread that is stopped and continued does what was queued for it, were that anything.
wake_each_thread()
{
	kill -STOP "$1"
	wait_for 10 all_are T "$1" || return 1
	kill -CONT "$1"
}

# snapshot_and UNLOAD PID: each round with a module that was just loaded
snapshot_and()
{
	local round

	for ((round = 0; round < rounds; round++)); do
		if ! "$KCS" --max-pause 5s "$2" >core 2>err || ! "$1" 2>>err; then
			diag "round $round: $(cat err)"
			return 1
		fi
		wake_each_thread "$2" && load || return 1
	done
}

# A thread that was parked may still be on its way out of the module.
unload_soon()
{
	wait_for 10 unload 2>unload.err || { cat unload.err >&2; return 1; }
}

# The threads had work queued by the snapshot, and wake up only when there is nothing left of the module that queued it.
cmd_ok "rmmod right after a snapshot of sleeping threads, $rounds times" snapshot_and unload "$sleeping"
loaded || load
wait_for 10 all_are S "$sleeping"
cmd_ok "the sleeping target lives on, and sleeps" alive "$sleeping"

nice -n 19 "$KCS_TARGETS/lockstep" storm >lockstep.out &
busy=$!
wait_for 30 grep -qs ^ready lockstep.out || diag "the busy target did not start"
read -r _ table <lockstep.out
cmd_ok "rmmod soon after a snapshot of busy threads, $rounds times" snapshot_and unload_soon "$busy"
loaded || load
cmd_ok "the busy target's last core is of one instant" "$KCS_TARGETS/lockcheck" core core "$table"
kill "$busy"

mkfifo fifo
exec 9<>fifo
"$KCS" --max-pause 5s "$sleeping" >fifo 2>err 9>&- &
reader=$!
is_open()
{
	[ -n "$("$KCS" list)" ]
}
wait_for 20 is_open
cmd_fails 1 "rmmod while a snapshot is open" unload
like "$(cat .err)" "in use" "says that it is in use"
cat fifo >/dev/null &
cat=$!
wait "$reader"
status=$?
cmd_ok "rmmod once it is closed, with status $status" unload
kill "$cat"
exec 9>&-
cmd_ok "load again" load
cmd_ok "the target can be snapshotted again" "$KCS" --max-pause 5s -o core.again "$sleeping"
