#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Processes that a snapshot could harm are refused, and what can be accepted is taken when it is accepted.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

cgroup=/sys/fs/cgroup/kcs-41
file=/var/tmp/41-refusals

plan 41

# One that can't be had here is no failure.
had()
{
	[ -z "$why" ] || skip "$1" "$why"
	[ -z "$why" ]
}

# Direct I/O, in the process itself and in one that shares its memory.

dd if=/dev/zero of="$file" bs=4096 count=4 2>/dev/null
dd if=/dev/zero of="$KCS_OUT/41-refusals" bs=4096 count=4 2>/dev/null
for sharer in "" "sharer "; do
	who=${sharer:+a sharer with }
	# shellcheck disable=SC2086 # a word or none
	target ${sharer}odirect "$file"
	had "${who}a file on a disk open with O_DIRECT" && taken "${who}a file on a disk open with O_DIRECT"
	forget
	# shellcheck disable=SC2086
	target ${sharer}odirect "$KCS_OUT/41-refusals"
	had "${who}a file open with O_DIRECT on no disk" &&
		refused 5 "open with O_DIRECT that is not on a local disk.*--mode stop" "${who}a file open with O_DIRECT on no disk"
	forget
	# shellcheck disable=SC2086
	target ${sharer}io_uring
	if had "${who}an io_uring"; then
		if pins; then
			taken "${who}an io_uring: no harm on this kernel"
		else
			refused 5 "uses io_uring.*--mode stop" "${who}an io_uring"
		fi
	fi
	forget
done
target aio
had "an AIO context" && taken "an AIO context"
forget
rm "$file" "$KCS_OUT/41-refusals"

target userfaultfd
if [ -n "$why" ]; then
	skip "userfaultfd" "$why"
else
	refused 5 "handles page faults itself \(userfaultfd\).*--mode stop" "userfaultfd"
fi
forget

target mlockall
refused 5 "locked all its memory .*--allow mlocked" "mlockall"
refused 5 "locked all its memory .*--allow mlocked" "mlockall, another risk accepted" --allow realtime
taken "mlockall, accepted" --allow mlocked
forget

target realtime
refused 5 "has a real-time thread.*--allow realtime" "a SCHED_FIFO thread"
refused 5 "has a real-time thread.*--allow realtime" "a SCHED_FIFO thread, another risk accepted" --allow mlocked
taken "a SCHED_FIFO thread, accepted" --allow realtime
forget

# A request is handled under a lock that others wait for.
insmod "$KCS_TREE/tests/witness/witness.ko" || exit 1
target plain
witness=/sys/module/witness/parameters
echo "$pid" >"$witness/hold"
wait_for 10 grep -q Y "$witness/held" || diag "nothing holds its mmap_lock"
timeout 60 "$KCS" "$pid" >"$KCS_TMP/.out" 2>"$KCS_TMP/.err"
is "$? $(one_sentence "process $pid has had its mappings locked.* for 2 seconds: try again")" "5 " "its mappings are locked for long"
echo 0 >"$witness/hold"
taken "its mappings were locked"
forget
rmmod witness

target deadline
refused 5 "has a real-time thread.*--allow realtime" "a SCHED_DEADLINE thread"
taken "a SCHED_DEADLINE thread, accepted" --allow realtime
forget

target sharer realtime
refused 5 "has a real-time thread.*--allow realtime" "a sharer with a SCHED_FIFO thread"
forget

# What is pinned is copied within the pause, and not what was pinned once.

target used 128
plain=$(predicted --max-pause 20s)
forget
target pinned 16 128
if had "the prediction counts what is pinned"; then
	pinned=$(predicted --max-pause 20s)
	diag "predicted for 128 MiB: $plain us, with 16 MiB of it pinned $pinned us"
	# 1 us a page.
	num $((pinned - plain)) -ge 4000 "the prediction counts what is pinned"
	num $((pinned - plain)) -le 12000 "and not what is not"
	taken "memory that is pinned"
else
	skip "and not what is not" "$why"
	skip "memory that is pinned" "$why"
fi
forget
target unpinned 128
had "memory that was pinned once costs nothing" &&
	num $(($(predicted --max-pause 20s) - plain)) -le 2000 "memory that was pinned once costs nothing"
