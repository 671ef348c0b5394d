#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who watches a process's files by inotify or fanotify sees nothing of a snapshot, and who is to permit that they are read
# is not asked.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/harm.sh"

plan 8

files=/var/tmp/65-onlookers
mkdir "$files"
# Its program too, and no library that others open.
cp "$KCS_TARGETS/mapper" "$files"
for name in private shared read-only leased locked unread; do
	head -c 262144 /dev/zero | tr '\0' m >"$files/$name"
done
# What it does not touch has to be read from the disk.
sync
echo 3 >/proc/sys/vm/drop_caches
"$KCS_TARGETS/onlooker" "$files"/* >events &
onlooker=$!
wait_for 30 grep -qs -e ready -e unavailable events
start a - "$files/mapper" "$files"
is "$(tell a check)$why" ok "the target is ready"
pid=${pids[a]}
like "$(cat events)" "fanotify 0x[0-9a-f]+ of $pid .*inotify" "it was seen, and permitted"
echo 0x1ff >"/proc/$pid/coredump_filter"
safe -

# From here on everything is seen, and nobody gets an answer.
kill -USR1 $onlooker
wait_for 30 grep -q silent events
cmd_ok "a snapshot in which everything is read, by the tool" timeout 100 "$KCS" --max-pause 20s -o core "$pid"
hold "$pid"
cmd_ok "and by somebody else" timeout 100 cp "$held" core
drop
rm core
# Whoever reads a file is seen, and waits.
sed '1,/silent/d' events >events.ours
timeout 2 cat "$files/shared" >/dev/null
is "$?" 124 "nobody else can read the files"
wait_for 30 eval 'sed "1,/silent/d" events | grep -q "fanotify .*shared"' || diag "and it is not seen"
is "$(cat events.ours)" "" "of the snapshots nothing was seen"
kill $onlooker
is "$(harm a)" "" "the target is unharmed"
evict a
rm -r "$files"
cmd_ok "the module can be unloaded right away" unload
load "$@"
