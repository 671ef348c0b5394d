#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 240 s
#
# A core that can't be written to its end: the right sentence, the right status, and nothing left but FILE.incomplete.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

mib=48
# Slowly: for some seconds, in which others get something done.
rate=$((12 / ${KCS_SLOW:-1}))M/s
plan 19

mkdir dir disk
target used "$mib"

# start OPTION...: the tool in the background
start()
{
	"$KCS" --max-pause 20s --rate "$rate" "$@" "$pid" >.out 2>.err &
	tool=$!
}

# ended: its status
ended()
{
	status=0
	wait "$tool" 2>/dev/null || status=$?
}

reading()
{
	# READ_BYTES of the list, in whatever unit
	"$KCS" list --json 2>/dev/null | grep -qE '"read_bytes": ?[1-9][0-9]{6}'
}

# kept DIRECTORY STATUS REGEX: what is wrong, or nothing
kept()
{
	[ "$status" -eq "$2" ] || echo "status $status"
	[ "$(ls -A "$1")" = core.incomplete ] || echo "left: $(ls -A "$1")"
	one_sentence "$3.*what was written is kept as '$1/core.incomplete'"
	[ "$(head -c 4 "$1/core.incomplete" | tail -c 3)" = ELF ] || echo "no core"
	[ "$(stat -c %a "$1/core.incomplete")" = 600 ] || echo "mode $(stat -c %a "$1/core.incomplete")"
	left_behind
	[ "${dead:-}" ] || running "$pid"
	rm -f "$1"/core*
}

# Disks.

# fills_up NAME: what is mounted on "disk" does, while a core is written there
fills_up()
{
	start -o disk/core
	wait_for 20 reading
	dd if=/dev/zero of=disk/filler bs=1M 2>/dev/null
	ended
	rm disk/filler
	is "$(kept disk 9 'incomplete: .*No space left on device: free some space')" "" "$1" || cat .err >&2
}

mount -t tmpfs -o size=96M tmpfs disk
fills_up "a tmpfs that fills up meanwhile"
umount disk

truncate -s 96M image
mkfs.ext4 -q image
modprobe loop
mount -o loop image disk
rmdir disk/lost+found
fills_up "an ext4 that does"
start -z -o disk/core
wait_for 20 reading
umount -l disk
ended
is "$status" 0 "a disk that is unmounted lazily is written to all the same"

# It takes what it has no room for, and gets more room once that is lost: fsync(2) would find nothing wrong at the end.
mkdir thin
mount -t tmpfs -o size=24M tmpfs thin
truncate -s 192M thin/image
mkfs.ext4 -q -O ^has_journal thin/image
mount -o loop thin/image disk
rmdir disk/lost+found
start -o disk/core
far()
{
	! kill -0 "$tool" 2>/dev/null || "$KCS" list --json | grep -qE '"read_bytes": ?(3[89]|[4-9][0-9])[0-9]{6}'
}
wait_for 60 far
mount -o remount,size=256M thin
ended
is "$(kept disk 9 'incomplete: .*(No space left on device|Input/output error)')" "" "a disk that loses what it had taken" || cat .err >&2
umount disk
umount thin

mount -t tmpfs -o size=1M tmpfs disk
refused 8 "there is room for .*, and the core needs at least .*: free some space" "there is no room, so no pause" -o disk/core
umount disk
refused 8 "Read-only file system|Permission denied|No such file|Operation not" "a file system that takes no files" -o /sys/core

# The snapshot.

start -o dir/core
wait_for 20 reading
"$KCS" cancel "$("$KCS" list | awk 'NR == 2 { print $1 }')"
ended
is "$(kept dir 9 'incomplete: the snapshot was cancelled')" "" "a snapshot that is cancelled meanwhile" || cat .err >&2

