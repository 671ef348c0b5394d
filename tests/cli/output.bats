#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

blocks() {
	stat -c %b "$1"
}

@test "standard output that is a file gets a sparse core" {
	stdout=out/core fake "$target"
	succeeds
	cmp core out/core
	[ "$(blocks out/core)" -lt 1000 ]
}

@test "who writes next goes on behind the core" {
	{
		echo before
		LD_PRELOAD=$fake "$KCORESNAP" "$target"
		echo after
	} >out/core
	cmp <(echo before; cat core; echo after) out/core
}

@test "appending keeps what is there" {
	echo before >out/core
	LD_PRELOAD=$fake "$KCORESNAP" "$target" >>out/core
	cmp <(echo before; cat core) out/core
}

@test "writing into a file leaves nothing of the old bytes in the core" {
	head -c 4M /dev/urandom >out/core
	tail -c 1M out/core >rest
	LD_PRELOAD=$fake "$KCORESNAP" "$target" 1<>out/core
	cmp <(cat core rest) out/core
}

@test "a pipe gets every byte" {
	LD_PRELOAD=$fake "$KCORESNAP" "$target" | cmp - core
}

@test "a socket gets every byte" {
	python3 -c '
import os, socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(sys.argv[1:], stdout=theirs)
theirs.close()
with open("got", "wb") as f:
    while data := ours.recv(65536):
        f.write(data)
sys.exit(child.wait())' env LD_PRELOAD="$fake" "$KCORESNAP" "$target"
	cmp got core
}

@test "a pipe in non-blocking mode gets every byte" {
	python3 -c '
import os, subprocess, sys, time
ours, theirs = os.pipe()
os.set_blocking(theirs, False)
child = subprocess.Popen(sys.argv[1:], stdout=theirs)
os.close(theirs)
time.sleep(0.3)
with open("got", "wb") as f:
    while data := os.read(ours, 65536):
        f.write(data)
sys.exit(child.wait())' env LD_PRELOAD="$fake" "$KCORESNAP" "$target"
	cmp got core
}

@test "a terminal is refused" {
	need_no_module
	status=0
	script -qec "'$KCORESNAP' $target" /dev/null >stdout </dev/null 3>&- ||
		status=$?
	[ "$status" -eq 8 ]
	grep -q 'standard output is a terminal' stdout
}

@test "with -o a terminal is no hindrance" {
	LD_PRELOAD=$fake script -qec "'$KCORESNAP' -o out/core $target" \
		/dev/null >stdout </dev/null 3>&-
	cmp core out/core
}

@test "a closed or unwritable standard output is refused" {
	status=0
	"$KCORESNAP" "$target" >&- 2>stderr 3>&- || status=$?
	fails 8 "open standard output for writing"
	status=0
	"$KCORESNAP" "$target" 1<core 2>stderr 3>&- || status=$?
	fails 8 "open standard output for writing"
}

@test "what is said never lands in the core" {
	LD_PRELOAD=$fake "$KCORESNAP" -v -o out/core "$target" >&- 2>&- 3>&-
	cmp core out/core
}

@test "a full disk on standard output" {
	stdout=/dev/full fake "$target"
	fails 8 "No space left"
}

@test "a pipe without a reader" {
	local pipe
	exec {pipe}> >(exec true)
	wait $!
	status=0
	LD_PRELOAD=$fake "$KCORESNAP" "$target" </dev/null >&"$pipe" 2>stderr 3>&- ||
		status=$?
	exec {pipe}>&-
	fails 8 "Broken pipe"
}

@test "-o writes a sparse core with mode 0600" {
	umask 0
	fake -o out/core "$target"
	succeeds
	cmp core out/core
	[ "$(stat -c %a out/core)" = 600 ]
	[ "$(blocks out/core)" -lt 1000 ]
	[ "$(ls -A out)" = core ]
	[ ! -s stdout ]
}

@test "-o - is standard output" {
	stdout=out/core fake -o - "$target"
	succeeds
	cmp core out/core
}

@test "-o takes absolute and odd names" {
	fake -o "$dir/out/a b" "$target"
	succeeds
	fake -o "out/-x" "$target"
	succeeds
	(cd out && LD_PRELOAD=$fake "$KCORESNAP" -o name "$target")
	cmp core "out/a b"
	cmp core out/-x
	cmp core out/name
}

@test "-o overwrites nothing" {
	echo mine >out/core
	fake -o out/core "$target"
	fails 8 "exists and is not overwritten"
	[ "$(cat out/core)" = mine ]
	[ ! -e log ]
}

@test "-o follows no symbolic link" {
	ln -s victim out/core
	fake -o out/core "$target"
	fails 8 "exists and is not overwritten"
	[ ! -e out/victim ]
	ln -s ../core out/other
	fake -o out/other "$target"
	fails 8 "exists and is not overwritten"
}

@test "-o onto a directory, a device, a fifo" {
	fake -o out "$target"
	fails 8 "is a directory"
	fake -o . "$target"
	fails 8 "is a directory"
	fake -o /dev/null "$target"
	fails 8 "exists and is not overwritten"
	mkfifo out/fifo
	fake -o out/fifo "$target"
	fails 8 "exists and is not overwritten"
}

@test "-o into no directory" {
	fake -o absent/core "$target"
	fails 8 "create the directory first"
	fake -o core/core "$target"
	fails 8 "create the directory first"
	fake -o "out/$(printf 'x%.0s' {1..300})" "$target"
	fails 8 "File name too long"
}

@test "-o where nothing may be written" {
	fake -o /proc/core "$target"
	fails 8 ""
}

