#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
# Time limit: 240 s
#
# The n-th allocation of a request fails, for every n: of those by the module and by what it calls, in all tasks; of all of the task
# that asks; and of those of reading. Each request is refused by one sentence, or does without, and nothing is left.
. "$KCS_TREE/tests/guest/lib.sh"

debug=/sys/kernel/debug
if [ ! -e /proc/self/fail-nth ] || [ ! -d "$debug/failslab" ] || [ ! -d "$debug/fail_page_alloc" ]; then
	skip_all "this kernel makes no allocation fail (CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC)"
fi

# What, the mode (1 is cow, 2 stop, 3 live), and the stride: where it is above 1, it is not every allocation each time, but every
# one in the long run. Of many threads and mappings, hundreds are made at the same place.
if [ "${KCS_SCALE:-1}" -eq 1 ]; then
	runs=("plain 1 8")
else
	runs=("plain 1 1" "plain 2 1" "plain 3 1" "threads 1 32" "mappings 1 32" "excluded 1 1" "hugetlb 1 1" "threads 2 32")
	echo 8 >/proc/sys/vm/nr_hugepages
fi
plan $((3 * ${#runs[@]} + 4))

# knob FILE VALUE: for both
knob()
{
	echo "$2" >"$debug/failslab/$1" && echo "$2" >"$debug/fail_page_alloc/$1"
}

# where FIRST LAST: only where one of these addresses is on the stack
where()
{
	knob require-start "$1" && knob require-end "$2"
}

text=$(awk '/\[kcoresnap\]$/ && tolower($2) == "t" { print $1 }' /proc/kallsyms | sort)
knob probability 0
knob verbose 0
knob task-filter N
knob ignore-gfp-wait N
echo N >"$debug/fail_page_alloc/ignore-gfp-highmem"
echo 0 >"$debug/fail_page_alloc/min-order"
knob stacktrace-depth 32

injected=0
declare -A counted

# sweep NAME KNOB ARGUMENT...
sweep()
{
	local name=$1 this

	shift
	cmd_ok "$name" "$KCS_TARGETS/allocations" "$1" "$stride" $((1 + ${KCS_SEED:-1} % stride)) "${counted[$1]:-0}" "${@:2}"
	sed 's/^/# /' .out
	read -r _ this _ counted["$1"] < <(tail -n 1 .out)
	injected=$((injected + this))
}

for run in "${runs[@]}"; do
	read -r kind mode stride <<<"$run"
	where "0x$(head -n 1 <<<"$text")" "0x$(tail -n 1 <<<"$text" | sed 's/...$/fff/')"
	sweep "$kind, mode $mode: objects that the module or what it calls allocates" failslab "$kind" "$mode"
	sweep "$kind, mode $mode: pages" fail_page_alloc "$kind" "$mode"
	where 0 0xffffffffffffffff
	sweep "$kind, mode $mode: whatever the task that asks allocates" task "$kind" "$mode"
done
stride=$((${KCS_SCALE:-1} > 1 ? 1 : 8))
sweep "reading, seeking, splicing and listing: whatever the reader allocates" task read
tally injected-failures "$injected"
num "$injected" -ge 40 "$injected allocations failed in all"
cmd_ok "the module can be unloaded right away" unload
load "$@"
cmd_ok "nothing fails any more" knob probability 0
