# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the test scripts of the guest, which are tests/guest/NN-NAME.sh. A script starts like this:
#
#   #!/bin/bash
#   # SPDX-License-Identifier: GPL-2.0
#   # Time limit: 60 s			(optional; 120 s without it)
#   . "$KCS_TREE/tests/guest/lib.sh"
#   plan 3
#
# and reports each of its tests once, by one of:
#
#   ok NAME				it passed
#   not_ok NAME [LINE...]		it failed; the lines say how
#   skip NAME REASON			it can't run here
#   is GOT WANT NAME			passes if the strings are equal
#   isnt GOT UNWANTED NAME		passes if they differ
#   like GOT REGEX NAME			passes if bash's [[ GOT =~ REGEX ]]
#   num GOT OP WANT NAME		passes if [ GOT OP WANT ], as in num 3 -le 5 "at most five"
#   cmd_ok NAME COMMAND...		passes if the command exits with 0
#   cmd_fails STATUS NAME COMMAND...	passes if the command exits with STATUS
#
# The last two leave the command's stdout and stderr in $KCS_TMP/.out and .err, and its status in $status. Further:
#
#   diag LINE...			print lines that are shown should a test fail
#   tally NAME COUNT			what was counted, for the totals that tests/run and tests/soak print, as in
#					tally injected-failures 120; snapshots are counted without it
#   skip_all REASON			in place of plan: none of the script can run here; exits
#   wait_for SECONDS COMMAND...		until the command succeeds, fails when the time is over
#   scaled COUNT			that count on this row: larger in tests/soak, smaller where everything is slow
#   loaded | load [PARAMETER...] | unload	the module, by insmod and rmmod
#
# A script that ends before all planned tests have reported has failed. So has one that exits with a status of its own that is
# not 0. stdout is for results only; what a script or its commands print on stderr is kept as diagnostics. Everything a script
# starts is killed when it ends, and KCS_TMP is emptied. The module is loaded when it starts; a script that unloads or reloads it
# should leave it loaded.
#
# Environment: KCS the tool; KCS_KO the module; KCS_TARGETS the directory of the built test targets; KCS_TREE the built tree;
# KCS_TMP a scratch directory (tmpfs), where the script starts; KCS_OUT a directory of the host's that outlives the guest;
# KCS_ROW the row of tests/kernels; KCS_TEST the script's name; KCS_SCALE how many times the counts, and KCS_SEED the number from
# which a test that draws lots starts (both 1, save in tests/soak; the time limit is multiplied too); KCS_SLOW the row's slowness,
# by which counts are divided and time limits multiplied. A script with a line "# Soak: yes" counts, and is run by tests/soak.

kcs_planned=
kcs_count=0
kcs_failed=0

plan()
{
	kcs_planned=$1
	echo "KTAP version 1"
	echo "1..$1"
}

skip_all()
{
	echo "KTAP version 1"
	echo "1..0 # SKIP $*"
	kcs_planned=0
	exit 0
}

kcs_result()
{
	kcs_count=$((kcs_count + 1))
	printf '%s %d %s\n' "$1" "$kcs_count" "${2//#/ }"
}

diag()
{
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

tally()
{
	printf '# soak %s %d\n' "$1" "$2"
}

ok()
{
	kcs_result ok "$1"
}

not_ok()
{
	local name=$1

	shift
	diag "$@"
	kcs_failed=$((kcs_failed + 1))
	kcs_result "not ok" "$name"
	return 1
}

skip()
{
	kcs_count=$((kcs_count + 1))
	printf 'ok %d %s # SKIP %s\n' "$kcs_count" "${1//#/ }" "$2"
}

is()
{
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got:  $1" "want: $2"
	fi
}

isnt()
{
	if [ "$1" != "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got, and should not have: $1"
	fi
}

like()
{
	if [[ $1 =~ $2 ]]; then
		ok "$3"
	else
		not_ok "$3" "got: $1" "which does not match: $2"
	fi
}

num()
{
	if test "$1" "$2" "$3"; then
		ok "$4"
	else
		not_ok "$4" "got: $1, want: $2 $3"
	fi
}

kcs_run()
{
	status=0
	"$@" >"$KCS_TMP/.out" 2>"$KCS_TMP/.err" || status=$?
}

kcs_show_run()
{
	diag "command: $*" "status: $status"
	head -c 2000 "$KCS_TMP/.out" | tr -c '\n -~' '?' | sed 's/^/# stdout: /'
	echo
	head -c 2000 "$KCS_TMP/.err" | sed 's/^/# stderr: /'
}

cmd_ok()
{
	local name=$1

	shift
	kcs_run "$@"
	if [ "$status" -eq 0 ]; then
		ok "$name"
	else
		kcs_show_run "$@"
		not_ok "$name"
	fi
}

cmd_fails()
{
	local want=$1 name=$2

	shift 2
	kcs_run "$@"
	if [ "$status" -eq "$want" ]; then
		ok "$name"
	else
		kcs_show_run "$@"
		not_ok "$name" "wanted status $want"
	fi
}

scaled()
{
	local count=$(($1 * ${KCS_SCALE:-1} / ${KCS_SLOW:-1}))

	echo $((count > 0 ? count : 1))
}

wait_for()
{
	local end=$((SECONDS + $1 * ${KCS_SLOW:-1}))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

loaded()
{
	[ -d /sys/module/kcoresnap ]
}

load()
{
	insmod "$KCS_KO" "$@"
}

unload()
{
	rmmod kcoresnap
}

kcs_end()
{
	local status=$?

	if [ -z "$kcs_planned" ]; then
		echo "# no plan"
		exit 1
	fi
	[ "$kcs_count" -eq "$kcs_planned" ] || echo "# $kcs_planned planned, $kcs_count run, exit status $status"
	[ "$kcs_count" -eq "$kcs_planned" ] && [ "$kcs_failed" -eq 0 ] || exit 1
	# The last test's status is not the script's: only an exit with a status of its own is.
	exit "$((kcs_failed == 0 && status > 1 ? status : 0))"
}
trap kcs_end EXIT
