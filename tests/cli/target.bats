#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

# absent NAME: the request had no such attribute.
absent() {
	[ "$(grep -cE "^$(attr "$1")(=|\$)" log)" -eq 0 ]
}

start_time() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20
}

@test "no such process" {
	cli "$(cat /proc/sys/kernel/pid_max)"
	fails 3 "there is no process"
	fake "$(cat /proc/sys/kernel/pid_max)"
	fails 3 "there is no process"
}

@test "a process that is gone" {
	kill "$target"
	wait "$target" || true
	cli "$target"
	fails 3 "there is no process $target"
}

@test "the request names pid and start time" {
	stdout=out/core fake "$target"
	succeeds
	grep -qx "$(attr PID)=$target" log
	grep -qx "$(attr START_TIME)=$(start_time "$target")" log
	absent FILTER
	absent MAX_PAUSE_US
	absent DRY_RUN
}

@test "a name with blanks and parentheses does not shift the start time" {
	ln -s "$(command -v sleep)" "x) S 1 (y"
	"./x) S 1 (y" 1000 3>&- &
	local pid=$! ticks
	until grep -q "x) S 1" "/proc/$pid/stat"; do sleep 0.05; done
	ticks=$(start_time "$pid")
	stdout=out/core fake "$pid"
	kill "$pid"
	succeeds
	grep -qx "$(attr START_TIME)=$ticks" log
}

@test "for a thread, the start time is the leader's" {
	python3 -c '
import os, sys, threading, time
time.sleep(0.1)
done = threading.Event()
def name_it():
    with open("tid", "w") as f:
        print(threading.get_native_id(), file=f)
    done.wait()
threading.Thread(target=name_it, daemon=True).start()
time.sleep(1000)' 3>&- &
	local pid=$!
	until [ -s tid ]; do sleep 0.05; done
	local leader
	leader=$(start_time "$pid")
	[ "$leader" != "$(start_time "$(cat tid)")" ]
	stdout=out/core fake "$(cat tid)"
	kill "$pid"
	succeeds
	grep -qx "$(attr PID)=$(cat tid)" log
	grep -qx "$(attr START_TIME)=$leader" log
}

@test "options reach the module" {
	stdout=out/core fake --mode cow --max-pause 1.5ms --filter 0x1f3 \
		--allow realtime,mlocked "$target"
	succeeds
	grep -qx "$(attr MODE)=1" log
	grep -qx "$(attr MAX_PAUSE_US)=1500" log
	grep -qx "$(attr FILTER)=499" log
	grep -qx "$(attr ALLOW)=3" log
}

@test "an empty filter is passed on" {
	stdout=out/core fake --filter 0 "$target"
	succeeds
	grep -qx "$(attr FILTER)=0" log
}

# filter_of VALUE: what is passed on for it.
filter_of() {
	rm -f log
	stdout=/dev/null fake --filter "$1" "$target"
	succeeds
	sed -n "s/^$(attr FILTER)=//p" log
}

@test "a filter by names, and one about the process's own" {
	echo 0x23 >"/proc/$target/coredump_filter"
	[ "$(filter_of anon,elf-headers)" -eq 17 ]
	[ "$(filter_of +file)" -eq $((0x27)) ]
	[ "$(filter_of -anon-shared,+elf-headers)" -eq $((0x31)) ]
	[ "$(filter_of all)" -eq $((0x1ff)) ]
}

@test "several processes need names of their own" {
	fake "$target" $$
	fails 2 "can't have the same name"
	[ ! -e log ]
}

@test "a process that is given twice" {
	fake -o out/ "$target" $$ "$target"
	fails 2 "process $target is given twice"
	empty out
	[ ! -e log ]
}

@test "one process that is gone does not hide the others" {
	fake --dry-run "$(cat /proc/sys/kernel/pid_max)" "$target"
	fails 3 "there is no process"
	grep -qE "^process +$target \(sleep\)$" stdout
	grep -qE '^verdict +would be taken$' stdout
}

@test "no such container" {
	fake --container no-such-container-here
	fails 3 "no container here has an ID or a name that begins with 'no-such-container-here'"
	[ ! -e log ]
}

# inside: run a shell that sleeps as process 1 of a pid namespace, and its child. Some unshare(1) have both ignore SIGTERM.
inside() {
	[ "$(id -u)" -eq 0 ] || skip "a pid namespace takes root"
	unshare --pid --fork sh -c 'sleep 1000 & echo $! >child; wait' 3>&- &
	unshare=$!
	until [ -s child ] && first=$(pgrep -P "$unshare") && [ "$first" ]; do
		kill -0 "$unshare"
		sleep 0.05
	done
}

@test "a pid as seen inside another pid namespace" {
	inside
	local second
	second=$(pgrep -P "$first")
	fake --dry-run --ns "$second" 1 "$(cat child)"
	kill -KILL "$second"
	succeeds
	grep -qE "^process +$first " stdout
	grep -qE "^process +$second \(sleep\)$" stdout
}

@test "the same pid in two pid namespaces is no name" {
	inside
	local one=$first outer=$unshare
	rm child
	inside
	fake -o out/ "$one" "$first"
	[ "$status" -eq 2 ]
	grep -qF "the cores of processes $one and $first would both be 'out/core.sh.1': use %P" stderr
	empty out
	[ ! -e log ]
	stdout=/dev/null fake -o out/core.%P "$one" "$first"
	kill -KILL "$(pgrep -P "$one")" "$(pgrep -P "$first")"
	wait "$outer" "$unshare" || true
	[ -e "out/core.$one" ]
	[ -e "out/core.$first" ]
}

@test "no such pid inside" {
	inside
	fake --dry-run --ns "$first" 77
	kill -KILL "$(pgrep -P "$first")"
	fails 3 "there is no process 77 in the pid namespace of process $first"
	fake --dry-run --ns "$(cat /proc/sys/kernel/pid_max)" 1
	fails 3 "whose pid namespace could be meant"
}

@test "several processes get a core each, and one that fails keeps no other from it" {
	fake -o out/core.%p "$target" "$(cat /proc/sys/kernel/pid_max)" $$
	fails 3 "there is no process"
	cmp core "out/core.$target"
	cmp core "out/core.$$"
	FAKE_LOST=4096 fake -o out/ "$(cat /proc/sys/kernel/pid_max)" "$target"
	[ "$status" -eq 3 ]
	[ "$(wc -l <stderr)" -eq 2 ]
	[ -e "out/core.sleep.$target.incomplete" ]
	FAKE_LOST=4096 fake --force -o out/ "$target" "$(cat /proc/sys/kernel/pid_max)"
	[ "$status" -eq 9 ]
}
