# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables that lib.sh or the script itself uses
#
# For tests of what a snapshot may do to its target and to others: no harm. Sourced after lib.sh and requests.sh.
#
#   tenant NAME CGROUP KIND MIB	start tests/targets/tenant, in a cgroup unless that is "-"; its ${pids[NAME]}, NAME.map, and
#				$why it can't be had here, if so
#   start NAME CGROUP COMMAND...	the same of any program that talks so
#   tell NAME COMMAND...	print its answer
#   evict NAME			end it
#   hold PID			take a snapshot that nobody reads; $held is where it can be read
#   drop			close it
#   open_snapshot PID OPTION...	start the tool, which then waits with its output
#   read_snapshot FILE		let it go on; its $status, its stderr in .err
#   safe CGROUP			from here on nobody must be killed, in the cgroup or else ("-")
#   harm NAME...		what has happened, to these tenants too, or nothing

declare -A pids kcs_to kcs_from
trap '' PIPE

tell()
{
	local to=${kcs_to[$1]} from=${kcs_from[$1]} answer

	shift
	{ echo "$*" >&"$to"; } 2>/dev/null
	if IFS= read -r -t 200 -u "$from" answer; then
		echo "$answer"
	else
		echo "no answer to $*"
	fi
}

tenant()
{
	start "$1" "$2" "$KCS_TARGETS/tenant" "${@:3}"
}

start()
{
	local name=$1 cgroup=$2 line to from

	shift 2
	why=''
	rm -f "$name.in" "$name.out"
	mkfifo "$name.in" "$name.out"
	{
		[ "$cgroup" = - ] || echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec "$@"
	} <"$name.in" >"$name.out" &
	pids[$name]=$!
	exec {to}>"$name.in" {from}<"$name.out"
	kcs_to[$name]=$to kcs_from[$name]=$from
	while IFS= read -r -t 200 -u "$from" line; do
		case $line in
		"ready "*) pids[$name]=${line#ready } && return ;;
		"unavailable "*) why=${line#unavailable } && return ;;
		*) echo "$line" >"$name.map" ;;
		esac
	done
	diag "$* did not start"
}

evict()
{
	local to=${kcs_to[$1]} from=${kcs_from[$1]}

	exec {to}>&- {from}<&-
	kill -KILL "${pids[$1]}"
	wait "${pids[$1]}"
	# Not each of them is a child of the script's.
	wait_for 20 eval "! kill -0 ${pids[$1]}"
} 2>/dev/null

hold()
{
	rm -f held held.err
	"$KCS_TARGETS/snapshot_fd" hold "$1" >held 2>held.err &
	holder=$!
	wait_for 60 grep -qs . held held.err
	held=$(find "/proc/$holder/fd" -lname '*core.*')
	[ -n "$held" ] || diag "no snapshot: $(cat held.err)"
}

drop()
{
	kill "$holder"
	wait "$holder"
} 2>/dev/null

open_snapshot()
{
	local pid=$1

	shift
	rm -f fifo .err
	mkfifo fifo
	"$KCS" --max-pause 20s "$@" "$pid" >fifo 2>.err &
	tool=$!
	exec {kcs_output}<fifo
	wait_for 60 eval "[ -s .err ] || '$KCS' list | grep -q ' $pid '"
	[ ! -s .err ] || diag "$(cat .err)"
}

read_snapshot()
{
	cat <&"$kcs_output" >"$1"
	exec {kcs_output}<&-
	status=0
	wait "$tool" || status=$?
}

kcs_kills()
{
	awk '$1 == "oom_kill"' /proc/vmstat
	[ "$kcs_safe" = - ] || find "$kcs_safe" -name memory.events -exec grep -H '^oom_kill ' {} +
	[ "$kcs_safe" = - ] || find "$kcs_safe" -name memory.oom_control -exec grep -H '^oom_kill ' {} +
}

safe()
{
	kcs_safe=$1
	kcs_kills >kills
}

harm()
{
	local name answer

	for name; do
		answer=$(tell "$name" check)
		[ "$answer" = ok ] || echo "$name: $answer"
		running "${pids[$name]}"
	done
	left_behind
	kcs_kills | diff kills - | grep '^[<>]'
}
