#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 120 s
#
# A process whose thread gets no CPU, because another process's real-time thread has it; one whose requester keeps a CPU that
# softirqs wait for; and one whose memory is swapped out.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

swap=/var/tmp/55-starved
last=$(($(nproc) - 1))

plan 5

# SCHED_RR where SCHED_FIFO can't be had.
for policy in fifo rr; do
	"$KCS_TARGETS/states" "$policy" >hog.state 2>&1 &
	hog=$!
	wait_for 30 grep -qs -e ^ready -e ^unavailable hog.state || diag "the real-time process did not start"
	! grep -q ^ready hog.state || break
done
enter running
taskset -a -p -c "$last" "$pid" >/dev/null
# Whatever part of the snapshot waits for that CPU too, the pause ends by its bound.
because='was cut off|the pause would be'
wrong=$(good_core --max-pause 1s)$(good_core --max-pause 1s)
because=''
kill -KILL "$(awk '$1 == "ready" { print $2 }' hog.state)"
wait "$hog" 2>/dev/null
verdict "starved by a real-time thread of another process" "$wrong$(left)"

# late NAME PARAMETER...: the requester is away from its CPU for longer than the pause may last
late()
{
	local name=$1 parameters=/sys/module/witness/parameters

	shift
	insmod "$KCS_TREE/tests/witness/witness.ko" linger_us=4000000 "$@" || exit 1
	nice -n 19 "$KCS_TARGETS/unquiet" "$parameters/watch" >target.out &
	target=$!
	wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
	rm -f core
	kcs_run "$KCS" --max-pause 2s -o core "$target"
	is "$status $(one_sentence 'was cut off')$(left_behind)" "5 " "$name"
	kill -KILL "$target"
	wait "$target" 2>/dev/null
	rmmod witness
}

name="let go in time where softirqs wait for a CPU"
if [[ $(uname -v) =~ PREEMPT_RT ]]; then
	skip "$name" "with PREEMPT_RT, timers expire in a thread and wait, too"
else
	late "$name" softirqs_wait=1
fi
late "let go before the clone has begun" at_park=1
cmd_ok "which leaves nothing behind: the module can be unloaded right away" unload
load "$@"

dd if=/dev/zero of="$swap" bs=1M count=32 2>/dev/null
chmod 600 "$swap"
mkswap "$swap" >/dev/null && swapon "$swap"
# The figures of the witness.
figures()
{
	awk '/^100000000-/ { on = 1 } on && ($1 == "Rss:" || $1 == "Swap:") { print $1, $2 } $1 == "VmFlags:" { on = 0 }' \
		"/proc/$pid/smaps" | xargs
}
enter swapped
before=$(figures)
wrong=$([[ $before =~ Swap:\ ([0-9]+) && ${BASH_REMATCH[1]} -ge 64 ]] || echo "was not swapped out: $before. ")
wrong+=$(good_core)$(good_core)
[ "$(figures)" = "$before" ] || wrong+="$before became $(figures). "
verdict "swapped out" "$wrong$(left)"
swapoff "$swap"
rm "$swap"
