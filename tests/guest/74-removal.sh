#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# The module is removed at any moment of a request, of its snapshot and of their end: it goes, or it is in use. The target's
# threads, asleep or parked by then, run on.
. "$KCS_TREE/tests/guest/lib.sh"

plan 4

cmd_ok "removed once at any moment" "$KCS_TARGETS/removal" "$KCS_KO" once "$(scaled 30)"
read -r gone refused < <(tail -n 1 .out)
diag "it went $gone times, and was in use $refused times"
num "$refused" -ge 1 "which is refused while it is in use"
tally unloads "$gone"
tally refused-unloads "$refused"

cmd_ok "removed in a tight loop, so that it goes as soon as it can" "$KCS_TARGETS/removal" "$KCS_KO" until "$(scaled 6)"
read -r gone refused < <(tail -n 1 .out)
tally unloads "$gone"
num "$gone" -ge "$(scaled 6)" "which it does each time"
