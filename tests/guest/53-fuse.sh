#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 180 s
#
# File systems in user space: a process that waits for one that does not answer, and one that is the server.
# shellcheck disable=SC2119 # options are left out on purpose
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"
. "$KCS_TREE/tests/guest/states.sh"

plan 9

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
# not_waited_for WHAT NAME: by prctl(PR_SET_MM), arguments can be anywhere
not_waited_for()
{
	rm -f mapped
	python3 - "$1" <<-'END' >mapped &
		import ctypes, mmap, sys, time
		file = open("mntblk/hung", "rb", buffering=0)
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
		at = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
		libc.prctl.argtypes = [ctypes.c_int, ctypes.c_int] + [ctypes.c_ulong] * 3
		if sys.argv[1] == "arguments":
		    assert libc.prctl(35, 8, at, 0, 0) == 0 and libc.prctl(35, 9, at + 64, 0, 0) == 0
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
	is "$status $(cat .err)" "0 " "$2"
}
not_waited_for mapping "a mapped file that only a server with a device could read"
not_waited_for arguments "arguments in one"
stat mntblk/answer >/dev/null 2>&1
verdict "and its server ends as it should" "$(left)"
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
