#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# A process that its cgroup keeps from running, or from forking: it is snapshotted all the same, and the cgroup does what it did.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

two=/sys/fs/cgroup/kcs-52
one=$PWD/freezer

plan 5

frozen_is()
{
	grep -qx "frozen $1" "$two/cgroup.events"
}

mkdir "$two"
enter running
echo "$pid" >"$two/cgroup.procs"
echo 1 >"$two/cgroup.freeze"
wait_for 20 frozen_is 1
manner=still
wrong=$(good_core)$(good_core)
manner=busy
frozen_is 1 || wrong+="thawed. "
look
echo 0 >"$two/cgroup.freeze"
wait_for 20 moves "$count" || wrong+="it does not thaw. "
verdict "in a frozen cgroup" "$wrong$(left)"

# Frozen while a snapshot of it is open, and thawed.
enter running
echo "$pid" >"$two/cgroup.procs"
"$KCS_TARGETS/snapshot_fd" hold "$pid" >held &
holder=$!
wait_for 20 grep -qs held held
echo 1 >"$two/cgroup.freeze"
wrong=$(wait_for 20 frozen_is 1 || echo "it does not freeze. ")
echo 0 >"$two/cgroup.freeze"
kill "$holder"
wait "$holder" 2>/dev/null
verdict "frozen while a snapshot is open" "$wrong$(good_core)$(left)"

mkdir "$one"
if grep -q '^freezer' /proc/cgroups && mount -t cgroup -o freezer none "$one"; then
	mkdir "$one/kcs"
	enter running
	echo "$pid" >"$one/kcs/cgroup.procs"
	echo FROZEN >"$one/kcs/freezer.state"
	wait_for 20 grep -qx FROZEN "$one/kcs/freezer.state"
	manner=still
	wrong=$(good_core)$(good_core)
	manner=busy
	grep -qx FROZEN "$one/kcs/freezer.state" || wrong+="thawed. "
	look
	echo THAWED >"$one/kcs/freezer.state"
	wait_for 20 moves "$count" || wrong+="it does not thaw. "
	verdict "in a frozen cgroup of version 1" "$wrong$(left)"
	rmdir "$one/kcs"
	umount "$one"
else
	skip "in a frozen cgroup of version 1" "the kernel has no freezer of cgroup 1"
fi

throttled()
{
	[ "$(awk '$1 == "nr_throttled" { print $2 }' "$two/cpu.stat")" -ge "$1" ]
}

# A hundredth of a CPU. Of what the tool takes, nothing is in there.
enter running
echo "$pid" >"$two/cgroup.procs"
echo 1000 100000 >"$two/cpu.max"
wait_for 20 throttled 2
wrong=
for _ in 1 2 3; do
	wrong+=$(good_core)
done
wait_for 20 throttled $(($(awk '$1 == "nr_throttled" { print $2 }' "$two/cpu.stat") + 1)) || wrong+="no longer throttled. "
echo max >"$two/cpu.max"
verdict "throttled by a CPU quota" "$wrong$(left)"

enter plain
echo "$pid" >"$two/cgroup.procs"
pids=$(cat "$two/pids.current")
echo "$pids" >"$two/pids.max"
"$KCS_TARGETS/snapshot_fd" hold "$pid" >held &
holder=$!
wait_for 20 grep -qs held held
wrong=$([ "$(cat "$two/pids.current")" = "$pids" ] || echo "$pids processes became $(cat "$two/pids.current"). ")
kill "$holder"
wait "$holder" 2>/dev/null
wrong+=$(good_core)
grep -qx "max 0" "$two/pids.events" || wrong+="pids.events: $(cat "$two/pids.events"). "
verdict "pids.max used up" "$wrong$(left)"
rmdir "$two"
