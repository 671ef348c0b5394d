#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the snapshot's file descriptor can do, by the netlink interface: tests/targets/snapshot_fd.c.
. "$KCS_TREE/tests/guest/lib.sh"

plan 35

"$KCS_TARGETS/known_threads" >ready &
pid=$!
wait_for 30 grep -qs ready ready || diag "the target is not ready"

while read -r verdict name; do
	case $verdict in
	ok) ok "$name" ;;
	*) not_ok "${name#ok }" ;;
	esac
done < <("$KCS_TARGETS/snapshot_fd" check "$pid")
wait "$pid" 2>/dev/null
is "$("$KCS" list)" "" "no snapshot is left"
