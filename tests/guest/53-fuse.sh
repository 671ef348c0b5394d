#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# File systems in user space: a process that waits for one that does not answer, and one that is the server.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

plan 7

[ -e /dev/fuse ] || modprobe fuse
mkdir mnt
enter fuse mnt backing
server=$pid server_overseer=$overseer
mv state server.state
mv state.err server.err

# answer: the server does
answer()
{
	stat mnt/answer >/dev/null 2>&1
}

# hung NAME LETTER KIND FILE
hung()
{
	local name=$1 letter=$2 wrong

	enter "$3" "mnt/$4"
	wrong=$(in_state "$letter" subject)
	manner=asleep in_call=2
	wrong+=$(good_core)$(good_core)
	manner=busy in_call='[0-9]+'
	answer
	verdict "$name" "$wrong$(left)"
}
hung "a read that the server never answers" D read hung
hung "one that does not go through the page cache" S read stuck

# The core has the first page of a mapped file that may be ELF, but not if that has to be waited for. Nobody else looks into the
# address space before there is an answer, as the fault may hold its lock.
enter touch mnt/hung
wrong=$(in_state D subject)
look
rm -f core
status=0
timeout -s KILL $((30 * ${KCS_SLOW:-1})) "$KCS" --max-pause 2s -o core "$pid" 2>.err || status=$?
case $status in
0)
	checked=$("$KCS_TARGETS/statecheck" core 2>&1)
	[[ $checked =~ ^roles\ 3\ in-call\ [12]\  ]] || wrong+="the core: $checked. "
	;;
5) wrong+=$(one_sentence 'could not be cloned|was cut off') ;;
*) wrong+="status $status: $(cat .err). " ;;
esac
diag "the fault: status $status"
wrong+=$(left_behind)
answer
wait_for 20 moves "$count" || wrong+="it does not go on. "
verdict "a page fault that the server never answers" "$wrong$(left)"

# Nor does the core wait for a server that has a device.
mkdir mntblk
truncate -s 1M image
modprobe loop
device=$(losetup -f --show image)
enter fuse mntblk backing.blk "$device"
python3 - <<-'END' >mapped &
	import mmap, time
	file = open("mntblk/hung", "rb", buffering=0)
	memory = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
	print("ready", flush=True)
	time.sleep(1000)
END
reader=$!
wait_for 60 grep -qs ^ready mapped
rm -f core
status=0
timeout -s KILL $((30 * ${KCS_SLOW:-1})) "$KCS" --max-pause 2s -o core "$reader" 2>.err || status=$?
kill "$reader"
wait "$reader" 2>/dev/null
stat mntblk/answer >/dev/null 2>&1
is "$status $(cat .err)$(left)" "0 " "a mapped file that only a server with a device could read"
umount -l mntblk
losetup -d "$device"
rm -f core

# The server's own core, written to what it serves, while others read from it.
pid=$server
head -c 262144 /dev/zero | tr '\0' p >expected
read_all()
{
	while dd if=mnt/pattern iflag=direct bs=64k 2>/dev/null | cmp -s - expected; do
		echo
	done
}
readers=()
for i in 1 2; do
	read_all >"read.$i" &
	readers+=($!)
done
# times N: each has read it more often than that
times()
{
	[ "$(wc -l <read.1)" -gt "$1" ] && [ "$(wc -l <read.2)" -gt "$1" ]
}
wait_for 20 times 0
status=0
"$KCS" --max-pause 20s "$server" >mnt/core 2>.err || status=$?
wrong=$([ "$status" -eq 0 ] && [ ! -s .err ] || echo "status $status: $(cat .err). ")
checked=$("$KCS_TARGETS/statecheck" backing 2>&1)
[[ $checked =~ ^roles\ [23]\  ]] || wrong+="the core: $checked. "
why=''
verdict "a file system's server, whose core goes to that file system" "$wrong$(left_behind)"
before=$(cat read.1 read.2 | wc -l)
wait_for 20 times "$before"
is "$? $(kill -0 "${readers[@]}" 2>&1)" "0 " "it serves others all the while"
kill "${readers[@]}"
wait "${readers[@]}" 2>/dev/null

overseer=$server_overseer
mv server.state state
mv server.err state.err
verdict "and ends as it should" "$(left)"
umount -l mnt
