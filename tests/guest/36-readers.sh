#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 400 s
#
# Those who read cores, in the userland of the row: what each says of our core is what it says of the kernel's own of the same
# state, and is right. 30-gdb has registers and variables.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/oracle.sh"

plan 26

program=$KCS_TARGETS/posed_cxx
mkdir -p "$KCS_OUT/36-readers"

# on_both NAME COMMAND...: run it, with CORE in it standing for each of the two, and keep what it says in NAME.ours and NAME.kernel
on_both()
{
	local name=$1 who

	shift
	for who in ours kernel; do
		timeout 100 "${@//CORE/core.$who}" </dev/null 2>&1 | sed "s/core\.$who/CORE/g" >"$name.$who"
		cp "$name.$who" "$KCS_OUT/36-readers"
	done
}

# same NAME WHAT FILTER...: passes if, by that filter, what was said is the same for both, and not nothing
same()
{
	local name=$1 what=$2

	shift 2
	"$@" <"$name.ours" >filtered.ours
	"$@" <"$name.kernel" >filtered.kernel
	[ -s filtered.kernel ] || diag "nothing is said of the kernel's core" "$(head -n 20 "$name.kernel")"
	if [ -s filtered.kernel ]; then
		is "$(diff filtered.ours filtered.kernel | head -n 30)" "" "$what"
	else
		not_ok "$what"
	fi
}

pose posed_cxx vdso 5
wrong=$(both_cores -v 1 -- )
[ -n "$wrong" ] || wrong=$(same_cores)
is "$wrong" "" "cores of a C++ program, one thread in the vdso and four waiting"
cp posed stood "$KCS_OUT/36-readers"

# gdb. The order of the threads, the current one and the signal are what differs.
cat >gdb.commands <<'END'
set width 0
set height 0
set print frame-arguments all
info sharedlibrary
info proc mappings
info auxv
thread apply all bt
thread apply all p mark
thread apply all info registers
END
on_both gdb gdb -nx -batch -x gdb.commands "$program" CORE
gdb_part()
{
	sed 's/^\$[0-9]* = /mark = /' | grep -v -e '^Program terminated' -e '^Core was' -e '^\[Current' -e '^\[New LWP' -e '^#0 .*[^)]$' | sed 's/^Thread [0-9]* (/Thread (/' |
		awk '/^Thread/ { thread = $0 } { print thread ": " $0 }' | sort
}
same gdb "gdb: mappings, backtraces, thread-local variables and registers" gdb_part
like "$(cat gdb.ours)" "asking_for_time::strike.*run .*main " "gdb names the functions below the vdso's"
is "$(grep -o '"mark of thread [0-4]"' gdb.ours | sort -u | wc -l)" 5 "gdb finds each thread's string"

# lldb
on_both lldb lldb --batch --no-lldbinit -c CORE -o "thread list" -o "bt all" -o "image list" "$program"
lldb_part()
{
	sed -e 's/, stop reason = .*//' -e 's/^\*/ /' -e 's/thread #[0-9]*/thread/' -e 's/0x[0-9a-f]*8[0-9a-f]*: tid/tid/' |
		grep -E 'frame #|tid = |thread|^\[' | sed -e 's/^ *//' -e 's/^\[ *[0-9]*\]//' | sort
}
same lldb "lldb: threads, backtraces and images" lldb_part
like "$(cat lldb.ours)" "asking_for_time::strike" "lldb names the functions"
is "$(grep -c 'frame #.*block()' lldb.ours)" 4 "and finds those who wait"

# elfutils
on_both eu-stack eu-stack --core=CORE -e "$program"
by_thread()
{
	awk '/^TID/ { thread = $0 } { print thread " " $0 }' | sort
}
same eu-stack "eu-stack: threads and their stacks" by_thread
like "$(cat eu-stack.ours)" "asking_for_time.*run" "eu-stack names the functions"
on_both eu-unstrip eu-unstrip -n --core=CORE -e "$program"
same eu-unstrip "eu-unstrip: modules and build ids" sort
build_id=$(readelf -n "$program" | awk '/Build ID/ { print $3 }')
like "$(cat eu-unstrip.ours)" "${build_id:-none}" "eu-unstrip finds the program by its build id"
like "$(cat eu-unstrip.ours)" "linux-vdso" "and the vdso"

