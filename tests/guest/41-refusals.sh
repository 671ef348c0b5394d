#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Processes that a snapshot could harm are refused, and what can be accepted is taken when it is accepted.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

cgroup=/sys/fs/cgroup/kcs-41
file=/var/tmp/41-refusals

# Block I/O pins its pages from 6.5 on, and fork leaves pinned pages to the parent.
pins()
{
	local major minor

	IFS=.- read -r major minor _ < <(uname -r)
	[ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 5 ]; }
}

plan 25

# direct NAME REGEX KIND...: refused where direct I/O takes references only, taken where it pins
direct()
{
	local name=$1 regex=$2

	shift 2
	target "$@"
	if [ -n "$why" ]; then
		skip "$name" "$why"
	elif pins; then
		taken "$name: no harm on this kernel"
	else
		refused 5 "$regex" "$name"
	fi
	forget
}
dd if=/dev/zero of="$file" bs=4096 count=4 2>/dev/null
direct "a file open with O_DIRECT" "a file open with O_DIRECT.*use gcore" odirect "$file"
direct "an AIO context" "an AIO context.*use gcore" aio
direct "an io_uring" "uses io_uring.*use gcore" io_uring
rm "$file"

target userfaultfd
if [ -n "$why" ]; then
	skip "userfaultfd" "$why"
else
	refused 5 "handles page faults itself \(userfaultfd\).*use gcore" "userfaultfd"
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

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
mkdir full
mount -t tmpfs -o size=80% tmpfs full
fallocate -l $((total / 2))M full/file
target used $((total / 4))
refused 5 "memory could grow by [0-9]+ MiB" "no room in the machine"
kcs_run "$KCS" --dry-run "$pid"
like "$status $(cat .out)" "^5 .*predicted pause .*would be refused" "which a dry run tells beside its prediction"
forget
umount full
like "$(cat .err)" "^kcoresnap: memory could grow by" "in the same sentence"
