#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 480 s
#
# Programs of many kinds, with few threads and many, in system calls, in the vdso and in signal handlers, by each bit of
# coredump_filter: every header, note and byte is that of the kernel's own core of the same state, save what tests/core/compare.py
# lists. A share of the product; tests/soak has all of it.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/oracle.sh"

mapfile -t cells < <(python3 "$KCS_TREE/tests/core/cells.py" "$(scaled 24)" "$KCS_SEED")
plan $((${#cells[@]} + 3))
ulimit -u unlimited
# So small that the first page of a thread's stack is not a huge one: 1000 of these would be the guest's memory.
ulimit -s 256

# where_wanted PROGRAM WHERE THREADS: sets $wanted, the options that see to it
where_wanted()
{
	wanted=()
	case $2 in
	syscall) wanted=(-c "$3") ;;
	vdso) wanted=(-v 1) ;;
	handler)
		wanted=(-b "$3")
		# Their runtimes have the handler, and come back from it at once.
		case $1 in
		posed_go | posed.py) wanted=(-i) ;;
		esac
		;;
	esac
}

number=0
for cell in "${cells[@]}"; do
	read -r program where threads filter <<<"$cell"
	number=$((number + 1))
	name="$program, $threads threads, $where, filter $filter"
	where_wanted "$program" "$where" "$threads"
	# Each of these ways in turn, whatever the cell.
	[ $((number % 2)) -eq 0 ] || wanted+=(-l)
	mode=cow
	[ $((number % 3)) -ne 0 ] || mode=stop
	pose "$program" "$where" "$threads"
	echo "0x$filter" >"/proc/$pid/coredump_filter"
	wrong=$(both_cores "${wanted[@]}" -- --mode "$mode" --filter "$filter")
	[ -n "$wrong" ] || wrong=$(same_cores)
	[ -z "$wrong" ] || diag "$(cat stood)"
	is "$wrong" "" "$name, mode $mode"
	dismiss
done

name="threads with segments of an LDT, and with I/O ports"
# modify_ldt(2), to read nothing.
if python3 -c 'import ctypes; exit(ctypes.CDLL(None).syscall(154, 0, None, 0) < 0)'; then
	pose posed legacy 6
	wrong=$(both_cores -c 6 --)
	[ -n "$wrong" ] || wrong=$(same_cores)
	is "$wrong" "" "$name"
	dismiss
else
	skip "$name" "this kernel has no modify_ldt(2)"
fi

# That the comparison can fail.
pose posed syscall 2
wrong=$(both_cores -c 2 --)
[ -n "$wrong" ] || wrong=$(same_cores)
is "$wrong$(python3 "$KCS_TREE/tests/core/spoil.py" core.ours core.kernel 2>&1)" "" "one changed byte is seen, wherever it is"
dismiss
tally oracle-cells "${#cells[@]}"
is "$("$KCS" list)" "" "no snapshot is left"
