#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 120 s
# Soak: yes
#
# The snapshot's file descriptor in every use that comes to mind, right and wrong, by several threads at once, while it is cancelled
# and closed: tests/targets/fuzz_fd.c. What is read is what was read at first; errors are those that are known.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

calls=$(scaled 12000)

plan 4

# It is stopped, so that what is read live does not change either.
"$KCS_TARGETS/memory_kinds" . >kinds &
awkward=$!
pid=$awkward
wait_for 30 grep -qsx ready kinds || diag "the target is not ready"
kill -STOP "$pid"
begun=$SECONDS
cmd_ok "$calls calls" "$KCS_TARGETS/fuzz_fd" "${KCS_SEED:-1}" "$calls" "$pid"
diag "$(cat .out)" "took $((SECONDS - begun)) s"
num "$(sed -n 's/.* \([0-9]*\) MiB compared/\1/p' .out)" -ge 10 "of which many read something"
kill -CONT "$pid"
wait_for 10 test -z "$("$KCS" list 2>&1)"
is "$(left_behind; running "$pid")" "" "nothing is left behind"
taken "the process can still be snapshotted"
