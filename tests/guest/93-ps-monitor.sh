#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 150 s
#
# kcoresnap ps asks about every process and leaves no trace; kcoresnap monitor tells of all that happens, and of what it missed.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

plan 25

# watch OPTION...: a monitor, ready; its $monitor, and what it prints in the file events
watch()
{
	rm -f events
	# A shell has what it starts so ignore SIGINT.
	env --default-signal=INT "$KCS" monitor "$@" >events 2>events.err &
	monitor=$!
	wait_for 30 grep -qs ready events || diag "the monitor is not ready: $(cat events.err)"
}

# told COUNT FILTER: as many events pass
told()
{
	[ "$(jq -c "select($2)" events 2>/dev/null | wc -l)" -eq "$1" ]
}

# The status of the monitor is $ended.
ended()
{
	ended=0
	wait "$monitor" || ended=$?
}

target plain
plain=$pid
plainly=$awkward
target userfaultfd
unsafe=$pid
unsafely=$awkward
[ -z "$why" ] || diag "no userfaultfd: $why"

# What happens is told, in order.

watch --json
is "$(jq -r .event events)" ready "the first line says that nothing is missed from here on"
cmd_ok "a snapshot" "$KCS" --max-pause 20s -o core "$plain"
wait_for 20 told 1 '.event == "closed"' || cat events >&2
is "$(jq -c "select(.event == \"taken\") | [.pid, .comm, .uid, .mode, .size, .threads]" events)" \
	"[$plain,\"awkward\",0,\"cow\",$(stat -c %s core),$(find "/proc/$plain/task" -mindepth 1 -maxdepth 1 | wc -l)]" "is told"
is "$(jq -c "select(.event == \"closed\") | [.pid, .lost_bytes, .dropped, .read_bytes > 0, .pause_ns > 0]" events)" \
	"[$plain,0,null,true,true]" "and its end"
is "$(jq -s '[.[] | select(.id)] | length == 2 and .[0].id == .[1].id' events)" true "by the same ID"
if [ -z "$why" ]; then
	cmd_fails 5 "one that is refused" "$KCS" --max-pause 20s -o none "$unsafe"
	wait_for 20 told 1 '.event == "failed"' || cat events >&2
	is "$(jq -r 'select(.event == "failed") | [.pid, .comm, .errno, .refusal] | @tsv' events)" \
		"$(printf '%s\tawkward\t95\t%s' "$unsafe" "$(sed 's/^kcoresnap: //' .err)")" "is told with the sentence"
else
	skip "one that is refused" "$why"
	skip "is told with the sentence" "$why"
fi
"$KCS_TARGETS/snapshot_fd" hold "$plain" >held &
holder=$!
wait_for 30 grep -qs held held
id=$("$KCS" list --json | jq '.[0].id')
cmd_ok "one that is cancelled" "$KCS" cancel --json "$id"
is "$(cat .out)" "{\"id\":$id,\"exit_code\":0}" "says so in JSON"
is "$("$KCS" list --json | jq -r '.[0] | [.id, .pid, .dropped] | @tsv')" "$(printf '%s\t%s\tcancelled' "$id" "$plain")" \
	"is still listed while it is open"
kill "$holder"
wait "$holder" 2>/dev/null
wait_for 20 told 1 '.dropped == "cancelled"' || cat events >&2
is "$(jq -c 'select(.dropped == "cancelled") | [.id, .pid]' events)" "[$id,$plain]" "and told when it is closed"

# ps leaves no trace: no event, no line in the log, no thread that has run.

# traces: what would change if somebody touched the targets
traces()
{
	grep -h ctxt_switches "/proc/$plain"/task/*/status
	[ -n "$why" ] || grep -h ctxt_switches "/proc/$unsafe"/task/*/status
	dmesg | grep -c kcoresnap
	wc -l <events
}
wait_for 20 told 2 '.event == "closed"'
before=$(traces)
cmd_ok "ps" "$KCS" ps --max-pause 20s --json
is "$(traces)" "$before" "leaves no trace in the processes, the log and the events"
kill -INT "$monitor"
ended
is "$ended$(cat events.err)" 0 "interrupted, the monitor ends well"

missing=$(
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ -s "$dir/cmdline" ] || continue
		[ "$(jq "any(.[]; .pid == $pid)" .out)" = true ] || [ ! -d "$dir" ] || [ "$pid" = $$ ] || echo "no $pid. "
	done
	[ "$(jq 'any(.[]; .pid == 2)' .out)" = false ] || echo "a kernel thread. "
	[ "$(jq '[.[].rss_bytes] | . == (sort | reverse)' .out)" = true ] || echo "not in order. "
)
is "$missing" "" "every process, no kernel thread, the biggest first"
"$KCS" --max-pause 20s --dry-run "$plain" >dry
# shellcheck disable=SC2016 # jq's variable
is "$(jq -r --argjson pid "$plain" '.[] | select(.pid == $pid) | [.mode, .threads] | @tsv' .out)" \
	"$(printf '%s\t%s' "$(awk '/^mode/ { print $2 }' dry)" "$(awk '/^threads/ { print $2 }' dry)")" "what a dry run says"
