#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 300 s
#
# What a process that is asleep notices of being snapshotted: nothing.

. "$KCS_TREE/tests/guest/lib.sh"
plan 13

snapshots=$(scaled 200)

coproc TARGET { exec "$KCS_TARGETS/sleepers"; }
target=$TARGET_PID
IFS= read -r -t 30 -u "${TARGET[0]}" ready
[ "$ready" = ready ] || diag "the target did not start"

# ask FILE: the target's report
ask()
{
	local line

	echo >&"${TARGET[1]}"
	while IFS= read -r -t 30 -u "${TARGET[0]}" line && [ "$line" != end ]; do
		echo "$line"
	done >"$1"
}

# What is counted each time that a thread gets or loses a CPU, of the threads that are blocked for good.
switches()
{
	local name tid

	while read -r name tid _; do
		echo "$name" "$(grep -hE '^(State|.*ctxt_switches)' "/proc/$target/task/$tid/status" | tr -s '\n\t' ' ')"
	done < <(awk '$3 == "blocked"' before)
}

asleep()
{
	! grep -qhv '^State:[[:space:]]*S' <(grep -h ^State "/proc/$target"/task/*/status)
}

status_of()
{
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$target/status"
}

resident()
{
	awk '$1 == "Rss:" { print $2 }' "/proc/$target/smaps_rollup"
}

# The first report touches what reporting needs.
ask before
ask before
wait_for 10 asleep
switches >switches.before
rss=$(status_of VmRSS) shmem=$(status_of RssShmem) resident=$(resident) threads=$(status_of Threads)

taken=0
while [ "$taken" -lt "$snapshots" ]; do
	filter=()
	# Everything there is, shared memory and files too.
	[ $((taken % 10)) -ne 0 ] || filter=(--filter 7f)
	"$KCS" --max-pause 5s "${filter[@]}" "$target" >/dev/null 2>err || { diag "snapshot $taken: $(cat err)"; break; }
	taken=$((taken + 1))
done
is "$taken" "$snapshots" "$snapshots snapshots were taken"

# One more, which stays open until somebody reads.
mkfifo fifo
exec 9<>fifo
"$KCS" --max-pause 5s --filter 7f "$target" >fifo 2>err &
reader=$!
open_snapshots()
{
	"$KCS" list | grep -c sleepers
}
wait_for 20 open_snapshots >/dev/null
open=$(open_snapshots)
ask during
tasks=$(cd "/proc/$target/task" && echo *)
tracer=$(status_of TracerPid) threads_during=$(status_of Threads) pending=$(status_of SigPnd)$(status_of ShdPnd)
cat fifo >/dev/null &
cat=$!
wait "$reader"
status=$?
kill "$cat"
exec 9>&-
is "$open $status" "1 0" "one was open while the target looked around"

# Sleeps that began during the snapshots end.
ended()
{
	ask after
	[ "$(awk '$3 == "timed" && $5 < 1' after)" = "" ]
}
wait_for 20 ended

is "$(awk '$3 == "blocked" && $6 != 0' after)" "" "no call that blocks returned"
is "$(awk '$3 == "timed" && $6 != 0' after)" "" "no call with a timeout was interrupted or ended early"
is "$(awk '$3 == "timed" && $5 < 1' after)" "" "each call with a timeout ended when it should"
is "$(switches)" "$(cat switches.before)" "no thread that is blocked was given a CPU"
is "$(grep -o 'signals [0-9]*' after) $pending" "signals 0 $(printf '%032d' 0)" "no signal was delivered or is pending"
like "$(cat during after)" "children 10 .*children 10 " "wait4 finds no child, during and after"
is "$tracer $threads_during $(wc -w <<<"$tasks")" "0 $threads $threads" "no tracer, and no thread that is not its own"
is "$(resident)" "$resident" "no page came or went in its page tables"
# Before v6.2 a thread's pages are added to it once the thread has had 64 faults: those that a thread touches as it starts may come
# late, and copy-on-write faults count among the 64.
grown=$(($(status_of VmRSS) - rss))
num "$grown" -le $((threads * 4 * 4)) "VmRSS has not grown: $grown kB"
is "$(status_of RssShmem)" "$shmem" "RssShmem is what it was"
is "$(grep -ho 'attached.*' before during after | sort -u | wc -l)" 1 \
	"shared memory has as many blocks and attachments as before, and its file position"
diag "$(grep -h ^main before during after)"