# Of the notes, what is about the signal, the end and time is not the same; ours has one more. The kernel's own core of 5.10 has
# lost the base of fs.
lost=none
[[ $(uname -r) != 5.10.* ]] || lost='fs\.base'
notes_part()
{
	sed -n '/KCORESNAP/q;p' | grep -v -e 'cursig' -e 'sigpend' -e 'info.si' -e 'si_' -e 'utime' -e 'stime' -e 'sname' -e 'zomb' -e 'state:' \
		-e 'flag:' -e 'Note segment' -e 'Displaying notes' -e 'sigcode' -e 'signo' -e 'sender PID' -e "$lost" | sort
}
on_both eu-readelf eu-readelf -n CORE
same eu-readelf "eu-readelf: notes" notes_part
on_both readelf readelf -W -n CORE
same readelf "readelf: notes" notes_part
segments_part()
{
	awk '$1 == "LOAD" { $2 = ""; print }'
}
on_both readelf-l readelf -W -l CORE
same readelf-l "readelf: segments" segments_part
sections_part()
{
	awk '$1 ~ /^[0-9]+$/ && $2 !~ /^(note0|\.reg[^\/]*)$/ { print $2, $3, $4, $5 } /^ *(CONTENTS|ALLOC)/ { print }' |
		sed 's|\(xsave-layout\)/[0-9]*|\1|' | sort	# it bears the number of the last thread
}
on_both objdump objdump -w -h CORE
same objdump "objdump: sections" sections_part
on_both file file CORE
same file "file: what it is" cat
like "$(cat file.ours)" "ELF 64-bit LSB core file.*posed_cxx vdso 5" "file names the program"

dismiss

# drgn, which does without the debug information of libraries, but not well
if [ "$KCS_ROW" = bullseye ]; then
	skip "drgn: threads and their stacks" "bullseye has no drgn"
	skip "drgn names the functions" "bullseye has no drgn"
else
	pose posed_static syscall 4
	wrong=$(both_cores -c 4 --)
	on_both drgn python3 "$KCS_TREE/tests/core/drgn_stacks.py" CORE
	same drgn "drgn: threads and their stacks${wrong:+: $wrong}" cat
	is "$(grep -c '^thread' drgn.ours) $(grep -c ' block ' drgn.ours) $(grep -c ' main ' drgn.ours)" "4 4 1" "drgn names the functions"
	dismiss
fi

# delve, on a service under load. First a core of it as it runs, then of one state by both.
program=$KCS_TARGETS/web_service
pose web_service
read -r _ port <posed
"$program" load "$port" 8 &
load=$!
under_load()
{
	[ "$(ss -Htn state established "sport = :$port" | wc -l)" -ge 8 ]
}
wait_for 30 under_load || diag "no load"
cmd_ok "a core of a Go service under load" "$KCS" --max-pause 20s -o core.running "$pid"
# delve has enough to do.
kill -STOP "$load"
delve()
{
	local options=(--check-go-version=false)

	# It used to be content without.
	! dlv help core 2>&1 | grep -q allow-non-terminal-interactive || options+=(--allow-non-terminal-interactive=true)
	printf '%s\n' "${@:2}" exit >delve.commands
	timeout 100 dlv core "$program" "$1" "${options[@]}" --init delve.commands </dev/null 2>&1
}
# The goroutine that waits in hold(), and which of its frames that is.
planted_in()
{
	local number frame

	number=$(delve "$1" goroutines | sed -n 's/^[* ]*Goroutine \([0-9]*\) .*main\.hold.*/\1/p' | head -n 1)
	frame=$(delve "$1" "goroutine $number bt" | awk '$1 ~ /^[0-9]+$/ && /main\.hold/ { print $1; exit }')
	delve "$1" "goroutine $number frame $frame print planted.Number" "goroutine $number frame $frame print planted.Article" \
		"goroutine $number frame $frame print planted.Prices" "goroutine $number bt" threads goroutines continue
}
planted_in core.running >delve.running
cp delve.running "$KCS_OUT/36-readers"
like "$(cat delve.running)" "20260117.*a planted local.*\[3,1,4,1,5\]" "delve prints a local variable of a goroutine that waits"
like "$(cat delve.running)" "main\.hold.*net/http.*Goroutine 1 " "and its stack, and the goroutines"
kill -CONT "$load"
wrong=$(both_cores -- )
[ -n "$wrong" ] || wrong=$(same_cores)
kill "$load" 2>/dev/null
for who in ours kernel; do
	planted_in "core.$who" >"delve.$who"
	cp "delve.$who" "$KCS_OUT/36-readers"
done
# Without the base of fs delve knows of no goroutine's thread, and takes one that runs for one that waits.
threadless=none
if [[ $(uname -r) = 5.10.* ]]; then
	threadless="^[* ]*Goroutine \\($(sed -n 's/^[* ]*Goroutine \([0-9]*\) .*(thread [0-9]*).*/\1/p' delve.ours | paste -sd '|' | sed 's/|/\\|/g')\\) "
fi
delve_part()
{
	# How long it waits is counted from when the core is read.
	grep -v -e '^\[' -e "$threadless" | sed -e 's/^\*/ /' -e 's/ [0-9]*h[0-9]*m[0-9.]*s\]/]/' | sort
}
same delve "delve: variables, threads, goroutines and the refusal to go on${wrong:+: $wrong}" delve_part
like "$(cat delve.ours)" "[Cc]an ?not continue|core process|core file" "delve refuses to go on"
dismiss
is "$("$KCS" list)" "" "no snapshot is left"
