# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables that lib.sh, requests.sh or the script itself uses
#
# For tests of what state a process can be in. Sourced after requests.sh.
#
#   enter KIND [ARGUMENT]...	start tests/targets/states so; its $pid; $why it can't be had here, if so. $prefix is a command
#				to start it by, $states the program
#   in_state LETTER [NAME]	wait until all its threads, or those of the name, are in that state
#   good_core OPTION...		take a core; what is wrong with it, or with the process afterwards, or nothing
#   good_refusal STATUS REGEX OPTION...	ask for one that is refused; what is wrong, or nothing
#   left [NUMBER]		end it; what is wrong with how it ends, or nothing. NUMBER is how often its parent was told
#				something before (0)
#   verdict NAME WRONG...	passes if nothing is wrong
#
# What good_core looks at:
#
#   manner	busy: it goes on. asleep: it goes on, but its thread "subject" was not given a CPU meanwhile. still: none was.
#   in_call	how many threads the core shows inside their system call (a regular expression)
#   because	a refusal with status 5 that matches this is good too

states=$KCS_TARGETS/states prefix='' manner=busy in_call='[0-9]+' because=''

enter()
{
	pid='' why=''
	rm -f state state.err
	# shellcheck disable=SC2086 # words
	$prefix "$states" "$@" >state 2>state.err </dev/null &
	overseer=$!
	wait_for 60 grep -qs -e ^ready -e ^unavailable state || diag "states $* did not start: $(cat state state.err)"
	case $(<state) in
	"ready "*) read -r _ pid <state ;;
	unavailable*) read -r _ why <state ;;
	esac
}

# look [NAME]: sets $letters, $switches and $count.
look()
{
	read -r letters switches count < <("$KCS_TARGETS/statecheck" look "$pid" "$@")
}

all_are()
{
	look ${2:+"$2"}
	[[ $letters =~ ^($1)+$ ]]
}

in_state()
{
	wait_for 20 all_are "$@" || echo "the threads are $letters, not $1. "
}

moves()
{
	local count letters switches

	look
	[ "$count" -gt "$1" ]
}

# unmoved LETTERS SWITCHES COUNT NAME...: what is wrong with the process now, or nothing
unmoved()
{
	local letters switches count

	look "${@:4}"
	case $manner in
	busy) ;;
	*)
		[ "$letters" = "$1" ] || echo "its threads were $1, are $letters. "
		[ "$switches" = "$2" ] || echo "its threads were given a CPU: $2 switches, then $switches. "
		;;
	esac
	if [ "$manner" = still ]; then
		[ "$count" = "$3" ] || echo "it moved. "
	else
		wait_for 20 moves "$3" || echo "it does not go on. "
	fi
}

good_core()
{
	local status=0 letters switches count whom=() checked

	[ "$manner" != asleep ] || whom=(subject)
	rm -f core
	look "${whom[@]}"
	# The machine may be busy, but not as long as that.
	"$KCS" --max-pause 20s -o core "$@" "$pid" >.out 2>.err || status=$?
	[ ! -s .out ] || echo "something on stdout. "
	if [ "$status" -eq 0 ]; then
		[ ! -s .err ] || echo "it said: $(<.err). "
		checked=$("$KCS_TARGETS/statecheck" core 2>&1)
		[[ $checked =~ ^roles\ [1-9][0-9]*\ in-call\ ($in_call)\ count ]] || echo "the core: $checked. "
	elif [ "$status" -ne 5 ] || [ -z "$because" ] || [ -n "$(one_sentence "$because")" ]; then
		echo "status $status: $(<.err). "
	fi
	left_behind
	unmoved "$letters" "$switches" "$count" "${whom[@]}"
}

good_refusal()
{
	local want=$1 regex=$2 status=0

	shift 2
	"$KCS" --max-pause 20s "$@" "$pid" >.out 2>.err || status=$?
	[ "$status" -eq "$want" ] || echo "status $status, not $want: $(<.err). "
	[ ! -s .out ] || echo "something on stdout. "
	one_sentence "$regex"
	left_behind
}

ended()
{
	! kill -0 "$overseer"
} 2>/dev/null

left()
{
	kill -TERM "$overseer"
	wait_for 20 ended || echo "it does not end. "
	kill -KILL ${pid:+"$pid"} "$overseer"
	wait "$overseer"
	cat state.err
	[ "$(tail -n 1 state)" = "child exited 0" ] || echo "it ended otherwise: $(tail -n 1 state). "
	[ "$(grep -c ^child state)" -eq "$((${1:-0} + 1))" ] || echo "its parent was told: $(grep ^child state | xargs). "
} 2>/dev/null

verdict()
{
	local name=$1

	shift
	if [ -n "$why" ]; then
		skip "$name" "$why"
	else
		is "$*" "" "$name"
	fi
}
