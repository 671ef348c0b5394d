#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Time limit: 240 s
#
# A core on NFS, from a server in the same guest: as sparse as elsewhere, with root squashed, and with a server that ceases to
# answer, where the tool must stay killable and leave nothing but FILE.incomplete.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

mib=48
export=$PWD/export mnt=$PWD/mnt

modprobe -a nfsd nfs nfsv4 2>modprobe.err || skip_all "the row's kernel has no NFS server or client: $(head -n 1 modprobe.err)"
modprobe sch_netem 2>/dev/null
plan 13

serve()
{
	mkdir -p "$export/closed" "$export/open" "$mnt" /run/rpc_pipefs /var/lib/nfs/rpc_pipefs
	chmod 1777 "$export/open"
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	ip link set lo up
	# Nobody has locks to claim back, so nobody has to wait for the grace period.
	echo 10 >/proc/fs/nfsd/nfsv4leasetime
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	rpc.mountd -N 2 -N 3 2>mountd.err || rpc.mountd -N 3 2>>mountd.err || diag "$(cat mountd.err)"
	exportfs -o rw,fsid=0,no_subtree_check,root_squash "127.0.0.1:$export" || diag "exportfs failed"
	rpc.nfsd -N 3 4 2>nfsd.err || diag "$(cat nfsd.err)"
	echo Y 2>/dev/null >/proc/fs/nfsd/v4_end_grace
}

attach()
{
	mount -t nfs -o "vers=4.1,sec=sys,$1" "127.0.0.1:/" "$mnt" 2>mount.err && [ -d "$mnt/open" ] && return
	umount "$mnt" 2>/dev/null
	mount -t nfs -o "vers=4.1,sec=sys,$1" "127.0.0.1:$export" "$mnt" 2>>mount.err || { diag "$(cat mount.err)"; return 1; }
}

# What is sent to the server is lost, without a word.
silence()
{
	tc qdisc add dev lo root netem loss 100% 2>/dev/null || ip link set lo down
}

answer()
{
	tc qdisc del dev lo root 2>/dev/null
	ip link set lo up
}

start()
{
	env --default-signal=INT,TERM "$KCS" --max-pause 20s --rate 8M/s "$@" "$pid" >.out 2>.err &
	tool=$!
}

writing()
{
	[ "$(stat -c %b "$export/open/core.incomplete" 2>/dev/null || echo 0)" -gt 4000 ]
}

# Not in system calls of its own any more: it waits for the server.
stuck()
{
	grep -qE 'nfs|rpc' "/proc/$tool/stack" "/proc/$tool"/task/*/stack 2>/dev/null
}

ended()
{
	status=0
	wait "$tool" 2>/dev/null || status=$?
}

# What is in the directory beside an incomplete core.
others()
{
	find "$export/open" -mindepth 1 ! -name core.incomplete -printf '%f '
}

# No longer than it takes to see that the server does not answer.
gone()
{
	! grep -qsE '^State:.[^Z]' "/proc/$tool/status"
}

target used "$mib"
serve
if ! wait_for 30 attach hard; then
	not_ok "NFS is mounted" "$(cat mount.err)"
	exit
fi

kill -STOP "$pid"
"$KCS" --max-pause 20s -o plain "$pid"
kcs_run "$KCS" --max-pause 20s -o "$mnt/open/core" "$pid"
is "$status $(cat .err)$(python3 "$KCS_TREE/tests/core/same.py" plain "$export/open/core" 2>&1)" "0 " "a core on NFS is the one elsewhere"
is "$(stat -c '%u %a' "$export/open/core") $(ls -A "$export/open")" "65534 600 core" "root was squashed, its core is private"
num $(($(stat -c '%b * 512' "$export/open/core"))) -le $((($(stat -c '%b * 512' plain)) + (1 << 20))) "it is as sparse"
num "$("$KCS_TARGETS/cached" "$mnt/open/core" 2>/dev/null || echo 0)" -le $((1 << 20)) "it does not fill the page cache"
kill -CONT "$pid"
refused 8 "exists and is not overwritten" "one that exists is not overwritten" -o "$mnt/open/core"
kcs_run "$KCS" --max-pause 20s --force -z -o "$mnt/open/core" "$pid"
is "$status $(zstd -qdc "$export/open/core" | head -c 4 | tail -c 3) $(ls -A "$export/open")" "0 ELF core" "--force replaces it"
# By the client, which would remember them for a while.
rm -f "$mnt/open/core"
refused 8 "Permission denied: write to a directory that you may write to" "a directory that is closed to the squashed root" \
	-o "$mnt/closed/core"

# A server that ceases to answer.

for signal in TERM:143 KILL:137; do
	start -o "$mnt/open/core"
	wait_for 30 writing || diag "nothing was written"
	silence
	wait_for 10 stuck || diag "it was not seen to wait"
	kill -s "${signal%:*}" "$tool"
	cmd_ok "SIG${signal%:*} ends the tool while a hard mount does not answer" wait_for 30 gone
	answer
	ended
	is "$status $(others)$(left_behind)$(running "$pid")" "${signal#*:} " \
		"and nothing is left but what is told to be incomplete"
	diag "said: $(cat .err)"
	rm -f "$mnt/open"/*
done

start --timeout 4s -o "$mnt/open/core"
wait_for 30 writing || diag "nothing was written"
silence
wait_for 60 gone || diag "it does not end"
answer
ended
is "$status $(ls -A "$export/open") $(one_sentence 'the core is incomplete: the time allowed is over')" "9 core.incomplete " \
	"--timeout ends it too" || cat .err >&2
rm -f "$mnt/open"/*
umount "$mnt" || umount -f "$mnt"

attach soft,timeo=10,retrans=1
start -o "$mnt/open/core"
wait_for 30 writing || diag "nothing was written"
silence
wait_for 100 gone || diag "it does not end"
answer
ended
is "$status $(others)$(one_sentence 'incomplete: can.t write to .*')" "9 " \
	"a soft mount fails, and the sentence says so" || cat .err >&2
umount "$mnt" || umount -f "$mnt"

forget
exportfs -ua
rpc.nfsd 0
pkill rpc.mountd
umount /proc/fs/nfsd 2>/dev/null
