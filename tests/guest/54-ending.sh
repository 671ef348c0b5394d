#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# A process on its way out that can't go yet: it is refused in a sentence, and goes as it would have.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

cgroup=/sys/fs/cgroup/kcs-54
gone="process [0-9]+ is exiting or dumping core|process [0-9]+ has exited"

plan 3

[ -e /dev/fuse ] || modprobe fuse
mkdir mnt
"$KCS_TARGETS/states" fuse mnt backing >state.server 2>&1 &
server=$!
wait_for 30 grep -qs ^ready state.server || diag "the server did not start"

# A read past the page cache can't be killed while the server has it.
enter read mnt/stuck
wrong=$(in_state S subject)
kill -KILL "$pid"
wrong+=$(in_state D subject)$(good_refusal 3 "$gone")$(good_refusal 3 "$gone")
look subject
[ "$letters" = D ] || wrong+="its thread was $letters. "
stat mnt/answer >/dev/null 2>&1
wait_for 20 ended || wrong+="it does not go. "
wait "$overseer" 2>/dev/null
[ "$(tail -n 1 state)" = "child killed 9" ] || wrong+="it ended otherwise: $(tail -n 1 state). "
verdict "killed, and not gone" "$wrong"

cat >reader <<END
#!/bin/sh
touch $KCS_TMP/dumping
until [ -e $KCS_TMP/go ]; do sleep 0.1; done
cat >$KCS_TMP/core.kernel
touch $KCS_TMP/dumped
END
chmod +x reader
echo "|$KCS_TMP/reader" >/proc/sys/kernel/core_pattern
enter read mnt/hung
wrong=$(in_state D subject)
kill -ABRT "$pid"
wait_for 20 test -e dumping || wrong+="it does not dump. "
wrong+=$(good_refusal 3 "$gone")$(good_refusal 3 "$gone")
touch go
wait_for 20 test -e dumped || wrong+="the dump does not end. "
checked=$("$KCS_TARGETS/statecheck" core.kernel 2>&1)
[[ $checked =~ ^roles\  ]] || wrong+="the kernel's core: $checked. "
wait_for 20 ended || wrong+="it does not go. "
wait "$overseer" 2>/dev/null
[ "$(tail -n 1 state)" = "child killed 6" ] || wrong+="it ended otherwise: $(tail -n 1 state). "
verdict "dumping its own core, to a reader that waits" "$wrong"
echo core >/proc/sys/kernel/core_pattern

mkdir "$cgroup"
# The kernel reaps the memory of one that can't go by itself.
enter_cgroup()
{
	cat >in-cgroup <<-END
		#!/bin/sh
		echo \$\$ >$cgroup/cgroup.procs
		exec "\$@"
	END
	chmod +x in-cgroup
	prefix=./in-cgroup enter "$@"
}
enter_cgroup used mnt/stuck
wrong=$(in_state S subject)
echo 4M >"$cgroup/memory.max"
wait_for 20 grep -qx 'oom_kill [1-9].*' "$cgroup/memory.events" || wrong+="nothing was killed. "
# shellcheck disable=SC2317 # called by wait_for
reaped()
{
	# The figure is not exact.
	[ "$(grep -h RssAnon "/proc/$pid"/task/*/status | awk '{ print $2 }')" -lt 4096 ]
}
wait_for 20 reaped || wrong+="it was not reaped. "
wrong+=$(good_refusal 3 "$gone|ran out of memory")
stat mnt/answer >/dev/null 2>&1
wait_for 20 ended || wrong+="it does not go. "
wait "$overseer" 2>/dev/null
verdict "out of memory, and its memory reaped" "$wrong"
kill "$server"
wait "$server" 2>/dev/null
umount -l mnt
rmdir "$cgroup"
