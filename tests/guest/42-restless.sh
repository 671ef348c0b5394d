#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots of processes that call execve, exit or are killed meanwhile: each is taken, or refused by a sentence.
. "$KCS_TREE/tests/guest/lib.sh"

plan 9

for how in exec exit kill; do
	cmd_ok "100 snapshots of processes that $how meanwhile" "$KCS_TARGETS/restless" "$how" 100
	sed 's/^/# /' .out
	read -r taken refused < <(tail -n 1 .out)
	num "$taken" -ge 5 "some are taken"
	[ "$how" = exec ] || num "$refused" -ge 1 "and some are refused, or the two never met"
done
cmd_ok "the module can be unloaded right away" unload
load "$@"
