#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who asks for a snapshot ends at any moment of the request: the snapshot is there with its descriptor, or nothing is; the target
# runs on.
. "$KCS_TREE/tests/guest/lib.sh"

plan 9

rounds=$(scaled 20)

while read -r how what; do
	cmd_ok "$what at $rounds moments of its request" "$KCS_TARGETS/killed" "requester-$how" "$rounds"
	grep '^failed' .out | sed 's/^/# /'
	read -r before during after < <(tail -n 1 .out)
	diag "ended before the request $before, during $during, after $after"
	num "$during" -ge $((rounds / 20)) "some of them while the request was under way"
done <<-END
	kill a process killed by another one
	sibling a process killed by a thread of its own
	exit a process that exits
	exec a process that calls execve
END
cmd_ok "the module can be unloaded right away" unload
load "$@"
