#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By name only: it is for the long runs of soak.
# Soak: yes
# Time limit: 60 s
#
# After all the snapshots of the other tests, and all their ends, as much of the kernel's memory is in use as before.

. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/baseline.sh"
[ -e "$baseline" ] || skip_all "00-baseline was not run before it"
plan 2

snapshots=$(($(snapshots_in_log) - $(cat "$baseline.snapshots")))
# An object, or a kilobyte, that every fourth snapshot leaves behind is seen; and so is less than what a host would mind.
objects=$((snapshots / 4 > 1000 ? snapshots / 4 : 1000))
kilobytes=$((snapshots / 4 > 8192 ? snapshots / 4 : 8192))

too_much()
{
	memory_in_use >now
	grown "$baseline" now | awk -v objects="$objects" -v kB="$kilobytes" '$2 > ($3 == "kB" ? kB : objects)' >over
	[ -s over ]
}
back()
{
	! too_much
}

# RCU and workqueues take their time.
wait_for 20 back
is "$(grep objects over)" "" "no kind of object is left behind by $snapshots snapshots"
is "$(grep kB over)" "" "nor are pages"
diag "$(grown "$baseline" now | head -n 12)"
