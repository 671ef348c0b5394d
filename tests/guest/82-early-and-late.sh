#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sockets of anybody's that had to do with the module before it was loaded, or still have after it was removed: tests/targets/pending.c.
. "$KCS_TREE/tests/guest/lib.sh"

as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# begin KIND WORD: start it as nobody, until it says WORD
begin()
{
	"${as_nobody[@]}" "$KCS_TARGETS/pending" "$1" <&"$line" >told 2>told.err &
	pending=$!
	wait_for 30 grep -qs "^$2" told || diag "$(cat told.err)"
}

# end: have it go on, to its end
end()
{
	echo >&"$line"
	wait "$pending"
}

plan 4

mkfifo fifo
exec {line}<>fifo

unload
begin groups joined
load "$@"
sleep 1000 &
target=$!
cmd_ok "a snapshot after somebody had joined all groups in advance" "$KCS" --max-pause 20s -o core "$target"
kill "$target"
wait "$target" 2>/dev/null
end
is "$(tail -n 1 told)" "heard 0" "who hears nothing of it"
rm -f core

begin policies asked
cmd_ok "the module can be removed while a dump of its policies is pending" unload
end
like "$(tail -n 1 told)" "^ended [0-9]+$" "whose end is received after that"
load "$@"
