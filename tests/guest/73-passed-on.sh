#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A snapshot lives exactly as long as a descriptor of it, wherever that is: tests/targets/passing.c.
. "$KCS_TREE/tests/guest/lib.sh"

plan 24

"$KCS_TARGETS/threads" 4 1 8 >ready &
wait_for 30 grep -qs ready ready || diag "the target is not ready"

while read -r verdict name; do
	case $verdict in
	ok) ok "$name" ;;
	skip)
		why=${name##*(}
		skip "${name% (*}" "${why%)}"
		;;
	*) not_ok "${name#ok }" ;;
	esac
done < <("$KCS_TARGETS/passing" $!)
cmd_ok "the module can be unloaded right away" unload
load "$@"