if [ -z "$why" ]; then
	is "$(jq -c ".[] | select(.pid == $unsafe) | [.mode, .errno, (.refusal | test(\"userfaultfd\"))]" .out)" \
		'[null,95,true]' "what would be refused, and why"
else
	skip "what would be refused, and why" "$why"
fi
"${as_nobody[@]}" "$KCS" ps --json >nobody.json
is "$(jq -c ".[] | select(.pid == $plain) | [.mode, .errno, .predicted_ns]" nobody.json)" "[null,1,null]" \
	"who may not take a snapshot is told so"
cmd_fails 4 "nor may nobody see events" "${as_nobody[@]}" "$KCS" monitor

# Many at a time, while snapshots are taken.
wrong=$(
	for _ in 1 2 3 4; do
		"$KCS" ps --json >/dev/null 2>&1 &
		ps+=($!)
	done
	for _ in 1 2 3; do
		"$KCS" --max-pause 20s "$plain" 2>&1 >/dev/null
	done
	for one in "${ps[@]}"; do
		wait "$one" || echo "status $?. "
	done
)
is "$wrong$(left_behind)" "" "four at a time"

# What comes faster than it is read.
max=$(cat /proc/sys/net/core/rmem_max)
echo 2304 >/proc/sys/net/core/rmem_max
watch --json
kill -STOP "$monitor"
for _ in {1..60}; do
	"$KCS_TARGETS/request" snapshot pid=u32:0x7fffffff >/dev/null 2>&1
done
kill -CONT "$monitor"
echo "$max" >/proc/sys/net/core/rmem_max
if wait_for 20 told 1 '.event == "lost"'; then
	ok "a monitor that falls behind says so"
else
	not_ok "a monitor that falls behind says so" "$(wc -l <events) events"
fi
kill -TERM "$monitor"
ended
is "$ended" 0 "and ends well"

if unshare --net true 2>/dev/null; then
	cmd_fails 5 "in another network namespace nothing could be told" unshare --net "$KCS" monitor
else
	skip "in another network namespace nothing could be told" "the kernel has no network namespaces"
fi

# A reader that goes away, and the module's end.
watch
exec 7< <(exec "$KCS" monitor 2>&1)
piped=$!
read -r line <&7
exec 7<&-
over()
{
	! kill -0 "$piped" 2>/dev/null
}
is "$(wait_for 20 over || echo "still there after: $line")" "" "one whose reader is gone ends"
unload
ended
is "$ended $(cat events.err)" "7 kcoresnap: the kcoresnap module was unloaded: run 'modprobe kcoresnap' as root, and this again" \
	"the module's end is told"
load
kill "$plainly" "$unsafely"
