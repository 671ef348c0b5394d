#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 60 s
#
# 20 processes snapshotted at once: as many as the cap allows, the rest refused.

. "$KCS_TREE/tests/guest/lib.sh"
plan 8

processes=20
cap=$(cat /sys/module/kcoresnap/parameters/max_snapshots)

for ((i = 0; i < processes; i++)); do
	# More than any pipe takes that nobody reads.
	"$KCS_TARGETS/threads" 2 0 4 >"ready.$i" &
	targets[i]=$!
done
ready()
{
	[ "$(cat ready.* | wc -l)" -eq "$processes" ]
}
wait_for 30 ready || diag "not all targets started"

# Nobody reads, so what is taken stays open.
mkfifo fifo
exec 9<>fifo
for ((i = 0; i < processes; i++)); do
	(
		"$KCS" --max-pause 5s "${targets[i]}" >fifo 2>"err.$i" 9>&-
		echo $? >"status.$i"
	) &
	tools[i]=$!
done

ended()
{
	[ "$(cat status.* 2>/dev/null | wc -l)" -ge $((processes - cap)) ]
}
wait_for 30 ended
# The last one may still be in the making.
all_open()
{
	[ "$("$KCS" list | grep -c ' threads ')" -ge "$cap" ]
}
wait_for 30 all_open
is "$cap" 4 "the cap is the default"
is "$(cat status.* | sort | uniq -c | tr -s ' ')" " $((processes - cap)) 6" "all beyond the cap are refused with status 6"
is "$(cat err.* | sort | uniq -c | grep -c "$cap snapshots are open")" 1 "with the same sentence"
is "$(cat err.* | wc -l)" $((processes - cap)) "each with one"
diag "$(cat err.* | sort -u)"
is "$("$KCS" list | grep -c ' threads ')" "$cap" "as many as the cap allows are open"

cat fifo >/dev/null &
cat=$!
wait "${tools[@]}"
kill "$cat"
exec 9>&-
is "$(cat status.* | sort | uniq -c | tr -s ' ' | tr '\n' ,)" " $cap 0, $((processes - cap)) 6," "these become complete cores"
is "$("$KCS" list)" "" "none is open afterwards"
cmd_ok "the next one is taken" "$KCS" --max-pause 5s -o core "${targets[0]}"
