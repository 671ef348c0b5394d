#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What is left of a core that could not be written to its end.

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

# kept_up_to SIZE: of a core, only what was written is there, under its own name.
kept_up_to() {
	[ "$(ls -A out)" = core.incomplete ] &&
		[ "$(stat -c %s out/core.incomplete)" -eq "$1" ] &&
		[ "$(stat -c %a out/core.incomplete)" = 600 ] &&
		cmp -n "$1" core out/core.incomplete
}

@test "a snapshot dropped while it is read" {
	FAKE_CANCEL_AT=1048576 fake -o out/core "$target"
	fails 9 "was cancelled"
	fails 9 "what was written is kept as 'out/core.incomplete'"
	kept_up_to 1048576
	rm out/core.incomplete
	FAKE_CANCEL_AT=1048576 FAKE_DROPPED=12 fake -o out/core "$target"
	fails 9 "memory ran short"
	rm out/core.incomplete
	FAKE_CANCEL_AT=1048576 FAKE_DROPPED=62 fake -o out/core "$target"
	fails 9 "grew too old"
	kept_up_to 1048576
}

@test "a snapshot dropped when it had been read" {
	FAKE_DROPPED=125 fake -o out/core "$target"
	fails 9 "was cancelled"
	kept_up_to 3145728
	rm out/core.incomplete
	FAKE_UNLISTED=1 fake -o out/core "$target"
	fails 9 "was cancelled"
	kept_up_to 3145728
}

@test "a core is kept, though the module can't tell how it was read" {
	export FAKE_DUMP_ERRNO=12 FAKE_SENTENCE="no memory for the list"
	fake -o out/core "$target"
	fails 9 "all memory could be read is missing (no memory for the list)"
	fails 9 "what was written is kept as 'out/core.incomplete'"
	kept_up_to 3145728
	rm out/core.incomplete
	FAKE_CANCEL_AT=1048576 fake -o out/core "$target"
	fails 9 "can't be read any further (Operation canceled)"
	kept_up_to 1048576
}

@test "of nothing, nothing is kept" {
	FAKE_CANCEL_AT=0 fake -o out/core "$target"
	fails 9 "was cancelled"
	empty out
	FAKE_CANCEL_AT=0 fake -z -o out/core "$target"
	fails 9 "was cancelled"
	empty out
}

@test "what went to standard output is told to be incomplete" {
	FAKE_CANCEL_AT=1048576 stdout=out/x fake "$target"
	fails 9 "was cancelled"
	[ "$(grep -c kept stderr)" -eq 0 ]
	cmp -n 1048576 core out/x
}

@test "who writes next goes on behind a core that is incomplete" {
	{
		echo before
		FAKE_CANCEL_AT=1048576 LD_PRELOAD=$fake "$KCORESNAP" "$target" \
			2>stderr 3>&- || true
		echo after
	} >out/x
	cmp <(echo before; head -c 1M core; echo after) out/x
}

@test "however long its name is, the sentence says all" {
	local path
	path=out$(printf '/%0200d' {1..10})
	mkdir -p "$path"
	FAKE_CANCEL_AT=1048576 fake -o "$path/core" "$target"
	fails 9 "was cancelled"
	fails 9 "what was written is kept as '$path/core.incomplete'"
	fake -o "$(printf 'x%.0s' {1..6000})" "$target"
	fails 8 "File name too long: write elsewhere"
}

@test "lost memory" {
	FAKE_LOST=8192 fake -o out/core "$target"
	fails 9 "8.0 KiB of memory could no longer be read"
	kept_up_to 3145728
}

@test "beyond the limit on file sizes" {
	status=0
	(
		ulimit -f 1024
		LD_PRELOAD=$fake "$KCORESNAP" -o out/core "$target" 2>stderr
	) || status=$?
	fails 9 "File too large: raise the limit on file sizes"
	kept_up_to 1048576
}

@test "a full file system" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	mount -t tmpfs -o size=256k none out
	fake -o out/core "$target"
	local left
	left=$(ls -A out)
	umount out
	fails 9 "No space left on device: free some space"
	fails 9 "kept as 'out/core.incomplete'"
	[ "$left" = core.incomplete ]
}

@test "a file system that is full from the start" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	head -c 3M /dev/urandom >core
	mount -t tmpfs -o size=64k none out
	head -c 64K /dev/zero >out/full
	fake -z -o out/core "$target"
	local left
	left=$(ls -A out)
	umount out
	fails 8 "No space left on device: free some space"
	[ "$left" = full ]
	stdout=/dev/full fake -z "$target"
	fails 8 "No space left"
}

@test "what the disk has lost while the rest was written" {
	head -c 40M /dev/urandom >core
	FAKE_SYNC_ERRNO=5 fake -o out/core "$target"
	fails 9 "Input/output error: write elsewhere"
	fails 9 "kept as 'out/core.incomplete'"
	[ "$(ls -A out)" = core.incomplete ]
	FAKE_SYNC_ERRNO=28 stdout=out/x fake "$target"
	fails 9 "No space left on device: free some space"
}

@test "a reader that goes in the middle" {
	head -c 8M /dev/urandom >core
	status=0
	{
		LD_PRELOAD=$fake "$KCORESNAP" "$target" 2>stderr 3>&- &&
			echo 0 >code || echo $? >code
	} | head -c 3000000 >/dev/null
	status=$(cat code)
	fails 9 "Broken pipe: keep the reader"
}

@test "its name must be free too" {
	echo mine >out/core.incomplete
	fake -o out/core "$target"
	fails 8 "'out/core.incomplete' exists and is not overwritten, as an incomplete core would have that name"
	[ "$(cat out/core.incomplete)" = mine ]
	fake --force -o out/core "$target"
	succeeds
	cmp core out/core
	ln -sf core out/core.incomplete
	fake --force -o out/core "$target"
	fails 8 "'out/core.incomplete' is not a regular file"
}

@test "a name that is taken meanwhile" {
	FAKE_READ_MS=300 LD_PRELOAD=$fake "$KCORESNAP" -o out/core "$target" \
		2>stderr 3>&- &
	until [ -e log ]; do sleep 0.02; done
	echo theirs >out/core
	status=0
	wait $! || status=$?
	fails 8 "was created by somebody else meanwhile"
	[ "$(cat out/core)" = theirs ]
	cmp core out/core.incomplete
}

@test "the time is over while the core is read" {
	head -c 3M /dev/urandom >core
	FAKE_READ_MS=500 fake --timeout 700ms -o out/core "$target"
	fails 9 "the time allowed is over: allow more with --timeout"
	[ "$(ls -A out)" = core.incomplete ]
	cmp -n "$(stat -c %s out/core.incomplete)" core out/core.incomplete
}

@test "the time is over while nobody reads the pipe" {
	head -c 8M /dev/urandom >core
	mkfifo fifo
	exec 4<>fifo
	stdout=fifo fake --timeout 300ms "$target"
	exec 4<&-
	fails 9 "the time allowed is over"
}

@test "the time is over before there is a core" {
	FAKE_DELAY_MS=1000 fake --timeout 300ms -o out/core "$target"
	fails 9 "the time allowed is over"
	empty out
}

@test "the time is over and the tool hangs" {
	FAKE_DELAY_MS=60000 fake --timeout 300ms -o out/core "$target"
	fails 9 "the time allowed is over, and the module or the output does not answer"
	[ "$(grep -c kept stderr)" -eq 0 ]
	empty out
}

@test "time enough" {
	fake --timeout 1h -o out/core "$target"
	succeeds
	cmp core out/core
}