@test "-o on a file system without unnamed files or rename flags" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	command -v mkfs.vfat >/dev/null || skip "mkfs.vfat is not installed"
	truncate -s 16M disk
	mkfs.vfat disk >/dev/null
	mount -o loop disk out 2>/dev/null || skip "no vfat or no loop devices"
	fake -o out/core "$target"
	local left same=no
	left=$(ls -A out)
	cmp core out/core && same=yes
	umount out
	succeeds
	[ "$left" = core ] && [ "$same" = yes ]
}

@test "-o does not follow somebody else's link to a directory" {
	[ "$(id -u)" -eq 0 ] || skip "giving files away takes root"
	mkdir theirs
	ln -s "$dir/out" theirs/link
	chown -h 12345 theirs/link
	fake -o theirs/link/core "$target"
	fails 8 "a link on the way is somebody else's"
	fake -o "$dir/theirs/link/" "$target"
	fails 8 "a link on the way is somebody else's"
	empty out
	chown -h 0 theirs/link
	fake -o theirs/link/core "$target"
	succeeds
	cmp core out/core
	ln -s loop theirs/loop
	fake -o theirs/loop/core "$target"
	fails 8 "or a circle"
}

@test "--force replaces a file, and only a file" {
	echo mine >out/core
	ln out/core out/other
	fake --force -o out/core "$target"
	succeeds
	cmp core out/core
	[ "$(cat out/other)" = mine ]
	[ "$(stat -c %a out/core)" = 600 ]
	ln -s other out/link
	fake --force -o out/link "$target"
	fails 8 "is not a regular file, and --force replaces no other"
	mkfifo out/fifo
	fake --force -o out/fifo "$target"
	fails 8 "is not a regular file"
	fake --force -o out "$target"
	fails 8 "is a directory"
	fake --force -o out/new "$target"
	succeeds
	cmp core out/new
}

@test "--force keeps the old core until there is a new one" {
	echo mine >out/core
	FAKE_ERRNO=1 FAKE_SENTENCE=no fake --force -o out/core "$target"
	fails 4 no
	[ "$(cat out/core)" = mine ]
	FAKE_CANCEL_AT=1048576 fake --force -o out/core "$target"
	fails 9 "kept as 'out/core.incomplete'"
	[ "$(cat out/core)" = mine ]
	cmp -n 1048576 core out/core.incomplete
	head -c 3M /dev/urandom >core
	FAKE_CANCEL_AT=2097152 fake --force -o out/core "$target"
	fails 9 "kept as 'out/core.incomplete'"
	[ "$(stat -c %s out/core.incomplete)" -eq 2097152 ]
}

@test "no snapshot is taken where there is no room for the core" {
	# Where all that the process has in use fits, nobody asks.
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	mkdir small
	mount -t tmpfs -o size=4k none small
	FAKE_DATA=$((1 << 60)) fake -o small/core "$target"
	fails 8 "and the core needs at least 1.0 EiB: free some space"
	empty small
	FAKE_DATA=$((1 << 60)) stdout=small/core fake "$target"
	fails 8 "where standard output is to be"
	umount small
	FAKE_DATA=$((1 << 60)) fake -z -o out/core "$target"
	succeeds
	rm out/core
	FAKE_DATA=$((1 << 20)) fake -o out/core "$target"
	succeeds
}

@test "no core without the module, no file either" {
	need_no_module
	cli -o out/core "$target"
	fails 7 "modprobe kcoresnap"
	empty out
}

@test "private memory that is inexact is told, the core is kept" {
	FAKE_INEXACT=8192 FAKE_MISSED=4096 fake -o out/core "$target"
	fails 10 "the core is complete, but 4.0 KiB of private memory"
	cmp core out/core
	rm out/core
	# What was lost weighs more.
	FAKE_INEXACT=8192 FAKE_MISSED=4096 FAKE_LOST=4096 fake -o out/core "$target"
	fails 9 "4.0 KiB of memory could no longer be read"
}

@test "what a mode reads live by its definition is no failure" {
	FAKE_INEXACT=8192 fake -o out/core "$target"
	succeeds
}

@test "the summary is one line" {
	fake -v -o out/core "$target"
	[ "$status" -eq 0 ]
	[ "$(wc -l <stderr)" -eq 1 ]
	grep -qE "^kcoresnap: $target \(sleep\): 5 threads, 3\.0 MiB core, [0-9.]+ [KM]iB data, pause 3\.2 ms, [0-9.]+ .iB/s$" stderr
}

@test "the summary tells what is inexact or lost" {
	FAKE_INEXACT=4096 FAKE_LOST=12288 fake -v -o out/core "$target"
	[ "$status" -eq 9 ]
	grep -q ', 4.0 KiB inexact, 12.0 KiB lost$' stderr
	FAKE_INEXACT=8192 FAKE_MISSED=4096 fake -v -o out/other "$target"
	[ "$status" -eq 10 ]
	grep -q ', 8.0 KiB inexact (4.0 KiB of it private)$' stderr
}

@test "no progress where standard error is no terminal" {
	FAKE_READ_MS=1200 stdout=out/core fake "$target"
	succeeds
}

@test "progress on a terminal, erased at the end" {
	FAKE_READ_MS=1200 LD_PRELOAD=$fake script -qec \
		"'$KCORESNAP' -o out/core $target" /dev/null >stdout </dev/null 3>&-
	cmp core out/core
	grep -q 'of 3.0 MiB' stdout
	[ "$(tail -c 2 stdout | od -An -c | tr -d ' ')" = '\r' ] ||
		tail -c 1 stdout | grep -q $'\r'
}
