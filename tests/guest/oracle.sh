# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests that compare a core of ours with the kernel's own of the same process. Sourced after lib.sh.
#
#   pose PROGRAM [ARGUMENT]...	start a program of $KCS_TARGETS that prints "ready" at last; its $pid and what it prints, in
#				the file "posed"
#   both_cores OPTION... -- [TOOL-OPTION]...	stop it, let the tool write core.ours and then the kernel core.kernel of the
#				same state: OPTIONs are those of tests/targets/oracle.c. What went wrong, or nothing; what it
#				says of the threads is in the file "stood". $filter_after, where it is set, is the process's
#				coredump_filter for the kernel's core only
#   same_cores			what compare.py says of the two, or nothing
#   dismiss			end it, where it did not end by that

ulimit -c unlimited
echo "$KCS_TMP/core.kernel" >/proc/sys/kernel/core_pattern
echo 0 >/proc/sys/kernel/core_uses_pid

pose()
{
	local program=$1

	shift
	rm -f posed core.ours core.ours.incomplete core.kernel
	"$KCS_TARGETS/$program" "$@" >posed </dev/null &
	pid=$!
	# That it dumps core is no news.
	disown "$pid"
	wait_for 60 grep -qs ^ready posed || diag "$program $* is not ready"
}

both_cores()
{
	local options=() status=0

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # for the inner shell
	filter=${filter_after:-} "$KCS_TARGETS/oracle" "${options[@]}" "$pid" sh -c \
		'"$@"; status=$?; [ -z "$filter" ] || echo "0x$filter" >"/proc/$0/coredump_filter"; exit $status' \
		"$pid" "$KCS" --max-pause 20s -o core.ours "$@" "$pid" >stood 2>stood.err || status=$?
	[ "$status" -eq 0 ] || echo "status $status: $(<stood.err). "
	[ ! -e core.ours.incomplete ] || mv core.ours.incomplete core.ours
	[ -s core.ours ] || echo "no core of ours. "
	[ -s core.kernel ] || echo "no core of the kernel's. "
}

# One for all, as starting it takes longer than most comparisons.
coproc compare { exec python3 "$KCS_TREE/tests/core/compare.py" - 2>&1; }
# shellcheck disable=SC2154 # coproc sets it
exec {compare_to}>&"${compare[1]}" {compare_from}<&"${compare[0]}"

same_cores()
{
	local line count=0

	echo "$PWD/core.ours $PWD/core.kernel" >&"$compare_to"
	while IFS= read -r -t 300 -u "$compare_from" line || line="no answer of compare.py's"; do
		[ "$line" != end ] || return 0
		[ $((count += 1)) -gt 20 ] || echo "$line"
		[ "$line" != "no answer of compare.py's" ] || return 1
	done
}

gone()
{
	! kill -0 "$pid" 2>/dev/null
}

dismiss()
{
	kill -KILL "$pid" 2>/dev/null
	wait_for 20 gone || diag "process $pid does not end"
}
