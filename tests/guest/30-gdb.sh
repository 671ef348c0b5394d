#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# gdb, readelf, eu-readelf and eu-stack on our core, and on the kernel's own of the same process.
. "$KCS_TREE/tests/guest/lib.sh"

functions="wait_in_main spin_in_user_mode spin_with_registers block_with_registers sleep_in_nanosleep block_in_read
	wait_on_futex raise_signal"
program=$KCS_TARGETS/known_threads

# What gdb prints for "p" of an expression, in one line: VALUE.
cat >gdb.commands <<'END'
set width 0
set height 0
echo == threads\n
info threads
echo == backtraces\n
thread apply all bt
echo == marks\n
thread apply all -q printf "mark %ld\n", thread_mark
echo == globals\n
printf "%#lx %s\n", global_number, heap_string
echo == exe\n
info proc exe
info auxv
END

# registers FUNCTION: gdb commands for the thread whose frame 0 is FUNCTION
registers()
{
	cat <<END
echo == registers $1\\n
python
for t in gdb.selected_inferior().threads():
    t.switch()
    if gdb.newest_frame().name() == "$1":
        break
def show(name):
    print(name, gdb.execute("p/x \$" + name, to_string=True).split(" = ", 1)[1].strip())
for r in "rbx", "r12", "r13", "r14", "r15", "mxcsr":
    print(r, hex(int(gdb.newest_frame().read_register(r)) & 0xffffffffffffffff))
print("st0", gdb.execute("p \$st0", to_string=True).split(" = ", 1)[1].strip())
print("st1", gdb.execute("p \$st1", to_string=True).split(" = ", 1)[1].strip())
for i in range(16):
    show("xmm%d.v2_int64" % i)
if avx:
    for i in range(16):
        show("ymm%d.v4_int64" % i)
END
	echo end
}

avx=False
! grep -qw avx /proc/cpuinfo || avx=True
{
	printf 'python avx = %s\n' "$avx"
	cat gdb.commands
	registers spin_with_registers
	registers block_with_registers
} >gdb.all

# expected BASE ST0 ST1 MXCSR: what registers() should print
expected()
{
	local base=$1 i

	printf '%s 0x%x\n' rbx $((base + 0xb0)) r12 $((base + 0xc12)) r13 $((base + 0xc13)) \
		r14 $((base + 0xc14)) r15 $((base + 0xc15)) mxcsr "$4"
	printf 'st0 %s\nst1 %s\n' "$2" "$3"
	for i in {0..15}; do
		printf 'xmm%d.v2_int64 {0x%x, 0x%x}\n' "$i" $((base + (i << 8))) $((base + (i << 8) + 1))
	done
	[ "$avx" = False ] || for i in {0..15}; do
		printf 'ymm%d.v4_int64 {0x%x, 0x%x, 0x%x, 0x%x}\n' "$i" $((base + (i << 8))) \
			$((base + (i << 8) + 1)) $((base + (i << 8) + 2)) $((base + (i << 8) + 3))
	done
}

# section NAME FILE
section()
{
	awk -v want="== $1" '/^== / { on = $0 == want; next } on' "$2"
}

# Warnings, without what differs between any two cores.
warnings()
{
	grep -iE 'warning|error|corrupt|truncated|not match|cannot|unable|failed|unexpected' "$@" |
		sed -e 's/core\.[a-z]*/CORE/g' -e 's/LWP [0-9]*/LWP/g' | sort -u
}

# no_new_warnings NAME FILE-OURS FILE-KERNEL
no_new_warnings()
{
	local extra

	extra=$(comm -23 <(warnings "$2") <(warnings "$3"))
	is "$extra" "" "$1"
}

plan 17

"$program" >ready &
pid=$!
wait_for 30 grep -qs ready ready || diag "the target is not ready"
echo "$KCS_TMP/core.kernel" >/proc/sys/kernel/core_pattern
echo 0 >/proc/sys/kernel/core_uses_pid
ulimit -c unlimited
prlimit --pid "$pid" --core=unlimited 2>/dev/null

