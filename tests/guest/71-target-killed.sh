#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The target ends at any moment of a request: it is gone at once and with the right status, and the snapshot is one, or refused
# by a sentence. So it is where a long pause holds it.
. "$KCS_TREE/tests/guest/lib.sh"

plan 7

rounds=$(scaled 20)

# ends WHAT ARGUMENT...: leaves $taken and $refused
ends()
{
	cmd_ok "$1 at $rounds moments of a request" "$KCS_TARGETS/killed" "$2" "$rounds" "${@:3}"
	grep '^failed' .out | sed 's/^/# /'
	read -r taken refused < <(tail -n 1 .out)
	diag "taken $taken, refused $refused"
}
ends "a target killed" target-kill
num "$refused" -ge 1 "some were refused"
ends "a target that exits" target-exit
num "$refused" -ge 1 "some were refused"
# Mode 2 is stop. Nothing is read, so nothing but the bound lets it go.
ends "a target killed that is held for a minute" target-kill 2 60000
num "$taken" -ge 1 "some were held"
cmd_ok "the module can be unloaded right away" unload
load "$@"
