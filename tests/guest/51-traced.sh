#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 240 s
#
# A process that is stopped, traced or both: it stays so, and neither its parent nor its tracer is told anything.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

plan 6

enter running
kill -STOP "$pid"
wrong=$(in_state T)
manner=still
wrong+=$(good_core)$(good_core)
manner=busy
kill -CONT "$pid"
wrong+=$(in_state '[RS]')
wait_for 10 grep -q continued state
verdict "stopped by SIGSTOP, and still so afterwards" "$wrong$(left 2)"

# The thread that sleeps in a vfork does so in a stopped process too.
enter vfork
kill -STOP "$pid"
wrong=$(manner=asleep good_core)
kill -CONT "$pid"
wait_for 10 grep -q ^child state
verdict "SIGSTOP for one that can't stop yet" "$wrong$(left "$(grep -c ^child state)")"

enter running
cat >gdb.commands <<END
set pagination off
set confirm off
handle SIGUSR1 stop nopass
attach $pid
shell touch stopped; until [ -e go ]; do sleep 0.1; done
continue
detach
END
gdb -nx -batch -x gdb.commands >gdb.out 2>&1 </dev/null &
gdb=$!
wait_for 60 test -e stopped || diag "gdb does not attach"
wrong=$(in_state t)
manner=still
wrong+=$(good_core)$(good_core)
[ "$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$pid/status")" = "$gdb" ] || wrong+="not traced. "
verdict "stopped by gdb, and still so afterwards" "$wrong"
manner=busy
look
touch go
wrong=$(wait_for 30 moves "$count" || echo "gdb does not let it go on. ")
wrong+=$(good_core)$(good_core)$(in_state '[RS]')
[ "$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$pid/status")" = "$gdb" ] || wrong+="not traced. "
kill -USR1 "$pid"
# shellcheck disable=SC2317 # called by wait_for
gdb_ended()
{
	! kill -0 "$gdb" 2>/dev/null
}
wait_for 60 gdb_ended || { wrong+="gdb does not end. "; kill -KILL "$gdb"; }
wait "$gdb" 2>/dev/null
[ "$(grep -c 'received signal' gdb.out)" -eq 1 ] || wrong+="gdb saw: $(grep 'received signal' gdb.out). "
verdict "traced by gdb and running" "$wrong$(left)" || cat gdb.out >&2

enter sharer
strace -f -q -p "$pid" -o strace.out 2>strace.err &
strace=$!
# shellcheck disable=SC2317 # called by wait_for
traced()
{
	grep -qs 'nanosleep.*= 0' strace.out
}
wait_for 30 traced || diag "strace does not attach: $(cat strace.err)"
# What the attaching itself interrupts comes first.
odd()
{
	grep -cE 'ERESTART|EINTR|EAGAIN|---|\+\+\+' strace.out
}
before=$(odd)
wrong=$(good_core)$(good_core)$(good_core)
[ "$(odd)" = "$before" ] || wrong+="strace saw $(grep -E 'ERESTART|EINTR|EAGAIN|---|\+\+\+' strace.out | tail -n +$((before + 1))). "
kill "$strace"
wait "$strace" 2>/dev/null
verdict "under strace" "$wrong$(left)"

# As it would stop for strace at every system call, and every clone.
enter forks
strace -f -q -p "$pid" -o strace.forks 2>strace.err &
strace=$!
wait_for 30 grep -qs 'exited with 7' strace.forks || diag "strace does not attach: $(cat strace.err)"
wrong=$(good_core)$(good_core)
kill "$strace"
wait "$strace" 2>/dev/null
verdict "under strace, in a storm of forks" "$wrong$(left)"
