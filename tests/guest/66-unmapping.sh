#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that goes while it is looked at: tests/targets/unmapping.c. No page table may be looked at that is being freed.
. "$KCS_TREE/tests/guest/lib.sh"

# What is slow gets by in more time what others do in less.
seconds=$((10 * ${KCS_SCALE:-1} * ${KCS_SLOW:-1}))

plan 4

cmd_ok "a process is read that unmaps its memory" "$KCS_TARGETS/unmapping" "$seconds"
read -r looked unmapped <.out
num "$looked" -ge 1000 "it was looked at often"
num "$unmapped" -ge 10 "and unmapped what was looked at"
is "$("$KCS" list)" "" "no snapshot is left"