forget

target plain
refused 5 "the pause would be about [0-9]+ (us|ms), beyond the bound of .*--max-pause" "a pause longer than the bound" \
	--max-pause 1us
kcs_run "$KCS" --dry-run --max-pause 1us "$pid"
is "$status$(one_sentence 'the pause would be about' | sed 's/^/ /')" 5 "which a dry run ends with too"
taken "a pause that is allowed" --max-pause 60s
echo 1 >/sys/module/kcoresnap/parameters/max_pause_us
refused 5 "the pause would be about" "the module's own bound counts too"
taken "unless the request has its own" --max-pause 10s
echo 250000 >/sys/module/kcoresnap/parameters/max_pause_us
forget

# Limits of memory.

mkdir "$cgroup"
if [ -e "$cgroup/memory.max" ]; then
	echo 64M >"$cgroup/memory.max"
	cat <<-END >in-cgroup
		echo \$\$ >$cgroup/cgroup.procs
		exec $KCS_TARGETS/awkward used 36
	END
	bash in-cgroup >state.cgroup &
	awkward=$!
	wait_for 60 grep -qs ready state.cgroup
	pid=$awkward
	refused 5 "memory could grow by [0-9]+ MiB.* and [0-9]+ MiB are free for it under the limits of the target's cgroups" \
		"no room under the cgroup's limit"
	echo 512M >"$cgroup/memory.max"
	taken "with a higher limit there is"
	echo 64M >"$cgroup/memory.high"
	refused 5 "memory could grow by" "none below memory.high either"
	echo max >"$cgroup/memory.high"
	mkdir "$cgroup/child"
	echo $$ >"$cgroup/cgroup.procs"
	echo $$ >/sys/fs/cgroup/cgroup.procs
	echo "$pid" >"$cgroup/child/cgroup.procs"
	echo 64M >"$cgroup/memory.max"
	refused 5 "memory could grow by" "nor under an ancestor's"
	is "$(awk '$1 == "oom_kill" { print $2 }' "$cgroup/memory.events")" 0 "nothing was killed for memory"
	forget
	rmdir "$cgroup/child"
else
	for name in "no room under the cgroup's limit" "with a higher limit there is" "none below memory.high either" \
		"nor under an ancestor's" "nothing was killed for memory"; do
		skip "$name" "the kernel has no memory controller for cgroup 2"
	done
fi
rmdir "$cgroup"

target mapped 1200
ratio=$(cat /proc/sys/vm/overcommit_ratio)
echo 100 >/proc/sys/vm/overcommit_ratio
echo 2 >/proc/sys/vm/overcommit_memory
refused 5 "vm.overcommit_memory is 2 and [0-9]+ MiB can't be committed a second time" "strict overcommit without headroom"
echo 0 >/proc/sys/vm/overcommit_memory
echo "$ratio" >/proc/sys/vm/overcommit_ratio
taken "without strict overcommit, memory that is only mapped does not count"
forget

# As what many small mappings have become.
echo 1 >/proc/sys/vm/overcommit_memory
target mapped $(($(awk '/^(MemTotal|SwapTotal)/ { kib += $2 } END { print kib }' /proc/meminfo) / 1024 + 100))
echo 0 >/proc/sys/vm/overcommit_memory
refused 5 "a mapping of [0-9]+ MiB is larger than memory and swap together.*set it to 1" "a mapping that fork would refuse"
taken "which mode stop does not mind" --mode stop
echo 1 >/proc/sys/vm/overcommit_memory
taken "nor fork where everything may be overcommitted"
echo 0 >/proc/sys/vm/overcommit_memory
forget

# It uses more than it leaves.
free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
mkdir full
mount -t tmpfs -o size=80% tmpfs full
fallocate -l $((free / 2))M full/file
target used $((free * 3 / 10))
refused 5 "memory could grow by [0-9]+ MiB" "no room in the machine"
kcs_run "$KCS" --dry-run "$pid"
like "$status $(cat .out)" "^5 .*predicted pause .*would be refused" "which a dry run tells beside its prediction"
forget
umount full
like "$(cat .err)" "^kcoresnap: memory could grow by" "in the same sentence"
