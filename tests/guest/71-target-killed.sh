#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The target ends at any moment of a request: it is gone at once and with the right status, and the snapshot is one, or refused
# by a sentence.
. "$KCS_TREE/tests/guest/lib.sh"

plan 5

rounds=$(scaled 20)

while read -r how what; do
	cmd_ok "$what at $rounds moments of a request" "$KCS_TARGETS/killed" "target-$how" "$rounds"
	grep '^failed' .out | sed 's/^/# /'
	read -r taken refused < <(tail -n 1 .out)
	diag "taken $taken, refused $refused"
	num "$refused" -ge 1 "some were refused"
done <<-END
	kill a target killed
	exit a target that exits
END
cmd_ok "the module can be unloaded right away" unload
load "$@"
