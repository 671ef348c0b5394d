#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 240 s
#
# The reader of a snapshot is stopped for long, closes it early, or has it cancelled while it reads.
. "$KCS_TREE/tests/guest/lib.sh"

plan 7

seconds=$(scaled 2)
rounds=$(scaled 10)

cmd_ok "stopped for $seconds s between two reads: the target does as much as before, the core is of one instant" \
	"$KCS_TARGETS/reader" stopped read "$seconds"
cmd_ok "the same in a sendfile to a pipe that is full" "$KCS_TARGETS/reader" stopped sendfile "$seconds"
cmd_ok "closed after a part, $rounds times: nothing is left, but what a pipe holds is intact" "$KCS_TARGETS/reader" closes "$rounds"
cmd_ok "cancelled at $rounds moments of a read: an error, and every byte before it is the core's" \
	"$KCS_TARGETS/reader" cancelled "$rounds"
num "$(tail -n 1 .out)" -ge 1 "some of them in the middle of it"
cmd_ok "cancelled while it is sent to a pipe that is full, likewise" "$KCS_TARGETS/reader" cancelled-pipe 3
cmd_ok "the module can be unloaded right away" unload
load "$@"
