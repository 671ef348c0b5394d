#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The note in which a core says how it was taken: what it tells is so, and readers of cores pass it over.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

plan 24

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
"$KCS" -z --max-pause 20s --filter 33 -o core.zst "$pid"
"$KCS" show core.zst >shown.zst
is "$? $(shown_threads | diff - <(awk 'past { print $1, $2, $3, $4 } /^ *TID/ { past = 1 }' shown.zst | sort -n))" "0 " "of a compressed core too"
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

# shows_not CORE REGEX NAME
shows_not()
{
	kcs_run "$KCS" show "$1"
	is "$status $(grep -c "$2" .err) $(wc -c <.out)" "1 1 0" "$3" || cat .out .err >&2
}

# Cut off within its notes; and of a version that is not known.
head -c 3000 core.cow >core.part
shows_not core.part "'core.part' is damaged or cut off before the end of its notes" "a core that was cut off shows nothing"
offset=$(LC_ALL=C grep -abo KCORESNAP core.cow | head -n 1 | cut -d: -f1)
cp core.cow core.newer
printf '\2' | dd of=core.newer bs=1 seek=$((offset + 12)) conv=notrunc status=none
shows_not core.newer "'core.newer' was written by a newer version" "nor one of a newer version"

echo "$KCS_TMP/core.kernel" >/proc/sys/kernel/core_pattern
(ulimit -c unlimited && exec sleep 1000) &
wait_for 20 grep -qx sleep "/proc/$!/comm"
kill -ABRT "$!"
wait "$!" 2>/dev/null
shows_not core.kernel "'core.kernel' has no note of kcoresnap's.*: name a core that kcoresnap wrote" "nor the kernel's own"
