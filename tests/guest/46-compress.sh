#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Of one stopped target: what is compressed is the same core; what is left out by --limit is what was said, and gdb reads the rest.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

plan 15

same=$KCS_TREE/tests/core/same.py

mkdir dir
program=$KCS_TARGETS/known_threads
"$program" >ready &
pid=$!
wait_for 30 grep -qs ready ready || diag "the target is not ready"
kill -STOP "$pid"
all_stopped()
{
	[ "$(awk '/^State:/ && $2 != "T"' "/proc/$pid"/task/*/status | wc -l)" -eq 0 ]
}
wait_for 30 all_stopped

kcs()
{
	kcs_run "$KCS" --max-pause 20s "$@" "$pid"
}

kcs -o dir/plain
is "$status" 0 "a plain core of a stopped process"
kcs -o dir/again
cmd_ok "and another are equal" python3 "$same" dir/plain dir/again
for level in -z1 -z -z19; do
	kcs "$level" -o "dir/core$level"
	is "$status $(zstd -qdc "dir/core$level" | python3 "$same" - dir/plain 2>&1)" "0 " "$level, decompressed, too"
	diag "$level: $(stat -c %s "dir/core$level") of $(stat -c %s dir/plain) bytes"
done
"$KCS" --max-pause 20s -z "$pid" | zstd -qdc | python3 "$same" - dir/plain
is "${PIPESTATUS[*]}" "0 0 0" "through a pipe"
"$KCS" --max-pause 20s "$pid" | zstd -q | zstd -qdc | python3 "$same" - dir/plain
is "${PIPESTATUS[*]}" "0 0 0 0" "compressed by somebody else"
"$KCS" --max-pause 20s "$pid" | { sleep 1; cat; } | python3 "$same" - dir/plain
is "${PIPESTATUS[*]}" "0 0 0" "a reader that begins late"
"$KCS" --max-pause 20s --rate 20M/s "$pid" | python3 "$same" - dir/plain
is "${PIPESTATUS[*]}" "0 0" "slowly"

# With a limit: what of the plain core is not there is told by the headers.

kcs --limit 400K -o dir/small
like "$status $(cat .err)" "^9 .*incomplete: .* left out, as --limit asks.*kept as 'dir/small.incomplete'" "a limit on the size"
num $(($(stat -c '%b * 512' dir/small.incomplete))) -le $((440 << 10)) "which holds"
python3 - dir/plain dir/small.incomplete >wrong <<'END'
import struct, sys
def loads(path):
    data = open(path, "rb").read()
    count = struct.unpack_from("<H", data, 56)[0]
    for n in range(count):
        p = struct.unpack_from("<IIQQQQQQ", data, 64 + 56 * n)
        if p[0] == 1:
            yield p[3], p[6], p[1], data[p[2]:p[2] + p[5]]
wholes, parts = list(loads(sys.argv[1])), list(loads(sys.argv[2]))
short = 0
for start, size, flags, data in wholes:
    mine = [part for part in parts if start <= part[0] < start + size]
    parts = parts[len(mine):]
    # Of a stack, what is below the stack pointer may be left out. Several stacks may be in one segment.
    at = mine[0][0] if mine else None
    for part in mine:
        if part[0] != at or part[2] != flags or not data[at - start:].startswith(part[3]):
            print("segment %#x" % start, "at %#x" % part[0])
        at += part[1]
    if at != start + size:
        print("segment %#x" % start, "does not end")
    short += sum(len(part[3]) for part in mine) < len(data)
if parts:
    print(len(parts), "segments more")
if not short:
    print("nothing is short")
END
is "$(cat wrong)" "" "its segments are those of the plain core, some shorter"

backtraces()
{
	timeout 60 gdb -nx -batch -ex "thread apply all bt" "$program" "$1" 2>gdb.err </dev/null |
		grep '^#' | grep -oE 'wait_in_main|spin_in_user_mode|block_with_registers|sleep_in_nanosleep|wait_on_futex' | sort -u
}
is "$(backtraces dir/small.incomplete)" "$(backtraces dir/plain)" "its stacks are all there, for gdb" || cat gdb.err >&2
is "$(backtraces dir/plain | wc -l)" 5 "and they are those of the program"
is "$("$KCS" --max-pause 20s -z --limit 400K "$pid" 2>/dev/null | zstd -qdc | python3 "$same" - dir/small.incomplete)" "" \
	"with -z and into a pipe the same"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
:
