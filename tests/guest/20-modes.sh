#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 240 s
#
# Modes stop and live: what is exact, how long the target stands still, and what ends that.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

rounds=$(scaled 5)
files=/var/tmp/20-modes
lifetime=/sys/module/kcoresnap/parameters/lifetime_s

plan 39

ticks()
{
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

# has_used PID TICKS: more than these
has_used()
{
	[ "$(ticks "$1")" -gt "$2" ]
}

# runs_on PID: it got some CPU
runs_on()
{
	local before

	before=$(ticks "$1")
	wait_for 20 has_used "$1" "$before"
}

is_open()
{
	[ -n "$("$KCS" list)" ]
}

# The tool in the background, in the way of its output.
start()
{
	mkfifo fifo
	exec 9<>fifo
	("$KCS" "$@" >fifo 2>err 9>&-; echo $? >status.tool) &
	wait_for 20 is_open || diag "no snapshot is open: $(cat err)"
}

drain()
{
	cat fifo >/dev/null &
	cat=$!
	wait_for 60 test -s status.tool
	# By a signal that bash, about to become it, can't catch.
	kill -KILL "$cat"
	wait "$cat" 2>/dev/null
	status=$(cat status.tool)
	exec 9>&-
	rm -f fifo status.tool
}

# A spinning target.

nice -n 19 "$KCS_TARGETS/lockstep" >target.out &
busy=$!
wait_for 30 grep -qs ^ready target.out || diag "the target did not start"
read -r _ table <target.out

consistent=0
for ((i = 0; i < rounds; i++)); do
	verdict=$("$KCS" --mode stop --max-pause 20s "$busy" 2>err | "$KCS_TARGETS/lockcheck" core - "$table" 2>&1)
	if [[ $verdict =~ ^writes ]]; then
		consistent=$((consistent + 1))
	else
		diag "core $i: $verdict $(cat err)"
	fi
done
is "$consistent" "$rounds" "mode stop: $rounds cores, each of one instant"
kcs_run "$KCS" -v --mode stop --max-pause 20s --filter 1 -o core "$busy"
like "$status $(cat .err)" "^0 [^,]*threads, [^,]*core, [^,]*data, pause [^,]*, [^,]*s(, [0-9]+ threads? inexact)?$" \
	"and nothing of private memory in it is inexact"
rm -f core
cmd_ok "it runs on" runs_on "$busy"

start --mode stop --max-pause 20s "$busy"
before=$(ticks "$busy")
sleep 0.3
is "$(ticks "$busy")" "$before" "it stands still as long as it was not read"
like "$("$KCS" list)" " stop .* open" "which the list shows"
drain
is "$status" 0 "then the core is complete"
cmd_ok "and it runs on" runs_on "$busy"

start -v --mode stop --max-pause 500ms "$busy"
cmd_ok "the bound lets it go, though nobody reads" runs_on "$busy"
drain
like "$status $(cat err)" "^10 .*is complete, but .*--max-pause.* [1-9][0-9.]* [KMG]?i?B inexact.*private" \
	"what was read later is told as inexact, by a code of its own"

start --mode stop --max-pause 20s "$busy"
cmd_ok "a snapshot that holds it is cancelled" "$KCS" cancel "$("$KCS" list | awk 'NR == 2 { print $1 }')"
cmd_ok "which lets it go" runs_on "$busy"
drain
like "$status $(cat err)" "^9 .*was cancelled" "and the tool says so"

start --mode stop --max-pause 20s "$busy"
pkill -KILL -x kcoresnap
cmd_ok "the tool is killed, which lets it go" runs_on "$busy"
drain
is "$(left_behind)" "" "nothing is left of it"

start -v --mode live --max-pause 20s "$busy"
cmd_ok "mode live lets it run while nobody reads" runs_on "$busy"
drain
like "$status $(cat err)" "^0 .* [1-9][0-9.]* [KMG]?i?B inexact" "its core is complete, and inexact"

# The lifetime.

echo 1 >$lifetime
start --mode cow --max-pause 20s "$busy"
drained_dropped()
{
	"$KCS" list | grep -q "dropped: too old"
}
cmd_ok "a snapshot beyond its lifetime is dropped" wait_for 20 drained_dropped
drain
like "$status $(cat err)" "^9 .*grew too old.*lifetime_s" "and the tool says so"
echo 3600 >$lifetime

start --mode stop --max-pause 20s "$busy"
kill -KILL "$busy"
killed=$SECONDS
wait "$busy" 2>/dev/null
num $((SECONDS - killed)) -lt 10 "a target that is held can be killed at once"
drain
like "$status $(cat err)" "^9 .*could no longer be read" "and the tool says what is missing"

# A sleeping one, of all kinds of memory: a core is the same in each mode.

echo 16 >/proc/sys/vm/nr_hugepages
rm -rf "$files"
mkdir "$files"
"$KCS_TARGETS/memory_kinds" "$files" >map &
pid=$!
wait_for 30 grep -q ready map || diag "the target is not ready"
usage()
{
	grep -E '^(VmRSS|RssAnon|RssFile|RssShmem|VmSwap|HugetlbPages)' "/proc/$pid/status"
	grep -E '^(Rss|Anonymous|ShmemPmdMapped)' "/proc/$pid/smaps_rollup"
}
usage >usage.before
"$KCS" --max-pause 20s --filter 7f -o core.cow "$pid"
for mode in stop live; do
	cmd_ok "mode $mode: a core of all kinds of memory" \
		"$KCS" --mode "$mode" --max-pause 20s --filter 7f -o "core.$mode" "$pid"
	cmd_ok "mode $mode: is the same as by cow" python3 "$KCS_TREE/tests/core/compare.py" core.cow "core.$mode"
	usage >usage.after
	is "$(diff usage.before usage.after)" "" "mode $mode: nothing was brought into the target"
	rm -f "core.$mode"
done
kill "$pid"
wait "$pid" 2>/dev/null
rm -rf "$files" core.cow

# What must not be cloned.

# tmpfs has no O_DIRECT before 6.6.
direct=/var/tmp/20-modes.direct
echo >"$direct"
for kind in "odirect $direct" aio io_uring userfaultfd marks mlockall realtime; do
	# shellcheck disable=SC2086 # two words
	target $kind
	if [ -n "$why" ]; then
		skip "mode stop: ${kind%% *}" "$why"
	else
		taken "mode stop: ${kind%% *}" --mode stop
	fi
	forget
done
rm "$direct"
target plain
cmd_ok "a dry run of mode stop" "$KCS" --dry-run --mode stop "$pid"
kcs_run "$KCS" --mode live --max-pause 1us "$pid"
like "$status $(cat .err)" "^5 .*the pause would be about" "mode live keeps to the bound of the pause"
kcs_run sh -c "exec '$KCS' --mode stop \$\$"
like "$status $(cat .err)" "^5 .*asks for itself.*--mode cow" "nobody can stop itself"
kcs_run sh -c "exec '$KCS' --max-pause 20s -o core.self \$\$"
is "$status $(head -c 4 core.self | tail -c 3)" "0 ELF" "but take itself by cow"
forget
is "$(left_behind)" "" "no snapshot is left"

# Forward only.

target used 64
kcs_run "$KCS_TARGETS/snapshot_fd" stream "$pid"
forget
is "$status $(grep -c '^ok' .out) $(grep '^not ok' .out)" "0 8 " "a core that is read forward only"
