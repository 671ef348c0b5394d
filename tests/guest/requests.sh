# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables that lib.sh or the script itself uses
#
# For tests of requests that are refused. Sourced after lib.sh.
#
#   target KIND [ARGUMENT]	start tests/targets/awkward so; its $pid; $why it can't be had here, if so
#   forget				end it
#   refused STATUS REGEX NAME OPTION...	passes if kcoresnap OPTION... $pid ends with STATUS and one sentence that matches,
#				on stdout nothing, and leaves the process running and the list of snapshots empty
#   taken NAME OPTION...		passes if it writes a core
#   predicted OPTION...		the pause that a dry run predicts, in us
#   pins			does this kernel's block I/O pin its pages, so that fork leaves them to the parent?

KCS_ONE_LINE='^kcoresnap: [^[:cntrl:]]+$'

target()
{
	pid=0 why=''
	rm -f state
	"$KCS_TARGETS/awkward" "$@" >state &
	awkward=$!
	wait_for 30 grep -qs -e ^ready -e ^unavailable state || diag "the target $* did not start"
	case $(cat state) in
	"ready "*) pid=$(cut -d' ' -f2 state) ;;
	ready) pid=$awkward ;;
	unavailable*) why=$(cut -d' ' -f2- state) ;;
	esac
}

forget()
{
	kill "$awkward"
	wait "$awkward"
} 2>/dev/null

# one_sentence REGEX: what is wrong with stderr, or nothing
one_sentence()
{
	local text

	text=$(cat "$KCS_TMP/.err")
	[ "$(wc -l <"$KCS_TMP/.err")" -eq 1 ] || echo "$(wc -l <"$KCS_TMP/.err") lines on stderr"
	[[ $text =~ $KCS_ONE_LINE ]] || echo "not one sentence"
	[[ $text =~ $1 ]] || echo "not the sentence: $1"
}

# left_behind: what is, or nothing
left_behind()
{
	[ -z "$("$KCS" list 2>&1)" ] || echo "in the list: $("$KCS" list 2>&1)"
}

# running PID: says so if none of its threads is
running()
{
	[[ $(cat "/proc/$1"/task/*/stat 2>/dev/null) =~ \)\ [RSD] ]] || echo "process $1 does not run"
}

refused()
{
	local want=$1 regex=$2 name=$3 wrong

	shift 3
	kcs_run "$KCS" "$@" "$pid"
	wrong=$(
		[ "$status" -eq "$want" ] || echo "status $status, not $want"
		[ ! -s "$KCS_TMP/.out" ] || echo "$(wc -c <"$KCS_TMP/.out") bytes on stdout"
		one_sentence "$regex"
		left_behind
		running "$awkward"
	)
	if [ -z "$wrong" ]; then
		ok "$name"
	else
		kcs_show_run "$KCS" "$@" "$pid"
		not_ok "$name" "$wrong"
	fi
}

taken()
{
	local name=$1 wrong

	shift
	rm -f core
	# The machine may be busy, but not as long as that.
	kcs_run "$KCS" --max-pause 20s -o core "$@" "$pid"
	wrong=$(
		[ "$status" -eq 0 ] || echo "status $status"
		[ ! -s "$KCS_TMP/.err" ] || echo "something on stderr"
		[ "$(head -c 4 core 2>/dev/null)" = $'\177ELF' ] || echo "no core"
		left_behind
		running "$awkward"
	)
	if [ -z "$wrong" ]; then
		ok "$name"
	else
		kcs_show_run "$KCS" "$@" "$pid"
		not_ok "$name" "$wrong"
	fi
}

predicted()
{
	"$KCS" --dry-run "$@" "$pid" 2>&1 | awk '/^predicted pause/ {
		print int($3 * ($4 == "s" ? 1000000 : $4 == "ms" ? 1000 : $4 == "us" ? 1 : 0.001)) }'
}

# From 6.5 on.
pins()
{
	local major minor

	IFS=.- read -r major minor _ < <(uname -r)
	[ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 5 ]; }
}