start -z -o dir/core
wait_for 20 reading
"$KCS" cancel "$("$KCS" list | awk 'NR == 2 { print $1 }')"
ended
zstd -qdc dir/core.incomplete >unpacked 2>unpacked.err
is "$? $(head -c 4 unpacked | tail -c 3)" "0 ELF" "one that was compressed can be decompressed" || cat unpacked.err >&2
rm -f dir/* unpacked

start --timeout 2s -o dir/core
ended
is "$(kept dir 9 'incomplete: the time allowed is over: allow more with --timeout')" "" "the time is over" || cat .err >&2

mkfifo fifo
sleep 1000 <>fifo &
reader=$!
"$KCS" --max-pause 20s --timeout 2s "$pid" >fifo 2>.err
status=$?
is "$status$(one_sentence 'the time allowed is over')$(left_behind)" 9 "while nobody reads the pipe, too" || cat .err >&2
kill "$reader"
wait "$reader" 2>/dev/null

# The reader.

set -o pipefail
{ "$KCS" --max-pause 20s "$pid" 2>.err; echo $? >code; } | head -c 20000000 >/dev/null
set +o pipefail
status=$(cat code)
is "$status$(one_sentence 'incomplete: .*Broken pipe: keep the reader')$(left_behind)$(running "$pid")" 9 "a reader that goes" ||
	cat .err >&2

# Signals, at moments that are spread over a run.

wrong=
for delay in 0.05 0.2 0.5 1 1.5 2.5; do
	for signal in INT:130 TERM:143 KILL:137; do
		env --default-signal=INT,TERM "$KCS" --max-pause 20s --rate 24M/s -o dir/core "$pid" >.out 2>.err &
		tool=$!
		sleep "$delay"
		kill -s "${signal%:*}" "$tool" 2>/dev/null
		ended
		if [ -e dir/core ]; then
			[ "$status" -eq 0 ] || [ "$status" -eq "${signal#*:}" ] || wrong+="status $status after a whole core. "
			rm dir/core
		else
			[ "$status" -eq "${signal#*:}" ] || wrong+="${signal%:*} after $delay s: status $status. "
		fi
		wrong+="$(ls -A dir)$(left_behind)$(running "$pid")"
	done
done
is "$wrong" "" "signals at 18 moments leave nothing"

# Where files must have a name.

truncate -s 96M vfat
modprobe -a loop vfat nls_cp437 nls_ascii 2>/dev/null
if mkfs.vfat vfat >/dev/null 2>&1 && mount -o loop vfat disk 2>/dev/null; then
	"$KCS" --max-pause 20s -o disk/core "$pid" 2>.err
	is "$? $(ls -A disk)" "0 core" "a core on vfat, which has no unnamed files" || cat .err >&2
	rm -f disk/core
	start -o disk/core
	wait_for 20 reading
	is "$(ls -A disk)" core.incomplete "until it is complete its name says so"
	kill -TERM "$tool"
	ended
	is "$status$(ls -A disk)" 143 "SIGTERM removes it"
	start -o disk/core
	wait_for 20 reading
	kill -KILL "$tool"
	ended
	is "$status$(ls -A disk)" 137core.incomplete "SIGKILL leaves it, as what it is"
	umount disk
else
	why="this kernel or system has no vfat"
	skip "a core on vfat, which has no unnamed files" "$why"
	skip "until it is complete its name says so" "$why"
	skip "SIGTERM removes it" "$why"
	skip "SIGKILL leaves it, as what it is" "$why"
fi

# The target.

"$KCS" --mode live --max-pause 20s --rate "$rate" -o dir/core "$pid" 2>.err &
tool=$!
wait_for 20 reading
kill -KILL "$awkward"
wait "$awkward" 2>/dev/null
ended
dead=yes
is "$(kept dir 9 'incomplete: .* of memory could no longer be read')" "" "a target that is killed while it is read live" || cat .err >&2
target used "$mib"
start -o dir/core
wait_for 20 reading
kill -KILL "$awkward"
wait "$awkward" 2>/dev/null
ended
is "$status $(ls -A dir)" "0 core" "one that was cloned may be killed"
rm -rf dir
cmd_ok "the module can be unloaded right away" unload
load "$@"
