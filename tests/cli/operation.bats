#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Compression, limits, and what is told on the way.

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

need_zstd() {
	command -v zstd >/dev/null || skip "zstd is not installed"
}

@test "-z compresses, and what comes out is the core" {
	need_zstd
	local level
	for level in -z -z1 -z19 --compress --compress=7; do
		fake "$level" -o out/core "$target"
		succeeds
		zstd -qdc out/core | cmp - core
		[ "$(stat -c %s out/core)" -lt 400000 ]
		rm out/core
	done
}

@test "-z into a pipe" {
	need_zstd
	LD_PRELOAD=$fake "$KCORESNAP" -z "$target" | zstd -qdc | cmp - core
}

@test "-z behind what a file holds" {
	need_zstd
	echo before >out/core
	LD_PRELOAD=$fake "$KCORESNAP" -z "$target" >>out/core
	tail -c +8 out/core | zstd -qdc | cmp - core
}

@test "no memory to compress" {
	head -c 3M /dev/urandom >core
	FAKE_MALLOC_MAX=1000000 fake -z -o out/core "$target"
	fails 1 "no memory to compress the core: make room, or leave out -z"
	FAKE_MALLOC_MAX=1500000 fake -z -o out/core "$target"
	fails 8 "Cannot allocate memory: make memory free, or leave out -z"
	[ -z "$(ls out)" ]
}

@test "an incomplete compressed core can be decompressed" {
	need_zstd
	head -c 3M /dev/urandom >core
	FAKE_CANCEL_AT=2097152 fake -z -o out/core "$target"
	fails 9 "kept as 'out/core.incomplete'"
	zstd -qdc out/core.incomplete | cmp - <(head -c 2097152 core)
}

@test "a wrong level is refused" {
	fake -z0 "$target"
	fails 2 "takes a level from 1 to 19, not '0'"
	fake --compress=20 "$target"
	fails 2 "not '20'"
	fake -zbest "$target"
	fails 2 "not 'best'"
}

# An ELF core of three segments: 1 MiB of data, 64 KiB, and a stack of 128 KiB.
make_elf_core() {
	python3 - core <<'END'
import os, struct, sys
sizes, addresses = [1 << 20, 64 << 10, 128 << 10], [0x10000, 0x400000, 0x7f0000]
status = bytearray(336)
struct.pack_into("<Q", status, 112 + 19 * 8, addresses[2] + 4096)
note = struct.pack("<III8s", 5, len(status), 1, b"CORE") + status
phdrs = struct.pack("<IIQQQQQQ", 4, 0, 64 + 4 * 56, 0, 0, len(note), 0, 4)
offset = 4096
for size, address in zip(sizes, addresses):
    phdrs += struct.pack("<IIQQQQQQ", 1, 6, offset, address, 0, size, size, 4096)
    offset += size
ehdr = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
    "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0)
with open(sys.argv[1], "wb") as f:
    f.write((ehdr + phdrs + note).ljust(4096, b"\0"))
    for n, size in enumerate(sizes):
        f.write(bytes([n + 1]) * size)
END
}

# Per segment: its bytes in the file, and those of them that are right.
segments() {
	python3 - "$1" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
for n in range(3):
    p = struct.unpack_from("<IIQQQQQQ", data, 64 + (n + 1) * 56)
    print(p[5], data[p[2]:p[2] + p[5]].count(n + 1), p[6])
END
}

@test "--limit leaves out the biggest first and the stack last" {
	make_elf_core
	fake --limit 300K -o out/core "$target"
	fails 9 "of 1 segment are left out, as --limit asks"
	diff <(segments out/core.incomplete) - <<-END
		106496 106496 1048576
		65536 65536 65536
		131072 131072 131072
	END
	[ "$(stat -c %s out/core.incomplete)" -eq $((300 << 10)) ]
	fake --force --limit 150K -o out/core "$target"
	fails 9 "of 2 segments are left out"
	diff <(segments out/core.incomplete) - <<-END
		0 0 1048576
		16384 16384 65536
		131072 131072 131072
	END
	fake --force --limit 0 -o out/core "$target"
	fails 9 "of 3 segments are left out"
	[ "$(stat -c %s out/core.incomplete)" -eq 4096 ]
}

@test "--limit into a pipe and with -z" {
	need_zstd
	make_elf_core
	fake --limit 300K -o out/core "$target"
	{ LD_PRELOAD=$fake "$KCORESNAP" --limit 300K "$target" || echo $? >code; } \
		2>stderr | cmp - out/core.incomplete
	[ "$(cat code)" -eq 9 ]
	{ LD_PRELOAD=$fake "$KCORESNAP" -z --limit 300K "$target" || true; } \
		2>stderr | zstd -qdc | cmp - out/core.incomplete
}

@test "--limit that leaves nothing out" {
	make_elf_core
	fake --limit 2M -o out/core "$target"
	succeeds
	cmp core out/core
}

@test "--limit of what is no core" {
	fake --limit 1M -o out/core "$target"
	fails 9 "can't be read any further (Exec format error)"
	empty out
}

@test "wrong sizes, rates and times are refused" {
	local value
	for value in "" -1 1X 1.5 K 1KB 1e3 99999999999E; do
		fake --limit "$value" "$target"
		fails 2 "takes a size such as 500M, not '$value'"
	done
	for value in 1M 0/s 1M/m /s; do
		fake --rate "$value" "$target"
		fails 2 "takes a size per second such as 100M/s, not '$value'"
	done
	for value in 0s 5 1001h 1d; do
		fake --timeout "$value" "$target"
		fails 2 "takes a time from 1us to 1000h such as 5min, not '$value'"
	done
	fake --progress sometimes "$target"
	fails 2 "takes 'auto', 'always' or 'never', not 'sometimes'"
}

@test "--rate makes it slow" {
	head -c 1M /dev/urandom >core
	local from=${EPOCHREALTIME/[.,]/}
	fake --rate 1M/s -o out/core "$target"
	succeeds
	cmp core out/core
	# The last piece is waited for, too.
	[ $((${EPOCHREALTIME/[.,]/} - from)) -ge 900000 ]
}

@test "--rate does not count holes of a file" {
	truncate -s 10G core
	fake --rate 1M/s -o out/core "$target"
	succeeds
	[ "$(stat -c %s out/core)" -eq $((10 << 30)) ]
}

@test "--progress=always tells what is left" {
	head -c 1M /dev/urandom >core
	fake --rate 512K/s --progress=always -o out/core "$target"
	[ "$status" -eq 0 ]
	grep -qE '^kcoresnap: [0-9.]+ [KM]iB of 1.0 MiB, [0-9.]+ .?i?B/s, [0-9]+ s left, pause 3.2 ms$' stderr
	[ "$(wc -l <stderr)" -ge 2 ]
	[ "$(wc -l <stderr)" -le 4 ]
}

@test "--progress=never and -q" {
	FAKE_READ_MS=1200 LD_PRELOAD=$fake script -qec \
		"'$KCORESNAP' --progress=never -o out/core $target" /dev/null \
		>stdout </dev/null 3>&-
	[ ! -s stdout ]
	fake -q --progress=always --force -o out/core "$target"
	succeeds
	fake -v -q --force -o out/core "$target"
	succeeds
	fake -q -v --force -o out/core "$target"
	[ "$status" -eq 0 ]
	[ "$(wc -l <stderr)" -eq 1 ]
}

@test "-q does not hide what went wrong" {
	FAKE_LOST=4096 fake -q -o out/core "$target"
	fails 9 "could no longer be read"
}
