#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The note in which a core says how it was taken: what it tells is so, and readers of cores pass it over.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

plan 21

# shown NAME: what the last "show" says of it
shown()
{
	sed -n "s/^$1  *//p" shown
}

# shown_threads: TID INSIDE STATE NAME
shown_threads()
{
	awk 'past { print $1, $2, $3, $4 } /^ *TID/ { past = 1 }' shown | sort -n
}

# threads_of PID: the same, as /proc has it
threads_of()
{
	local dir

	for dir in "/proc/$1/task"/*; do
		echo "${dir##*/}" "$(awk '$1 == "NSpid:" { print $NF }' "$dir/status")" \
			"$(sed 's/.*) \(.\).*/\1/' "$dir/stat")" "$(<"$dir/comm")"
	done | sort -n
}

enter plain
# Threads with names of their own, one of which sleeps.
kill -STOP "$pid"
in_state T >&2
threads=$(threads_of "$pid" | wc -l)
for mode in cow stop live; do
	before=$(date -u +%s)
	# shellcheck disable=SC2016 # for the inner shell
	cmd_ok "a core by mode $mode" sh -c 'echo $$ >requester; exec "$@"' - "$KCS" -v --mode "$mode" --max-pause 20s --filter 33 -o "core.$mode" "$pid"
	after=$(date -u +%s)
	cmd_ok "shows how it was taken" "$KCS" show "core.$mode"
	cp .out shown
	is "$(shown process) $(shown inside) $(shown mode) $(shown filter) $(shown kernel)" \
		"$pid ($(<"/proc/$pid/comm")) $pid in its own pid namespace $mode 0x33 $(uname -r)" "of what and by what (mode $mode)"
	taken=$(date -u -d "$(shown taken)" +%s)
	wrong=''
	[ "$taken" -ge "$before" ] && [ "$taken" -le "$after" ] || wrong="$before $(shown taken) $after"
	is "$wrong" "" "and when (mode $mode)"
	is "$(shown_threads | diff - <(threads_of "$pid"))" "" "and each of $threads threads by its name and state (mode $mode)"
done
is "$("$KCS" show --json core.stop | jq -r "[.mode, (.threads | length), .exit_code] | @text")" "[\"stop\",$threads,0]" "as JSON too"
is "$(shown requester)" "pid $(<requester), uid 0" "it says who asked"
kill -CONT "$pid"
# Its parent was told that it stopped and that it went on.
is "$(left 2)" "" "the process goes on"

# Readers: what they say of the other notes and the threads is not changed by it. 30-gdb compares them with the kernel's core.

file core.cow >file.out 2>&1
lldb --batch --core core.cow -o "thread list" "$states" >lldb.out 2>&1 </dev/null
is "$(grep -c 'core file.*x86-64' file.out) $(grep -c '^[* ]*thread #' lldb.out)" "1 $threads" "file and lldb read the core" ||
	cat file.out lldb.out >&2
readelf -n core.cow >readelf.out 2>&1
eu-readelf -n core.cow >eu-readelf.out 2>&1
is "$(grep -c KCORESNAP readelf.out) $(grep -c KCORESNAP eu-readelf.out)" "1 1" "readelf and eu-readelf name its owner, once"

# Cut off within its notes.
head -c 3000 core.cow >core.part
cmd_fails 1 "a core that was cut off shows nothing" "$KCS" show core.part
