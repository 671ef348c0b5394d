#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

# named TEMPLATE NAME: a core with this template gets this name.
named() {
	fake -o "out/$1" "$target"
	succeeds
	[ "$(ls -A out)" = "$2" ] || {
		ls -A out
		return 1
	}
	cmp core "out/$2"
	rm "out/$2"
}

@test "specifiers of core(5)" {
	local exe
	exe=$(readlink -f "/proc/$target/exe")
	named core.%p "core.$target"
	named %P-%i-%I "$target-$target-$target"
	named %u.%g "$(id -u).$(id -g)"
	named sig%s sig0
	named %h "$(uname -n)"
	named %e sleep
	named %f "${exe##*/}"
	named %E "${exe//\//!}"
	named %% %
	named %c "$(prlimit --pid "$target" --core --output=SOFT --raw \
		--noheadings | sed 's/unlimited/18446744073709551615/')"
	named %d 1
}

@test "the time and the CPU" {
	local from to name
	from=$(date +%s)
	fake -o "out/%t" "$target"
	to=$(date +%s)
	name=$(ls -A out)
	[ "$name" -ge "$from" ]
	[ "$name" -le "$to" ]
	rm "out/$name"
	fake -o "out/%C" "$target"
	name=$(ls -A out)
	[ "$name" -lt "$(nproc --all)" ]
}

@test "a thread, and the process it is of" {
	python3 -c '
import threading, time
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
open("ready", "w").close()
time.sleep(1000)' 3>&- &
	local pid=$! tid
	until [ -e ready ]; do sleep 0.05; done
	tid=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		grep -vx "$pid")
	fake -o out/%p.%i "$tid"
	kill "$pid"
	succeeds
	[ -e "out/$pid.$tid" ]
}

@test "pids in a namespace of its own" {
	[ "$(id -u)" -eq 0 ] || skip "a pid namespace takes root"
	unshare --pid --uts --fork sh -c 'hostname inner; exec sleep 1000' 3>&- &
	local outer=$! pid
	until pid=$(cat "/proc/$outer/task/$outer/children") &&
		grep -qs sleep "/proc/${pid% }/comm"; do sleep 0.05; done
	fake -o out/%p.%P.%h "${pid% }"
	kill -KILL "${pid% }"
	succeeds
	[ -e "out/1.${pid% }.inner" ]
}

@test "a name from the process leads nowhere else" {
	bash -c 'echo -n ../../x >/proc/$$/comm; sleep 1000 & wait' 3>&- &
	local pid=$!
	until grep -qx ../../x "/proc/$pid/comm"; do sleep 0.05; done
	fake -o out/%e "$pid"
	pkill -P "$pid"
	succeeds
	[ -e 'out/..!..!x' ]
}

@test "a directory gives core.NAME.PID" {
	fake -o out/ "$target"
	succeeds
	cmp core "out/core.sleep.$target"
	fake -z -o out/ "$target"
	succeeds
	[ -e "out/core.sleep.$target.zst" ]
	fake -z -o "out/name" "$target"
	[ -e out/name ]
}

@test "a specifier in the directory" {
	mkdir out/sleep
	fake -o out/%e/core "$target"
	succeeds
	cmp core out/sleep/core
	fake -o out/%p/core "$target"
	fails 8 "create the directory first"
}

@test "what is no specifier is refused" {
	local name
	for name in core.% %z core.%F "% p"; do
		fake -o "out/$name" "$target"
		fails 2 "in which '%' begins a specifier of core(5), not 'out/$name'"
	done
	empty out
}

@test "several processes get names of their own, or none a core" {
	sleep 1000 3>&- &
	local other=$!
	fake -o out/core "$target" "$other"
	fails 2 "can't have the same name: use -o DIR/, or %p in the name"
	fake -o out/%e.%t "$target" "$other"
	fails 2 "can't have the same name"
	empty out
	fake -o out/ "$target" "$other"
	succeeds
	cmp core "out/core.sleep.$target"
	cmp core "out/core.sleep.$other"
	fake -o out/%p "$target" "$other"
	succeeds
	cmp core "out/$target"
	cmp core "out/$other"
	kill "$other"
}