cmd_ok "a core of threads in known functions" "$KCS" --max-pause 20s -o core.ours "$pid"
kill -0 "$pid" || diag "the target is gone"
kill -ABRT "$pid"
wait "$pid" 2>/dev/null
[ -s core.kernel ] || diag "the kernel wrote no core"

for who in ours kernel; do
	timeout 60 gdb -nx -batch -x gdb.all "$program" "core.$who" >"gdb.$who" 2>&1 </dev/null
	readelf -W -l -n -h "core.$who" >"readelf.$who" 2>&1
	eu-readelf -l -n -h "core.$who" >"eu-readelf.$who" 2>&1
	eu-stack --core="core.$who" -e "$program" >"eu-stack.$who" 2>&1
done
mkdir -p "$KCS_OUT/30-gdb"
cp ./*.ours ./*.kernel "$KCS_OUT/30-gdb"
rm "$KCS_OUT"/30-gdb/core.*

no_new_warnings "gdb has no complaint that it has not of the kernel's core" gdb.ours gdb.kernel
no_new_warnings "nor has readelf" readelf.ours readelf.kernel
no_new_warnings "nor has eu-readelf" eu-readelf.ours eu-readelf.kernel

count_threads()
{
	section threads "$1" | grep -c 'LWP'
}
is "$(count_threads gdb.ours)" 8 "gdb finds all threads"
is "$(count_threads gdb.ours)" "$(count_threads gdb.kernel)" "as many as in the kernel's core"

# Of each thread, its backtrace's functions of the program in one line.
stacks()
{
	section backtraces "$1" | awk '
		/^Thread|^$/ { if (line) print line; line = "" ; next }
		/^#/ { for (i = 2; i <= NF; i++) if ($(i + 1) ~ /^\(/ || $i == "<signal") { line = line " " $i; break } }
		END { if (line) print line }' | sort
}
missing=
for function in $functions; do
	[ "$(stacks gdb.ours | grep -cw "$function")" -eq 1 ] || missing="$missing $function"
done
is "$missing" "" "thread apply all bt names the function of each thread" || section backtraces gdb.ours >&2
like "$(stacks gdb.ours | grep -w raise_signal)" "handle_signal <signal.*raise_signal" "and sees through a signal handler"
is "$(stacks gdb.ours)" "$(stacks gdb.kernel)" "backtraces are those of the kernel's core"

is "$(section marks gdb.ours | awk '$1 == "mark" { print $2 }' | sort | xargs)" \
	"1000 1001 1002 1003 1004 1005 1006 1007" "a thread-local variable reads back in each thread" ||
	section marks gdb.ours >&2
is "$(section globals gdb.ours)" "0x1122334455667788 a string on the heap" "so do a global and the heap"
is "$(section exe gdb.ours)" "$(section exe gdb.kernel)" "info proc and info auxv are those of the kernel's core"

# has_registers FUNCTION NAME EXPECTED...
has_registers()
{
	local function=$1 name=$2

	shift 2
	is "$(diff <(expected "$@") <(section "registers $function" gdb.ours))" "" "$name (avx: $avx)"
}
has_registers spin_with_registers "registers planted in a spinning thread" 0x5150000000000000 2.5 7.75 0x3f80
has_registers block_with_registers "registers planted in a thread blocked in a system call" \
	0x6160000000000000 -1234.0625 8192.5 0x5f80

missing=
for function in $functions handle_signal; do
	grep -qw "$function" eu-stack.ours || missing="$missing $function"
done
is "$missing" "" "eu-stack names the function of each thread" || cat eu-stack.ours >&2
is "$(grep -c '^TID' eu-stack.ours)" "$(grep -c '^TID' eu-stack.kernel)" "eu-stack finds as many threads as in the kernel's core"

is "$("$KCS" list)" "" "no snapshot is left"
