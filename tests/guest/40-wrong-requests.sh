#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Requests for what is not there, not allowed or not understood: one sentence, a fixed status, nothing left behind.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

policy=/sys/module/kcoresnap/parameters/policy
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# says ERRNO-REGEX SENTENCE-REGEX NAME REQUEST...: the module's answer to a request of tests/targets/request
says()
{
	local errno=$1 regex=$2 name=$3 answer wrong

	shift 3
	answer=$("$KCS_TARGETS/request" "$@" 2>&1)
	wrong=$(
		[[ ${answer%% *} =~ ^($errno)$ ]] || echo "not errno $errno"
		[[ ${answer#* } =~ $regex ]] || echo "not the sentence: $regex"
		left_behind
	)
	if [ -z "$wrong" ]; then
		ok "$name"
	else
		not_ok "$name" "request: $*" "answer: $answer" "$wrong"
	fi
}

ESRCH=3 EINVAL=22 ERANGE=34 EOPNOTSUPP=95 ENOENT=2

plan 49

# Who is not there.

target plain
plain=$pid
gone=$(sh -c 'echo $$')
pid=$gone refused 3 "there is no process $gone" "no such process"
says $ESRCH "there is no process $gone .*" "no such process, says the module" snapshot "pid=u32:$gone"
says "$ESRCH|$EINVAL" "." "process 0" snapshot pid=u32:0
says $ESRCH "there is no process" "process 0xffffffff" snapshot pid=u32:0xffffffff
says $ESRCH "there is no process" "process 0x80000000" snapshot pid=u32:0x80000000

started=$(sed 's/.*) //' "/proc/$plain/stat" | cut -d' ' -f20)
says 0 "" "the start time of /proc/PID/stat is right" snapshot "pid=u32:$plain" "start_time=u64:$started" \
	max_pause_us=u64:20000000
says $ESRCH "process $plain is not the one that was meant: its pid was reused" "another start time is a reused pid" \
	snapshot "pid=u32:$plain" "start_time=u64:$((started + 1))"
says $ESRCH "its pid was reused" "an earlier one too" snapshot "pid=u32:$plain" "start_time=u64:$((started - 1))"
says $ESRCH "its pid was reused" "and none" snapshot "pid=u32:$plain" start_time=u64:0

pid=2 refused 3 "process 2 is a kernel thread" "a kernel thread"
forget
target zombie
refused 3 "process $pid has exited and has no memory" "a zombie"
forget

target leaderless
is "$(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat")" Z "a process whose first thread is gone"
taken "is taken all the same"
forget
target plain
plain=$pid
tid=$(find "/proc/$plain/task" -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -vx "$plain")
pid=$tid taken "the id of a thread stands for its process"
pid=$plain

# Who may not.

refused_as_nobody()
{
	local name=$1 regex=$2

	kcs_run "${as_nobody[@]}" "$KCS" "$pid"
	is "$status$(one_sentence "$regex" | sed 's/^/ /')$(left_behind)$(running "$pid")" 4 "$name" ||
		kcs_show_run "$KCS" "$pid"
}
refused_as_nobody "nobody may not snapshot root's process" "takes CAP_SYS_PTRACE in the initial user namespace"
echo 2 >$policy
refused_as_nobody "nor where ptrace's rules are all that counts" "ptrace's rules keep the caller"
"${as_nobody[@]}" sleep 1000 &
nobodys=$!
wait_for 10 grep -qs sleep "/proc/$nobodys/comm"
pid=$nobodys
kcs_run "${as_nobody[@]}" "$KCS" --max-pause 20s "$pid"
is "$status $(head -c 4 .out | tail -c 3)" "0 ELF" "there, nobody may snapshot nobody's process" || kcs_show_run "$KCS" "$pid"
echo 0 >$policy
refused_as_nobody "and not by default" "takes CAP_SYS_PTRACE"
echo 2 >$policy
kill "$nobodys"
wait "$nobodys" 2>/dev/null
chmod 777 .
"${as_nobody[@]}" "$KCS_TARGETS/awkward" undumpable >state.nobody &
nobodys=$!
wait_for 10 grep -qs ready state.nobody
pid=$nobodys
refused_as_nobody "nor one that is not dumpable" "/proc/$pid/.* can't be read|ptrace's rules keep the caller"
taken "which root may"
kill "$nobodys"
wait "$nobodys" 2>/dev/null

"$KCS_TARGETS/snapshot_fd" hold "$plain" >held &
holder=$!
wait_for 10 grep -qs held held
id=$(cut -d' ' -f2 held)
is "$("${as_nobody[@]}" "$KCS" list 2>&1)" "" "nobody does not see root's snapshot"
cmd_fails 3 "nor can cancel it" "${as_nobody[@]}" "$KCS" cancel "$id"
like "$(cat .err)" "^kcoresnap: there is no snapshot $id of the caller's" "and is told that there is none"
like "$("$KCS" list)" " $plain awkward .* open" "root sees it, undamaged"
kill "$holder"
wait "$holder" 2>/dev/null
echo 0 >$policy
pid=$plain

# Too many.

holders=()
for i in 1 2 3 4; do
	"$KCS_TARGETS/snapshot_fd" hold "$plain" >"held.$i" &
	holders+=($!)
	wait_for 10 grep -qs held "held.$i" || diag "snapshot $i was not taken"
done
kcs_run "$KCS" "$plain"
is "$status$(one_sentence '4 snapshots are open, as many as are allowed' | sed 's/^/ /')$(running "$plain")" 6 \
	"a fifth snapshot is one too many" || kcs_show_run "$KCS" "$plain"
is "$("$KCS" list | wc -l)" 5 "four are in the list"
# The cancelled one's memory is given back, but its descriptor is still open.
cmd_ok "one is cancelled" "$KCS" cancel "$(cut -d' ' -f2 held.2)"
like "$("$KCS" list)" " cancelled" "which the list says"
kill "${holders[@]}"
wait "${holders[@]}" 2>/dev/null
taken "when they are closed there is room again"

# What is not understood.

says $EOPNOTSUPP "has no mode 7" "an unknown mode" snapshot "pid=u32:$plain" mode=u32:7
says $EINVAL "knows no risks 0xfffffffc" "unknown risks to allow" snapshot "pid=u32:$plain" allow=u32:0xffffffff
says $ERANGE "a pause bound of 0 us is out of range" "no pause at all" snapshot "pid=u32:$plain" max_pause_us=u64:0
says $ERANGE "a pause bound of 60000001 us is out" "a pause beyond the limit" snapshot "pid=u32:$plain" max_pause_us=u64:60000001
says $ERANGE "out of range" "a pause of 2^64 - 1" snapshot "pid=u32:$plain" max_pause_us=u64:0xffffffffffffffff
says $EINVAL "the request names no process: " "no pid" snapshot
says $EINVAL "the request names no snapshot: " "no id" cancel
says $ENOENT "there is no snapshot 4294967295 of the caller" "an id that is not there" cancel id=u32:0xffffffff
says $EINVAL "." "an unknown attribute" snapshot "pid=u32:$plain" 200=u32:1
says $EINVAL "." "an attribute that only answers have" snapshot "pid=u32:$plain" fd=u32:0
says $EINVAL "." "an attribute in a request that takes none" info "pid=u32:$plain"
says "$EINVAL|$ERANGE" "." "a pid of 2 bytes" snapshot pid=u16:1
says "$EINVAL|$ERANGE" "." "a pid of 8 bytes" snapshot "pid=u64:$plain"
says "$EINVAL|$ERANGE" "." "a start time of 4 bytes" snapshot "pid=u32:$plain" "start_time=u32:$started"
says "$EINVAL|$ERANGE" "." "a flag with a value" snapshot "pid=u32:$plain" dry_run=u32:1
says $EINVAL "" "a request that is cut off within an attribute" snapshot "pid=u32:$plain" mode=u32:0 cut=3
says $EINVAL "another request comes behind this one" "two snapshots in one datagram" snapshot "pid=u32:$plain" twice
says $EINVAL "." "a list with an attribute" list "pid=u32:$plain" dump
says $EOPNOTSUPP "" "an unknown command" 99 "pid=u32:$plain"
says $EOPNOTSUPP "" "a snapshot by a dump request" snapshot "pid=u32:$plain" dump
