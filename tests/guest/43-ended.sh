#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tool is ended at any moment, or its output ends: one sentence, the status that is documented, nothing under the final
# name, no snapshot left, the target unharmed.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

mib=64

plan 21

mkdir dir disk
target used "$mib"

# wrong_end STATUS-REGEX DIRECTORY: what is wrong after a run, or nothing
wrong_end()
{
	[[ $status =~ ^($1)$ ]] || echo "status $status"
	left_behind
	running "$pid"
	[ -z "$(ls -A "$2")" ] || echo "left in its directory: $(ls -A "$2")"
}

# Runs for some 20 delays that are spread over the time that a whole run takes, and one beyond.
# The first run is slower than those to come.
cmd_ok "a whole run" "$KCS" --max-pause 20s -o dir/core "$pid"
rm dir/core
whole_us=
for i in 1 2 3; do
	begun=$(date +%s%N)
	"$KCS" --max-pause 20s -o dir/core "$pid" 2>.err || diag "a whole run: $(cat .err)"
	us=$((($(date +%s%N) - begun) / 1000))
	[ "${whole_us:-$us}" -lt "$us" ] || whole_us=$us
	rm -f dir/core
done

# ended_by SIGNAL NUMBER ROUNDS
ended_by()
{
	local signal=$1 number=$2 rounds=$3 i delay wrong='' said=0 ended=0 finished=0

	for ((i = 0; i < rounds; i++)); do
		delay=$((whole_us * i / (rounds - 1)))
		# A background job has SIGINT ignored, else.
		env --default-signal=INT,TERM "$KCS" --max-pause 20s -o dir/core "$pid" >.out 2>.err &
		sleep "$(printf '%d.%06d' $((delay / 1000000)) $((delay % 1000000)))"
		kill -s "$signal" $! 2>/dev/null
		status=0
		wait $! 2>/dev/null || status=$?
		if [ -e dir/core ]; then
			finished=$((finished + 1))
			[ "$(stat -c %s dir/core)" -gt $((mib << 20)) ] && eu-readelf -n dir/core >/dev/null 2>&1 ||
				wrong+="after $delay us: a partial core. "
			rm dir/core
		else
			ended=$((ended + 1))
		fi
		[ ! -s .out ] || wrong+="after $delay us: something on stdout. "
		if [ -s .err ]; then
			said=$((said + 1))
			wrong+=$(one_sentence "ended by signal $number")
		fi
		wrong+=$(wrong_end "0|$((128 + number))" dir)
	done
	is "$wrong" "" "$signal at $rounds moments"
	num "$ended" -ge 2 "some of them before it was done"
	# Before it has begun, there is nobody to say so.
	[ "$signal" = KILL ] || num "$said" -ge 1 "and it said so in one sentence"
	diag "$signal: ended $ended, said so $said, finished $finished"
}
ended_by INT 2 8
ended_by TERM 15 7
ended_by KILL 9 7

# Blocked on its output, which nobody reads.
for signal in INT:130 TERM:143 KILL:137; do
	mkfifo fifo
	sleep 1000 <>fifo &
	reader=$!
	env --default-signal=INT,TERM "$KCS" --max-pause 20s "$pid" >fifo 2>.err &
	tool=$!
	# shellcheck disable=SC2016 # for the inner shell
	wait_for 20 sh -c 'grep -q "pipe_w\|pipe_write" "/proc/$1/wchan" || "$2" list | grep -q .' - "$tool" "$KCS"
	kill -s "${signal%:*}" "$tool"
	status=0
	wait "$tool" 2>/dev/null || status=$?
	is "$(wrong_end "${signal#*:}" dir)" "" "${signal%:*} while it writes to a pipe that is full"
	kill "$reader"
	wait "$reader" 2>/dev/null
	rm fifo
done

# The reader goes.
(
	set -o pipefail
	{ "$KCS" --max-pause 20s "$pid" 2>.err; echo $? >closed.status; } | head -c 1 >closed
)
status=$(cat closed.status)
is "$(wrong_end 9 dir)$(one_sentence 'incomplete.*Broken pipe')" "" "a pipe that is closed" || cat .err >&2

# A disk that is full, or as good as.
mount -t tmpfs -o size=256k tmpfs disk
kcs_run "$KCS" --max-pause 20s -o disk/core "$pid"
is "$(wrong_end 8 disk)$(one_sentence 'there is room for .* needs at least')" "" "a disk that the core does not fit on" || cat .err >&2
"$KCS" --max-pause 20s "$pid" >disk/core 2>.err
status=$?
rm -f disk/core
is "$(wrong_end 8 disk)$(one_sentence 'there is room for .* needs at least')" "" "by redirection too" || cat .err >&2
kcs_run bash -c "ulimit -f 100; exec '$KCS' -o dir/core $pid"
is "$(ls -A dir)" core.incomplete "a limit on the size of files leaves what is told to be incomplete"
rm -f dir/core.incomplete
is "$(wrong_end 9 dir)$(one_sentence 'File too large.*kept as .*core.incomplete')" "" "and nothing else" || cat .err >&2
mount -o remount,ro disk
kcs_run "$KCS" --max-pause 20s -o disk/core "$pid"
is "$(wrong_end 8 disk)$(one_sentence 'Read-only')" "" "a disk that is read-only" || cat .err >&2
umount disk

"$KCS" --max-pause 20s "$pid" >/dev/full 2>.err
status=$?
is "$(wrong_end 8 dir)$(one_sentence 'No space left')" "" "/dev/full" || cat .err >&2

taken "the target can still be snapshotted"
forget
cmd_ok "the module can be unloaded right away" unload
load "$@"
