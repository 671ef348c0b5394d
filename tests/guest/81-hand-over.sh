#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# A snapshot whose descriptor can't be handed over, or whose requester goes away meanwhile: tests/targets/handover.c.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

plan 16

target plain
while read -r verdict name; do
	case $verdict in
	ok) ok "$name" ;;
	not) not_ok "${name#ok }" ;;
	"#") diag "$name" ;;
	esac
done < <("$KCS_TARGETS/handover" "$pid" "$(scaled 30)")
is "$(running "$awkward")" "" "the target runs on"
forget
cmd_ok "the module can be unloaded right away" unload
load "$@"
