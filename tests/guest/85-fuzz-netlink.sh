#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 120 s
# Soak: yes
#
# Messages of every kind to the module, by tests/targets/fuzz_netlink.c: no answer that must not be, nothing left behind, and the
# family answers afterwards. What the kernel itself finds wrong ends the guest.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

# Those of long runs are many: a slow kernel has its million in ten slices.
messages=$(scaled $((${KCS_SCALE:-1} > 1 ? 100000 : 20000)))
seed=${KCS_SEED:-1}
parameters=/sys/module/kcoresnap/parameters

plan 9

target plain

# fuzzed NAME SEED MESSAGES [nobody]
fuzzed()
{
	local name=$1 begun=$SECONDS wrong

	shift
	kcs_run "$KCS_TARGETS/fuzz_netlink" "$@"
	diag "$(cat .out)" "took $((SECONDS - begun)) s"
	tally fuzzed-messages "$(awk '{ sub(",", "", $4); sum += $4 } END { print sum + 0 }' .out)"
	# The last descriptors are closed behind the process's back.
	wait_for 10 test -z "$("$KCS" list 2>&1)"
	wrong=$(
		[ "$status" -eq 0 ] || echo "status $status: $(cat .err)"
		left_behind
		running "$awkward"
	)
	is "$wrong" "" "$name"
}

fuzzed "$((messages / 2)) messages from root and nobody" "$seed" $((messages / 2))
num "$(awk '{ sum += $(NF - 1) } END { print sum }' .out)" -ge 1 "some of which took a snapshot"
echo 2 >$parameters/policy
fuzzed "as many where ptrace's rules are all that counts" $((seed + 1)) $((messages / 2))
num "$(awk '/\.2:/ { print $(NF - 1) }' .out)" -ge 1 "where nobody takes snapshots of its own processes too"
echo 0 >$parameters/policy

like "$("$KCS" info 2>&1)" "open snapshots +0 of" "the family answers"
taken "a right snapshot can be taken"

# One is allowed, and those who may have none keep asking.
echo 1 >$parameters/max_snapshots
"$KCS_TARGETS/fuzz_netlink" "$seed" 100000000 nobody &
crowd=$!
wrong=''
for ((i = 0; i < 30; i++)); do
	"$KCS" --dry-run "$pid" >.out 2>.err || wrong+="$(cat .err) "
done
kill "$crowd" || wrong+="the others had gone"
wait "$crowd" 2>/dev/null
echo 4 >$parameters/max_snapshots
is "$wrong" "" "who may not snapshot is in nobody's way"

# Up to Linux 5.11 io_uring's threads are kernel threads, without the descriptors of the process they work for.
answer=$("$KCS_TARGETS/uring_request" "$pid" 2>&1)
diag "$answer"
if [[ $answer == unavailable* ]]; then
	skip "a request that is sent by a thread of io_uring's" "${answer#* }"
else
	like "$answer" "^taken [0-9]+$|^refused .*kernel thread" "a request that is sent by a thread of io_uring's"
fi
wait_for 10 test -z "$("$KCS" list 2>&1)"
is "$(left_behind)" "" "whose descriptor does not outlive the process"
