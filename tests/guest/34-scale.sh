#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 400 s
#
# More of everything than anybody has: 70 000 mappings, names of files that take MiBs, thousands of threads (10 000 with
# KCS_SCALE=4, which takes minutes), 16 TiB without access, 1 TiB of which a few pages are written to. What is in the core, by the
# headers and by gdb; and what it costs the target.
. "$KCS_TREE/tests/guest/lib.sh"

mappings=70000
threads=$(scaled 2500)
[ "$threads" -le 10000 ] || threads=10000
files=/var/tmp/34-scale

plan 24

echo 200000 >/proc/sys/vm/max_map_count
echo 60000 >/proc/sys/kernel/threads-max
rm -rf "$files"
name=$(printf 'd%.0s' {1..60})
mkdir -p "$files/$name/$name/$name"

# start PROGRAM ARGUMENT...
start()
{
	rm -f map
	"$KCS_TARGETS/$1" "${@:2}" >map &
	pid=$!
	wait_for 120 grep -qs ^ready map || diag "$* is not ready"
}

stop()
{
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	rm -f core
}

rss()
{
	grep -E '^(VmRSS|RssAnon|RssFile|RssShmem|VmSwap|VmPTE)' "/proc/$pid/status"
}

# good_core NAME: a core, sparse, at no cost of the target, with what the map says
good_core()
{
	rss >rss.before
	cmd_ok "a core of $1" "$KCS" -v --max-pause 20s -o core "$pid"
	diag "$(cat .err)"
	rss >rss.after
	is "$(diff rss.before rss.after)" "" "$1: the target has grown by nothing"
	cmd_ok "$1: what was written is in it" python3 "$KCS_TREE/tests/core/check_memory.py" core map
	is "$(gdb_words)" "" "$1: gdb reads the same"
}

# What of the map gdb does not find so: the first word of each range.
gdb_words()
{
	local start content commands=() want=()

	while read -r _ start _ content; do
		case $content in
		filled) want+=("$(python3 -c "print('0x%016x' % ((($start >> 3) * 0x9e3779b97f4a7c15 + 1) & 2**64 - 1))")") ;;
		zero) want+=(0x0000000000000000) ;;
		*) continue ;;
		esac
		commands+=(-ex "x/gx $start")
	done <map
	timeout 100 gdb -nx -batch "${commands[@]}" "$KCS_TARGETS/scale" core 2>&1 </dev/null |
		sed -n 's/.*0x[0-9a-f]*:[[:space:]]*\(0x[0-9a-f]*\)$/\1/p' | diff - <(printf '%s\n' "${want[@]}")
}

allocated_kib()
{
	echo $(($(stat -c '%b * %B' core) / 1024))
}

start scale mappings "$mappings" "$files/$name/$name/$name/file"
good_core "$mappings mappings"
{
	readelf -hW core
	python3 - <<-END
		import sys
		sys.path.insert(0, "$KCS_TREE/tests/core")
		import elfcore
		core = elfcore.Core("core")
		note = next(n for n in core.notes if n.type == elfcore.NT_FILE)
		count = core.format.words(note.desc[:8])[0]
		print("phnum", core.ehdr.phnum == elfcore.PN_XNUM, "loads", len(core.loads) >= $mappings)
		print("files", count >= $mappings, len(note.desc) > 4 << 20, note.desc.count(b"/file\\0"))
		end = core.loads[-1].offset + core.loads[-1].filesz
		print("section", core.ehdr.shoff == end, core.size - end)
	END
} >headers 2>&1
is "$(grep -E '^(phnum|files|section)' headers | xargs)" "phnum True loads True files True True $mappings section True 64" \
	"it counts them in a section header, and names their files in one note of more than 4 MiB" || cat headers >&2
like "$(cat headers)" "Number of program headers: *65535 \([7-9][0-9]{4}\)" "readelf counts them too"
num "$(allocated_kib)" -lt $((80 * 1024)) "and it is as small as what it holds"
stop

start threads "$threads" 0
cmd_ok "a core of $threads threads" "$KCS" -v --max-pause 20s -o core "$pid"
diag "$(cat .err)"
find "/proc/$pid/task" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort -n >tids
"$KCS_TARGETS/corethreads" core | sort -n >in-core
is "$(wc -l <in-core) $(diff tids in-core | head)" "$threads " "it has the registers of each"
# Each frame takes gdb a while: so of all threads their ids, and of every five hundredth where it is.
cat >gdb.py <<-'END'
	for i, thread in enumerate(gdb.selected_inferior().threads()):
	    print("thread", thread.ptid[1])
	    if i % 500 == 0:
	        thread.switch()
	        names, frame = [], gdb.newest_frame()
	        while frame:
	            names.append(str(frame.name()))
	            frame = frame.older()
	        print("asleep", any("pause" in name for name in names) and bool({"main", "sleeping_thread"} & set(names)))
END
timeout 200 gdb -nx -batch -x gdb.py "$KCS_TARGETS/threads" core >gdb.out 2>&1 </dev/null
awk '$1 == "thread" { print $2 }' gdb.out | sort -n >in-gdb
is "$(wc -l <in-gdb) $(diff tids in-gdb | head)" "$threads " "gdb finds each of them"
is "$(grep -c '^asleep True' gdb.out) $(grep -c '^asleep False' gdb.out)" "$(((threads + 499) / 500)) 0" "asleep where it is" ||
	grep -v '^thread' gdb.out | head -20 >&2
is "$("$KCS" show core | awk 'past && $3 == "S"' past=1 | wc -l)" "$threads" "the note of how it was taken has them all"
stop

start scale reserve
good_core "16 TiB without access"
num "$(stat -c %s core)" -gt $((16 << 40)) "its core is as large as the reserve"
num "$(allocated_kib)" -lt 4096 "and takes less than 4 MiB"
stop

start scale sparse
good_core "1 TiB"
num "$(allocated_kib)" -lt 4096 "and takes less than 4 MiB"
is "$("$KCS" list)" "" "no snapshot is left"
stop
rm -rf "$files"
