#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 300 s
#
# A process in each of many states: its core shows memory and registers as they are, and it goes on as if nothing had been; or
# it is refused.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

# NAME | KIND | MANNER | THREADS IN A CALL | CORES | OPTIONS | REFUSED, IF AT ALL, BECAUSE
table=(
	"running in user mode|running|busy|1|2||"
	"asleep, beside a thread that naps|plain|busy|1|1||"
	"in a long system call on a CPU|longcall|busy|[12]|2||"
	"asleep until a vfork child is gone|vfork|asleep|2|2||"
	"its memory is shared by another process, which runs|sharer|busy|1|2||"
	"a storm of forks|forks|busy|1|2||"
	"strict seccomp|strict|asleep|2|1||"
	"a seccomp filter that kills|filter|asleep|2|1||"
	"an io_uring that polls|uring|busy|1|1||uses io_uring"
	"an AIO context that polls|aio|busy|1|1||"
	"a SCHED_FIFO spinner|fifo|busy|1|2|--allow realtime|"
	"a SCHED_RR spinner|rr|busy|1|2|--allow realtime|"
	"pid 1 of a pid namespace|init|busy|1|1||"
	"nobody's, with RLIMIT_NPROC used up|nproc|busy|1|1||"
)

plan $((${#table[@]} + 7))

# Its call may be at its end as it is stopped, but not each time.
shown_in_call()
{
	in_call=2
	[ -z "$(good_core)" ]
}

for row in "${table[@]}"; do
	IFS='|' read -r name kind manner in_call cores options because <<<"$row"
	enter "$kind"
	wrong=''
	[ "$kind" != vfork ] || wrong=$(in_state D subject)
	for ((i = 0; i < (${#why} ? 0 : cores); i++)); do
		# shellcheck disable=SC2086 # words
		wrong+=$(good_core $options)
	done
	[ "$kind" != longcall ] || wrong+=$(wait_for 60 shown_in_call || echo "no core shows it in its call. ")
	verdict "$name" "$wrong$(left)"
done
manner=busy in_call=1 because=''

# The child that shares the memory: its own thread is in its core, and not its parent's.
enter vfork
wrong=$(in_state D subject)
parent=$pid pid=$(pgrep -P "$pid")
in_call=0 manner=still
wrong+=$(manner=busy good_core)
pid=$parent in_call=1 manner=busy
verdict "a vfork child" "$wrong$(left)"

enter uffd
wrong=$(good_refusal 5 "handles page faults itself \(userfaultfd\).*--mode stop")
verdict "told of forks by a userfaultfd: refused, and told of none" "$wrong$(left)"

"$KCS_TARGETS/states32" &
pid=$!
wait_for 10 grep -q '^State:[[:space:]]*S' "/proc/$pid/status"
for mode in cow stop live; do
	rm -f core
	wrong+=$("$KCS" --mode "$mode" --max-pause 20s -o core "$pid" 2>&1)
	# Its registers, and memory that one of them points to.
	# shellcheck disable=SC2016 # for gdb
	shown=$(gdb -batch -nx -ex 'p/x $ebx' -ex 'p/x $edx' -ex 'p/x $esi' -ex 'p/x $orig_eax' -ex 'x/xw $edi' \
		"$KCS_TARGETS/states32" core 2>&1 | grep -e '^\$' -e ':' | xargs)
	[[ $shown =~ \$1\ =\ 0xb1b2b3b4\ .*0xd1d2d3d4\ .*0x51525354\ .*=\ 0x1d\ .*:\ 0x77697473 ]] ||
		wrong+="gdb ($mode): $shown. "
	[[ $(readelf -h core 2>&1) =~ ELF32.*Intel\ 80386 ]] || wrong+="readelf ($mode). "
done
[ "$(grep '^State:' "/proc/$pid/status" | cut -c8)" = S ] || wrong+="it is not asleep any more. "
kill "$pid"
wait "$pid" 2>/dev/null
why='' verdict "a 32-bit program" "$wrong$(left_behind)"

# Where direct I/O may be under way, its sleep can be told from one for a disk.
dd if=/dev/zero of=/var/tmp/direct bs=4096 count=1 2>/dev/null
(cd /var/tmp && exec "$KCS_TARGETS/vfork32") &
pid=$!
wrong=''
wait_for 10 grep -q '^State:[[:space:]]*D' "/proc/$pid/status" || wrong+="it waits for no child. "
rm -f core
wrong+=$("$KCS" --max-pause 5s -o core "$pid" 2>&1)
grep -q '^State:[[:space:]]*D' "/proc/$pid/status" || wrong+="it does not wait any more. "
pkill -KILL -P "$pid"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
rm /var/tmp/direct
why='' verdict "a 32-bit program that waits for a vfork child" "$wrong$(left_behind)"

# Owned by root, started by nobody.
cp "$KCS_TARGETS/states" setuid-states
chmod 4755 setuid-states
chmod 777 .
states=./setuid-states prefix="setpriv --reuid=65534 --regid=65534 --clear-groups"
enter plain
states=$KCS_TARGETS/states prefix=''
wrong=$(good_core)
[ "$(awk '$1 == "Uid:" { print $2, $3 }' "/proc/$pid/status")" = "65534 0" ] || wrong+="not setuid. "
echo 2 >/sys/module/kcoresnap/parameters/policy
kcs_run setpriv --reuid=65534 --regid=65534 --clear-groups "$KCS" "$pid"
echo 0 >/sys/module/kcoresnap/parameters/policy
[ "$status" -eq 4 ] && [ ! -s .out ] || wrong+="nobody was given status $status: $(cat .err). "
verdict "a setuid program: root may, who started it may not" "$wrong$(left)"

enter self core.self
wrong=$("$KCS_TARGETS/statecheck" core.self) || wrong="the core: $wrong. "
[[ $wrong =~ ^roles\ 1\  ]] && wrong=''
verdict "the requester itself" "$wrong$(good_core)$(left)"

# shellcheck disable=SC2016 # for the inner shell
sh -c 'echo $$ >self.pid; exec "$KCS" --max-pause 20s -o core.tool $$' 2>.err
is "$? $(cat .err) $("$KCS_TARGETS/corethreads" core.tool | grep -cxf self.pid) $(left_behind)" "0  1 " "the tool itself"
