#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# Processes that read with O_DIRECT from a slow disk, into pages that other threads write, are snapshotted all the time: no byte is lost.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

seconds=$((3 * ${KCS_SCALE:-1} * ${KCS_SLOW:-1}))
file=/var/tmp/60-direct-io
swap=/var/tmp/60-direct-io.swap

plan 21

# read_directly KIND DEVICE [OPTION]: $taken, $amid, $reads and $wrong as directio prints them
read_directly()
{
	kcs_run "$KCS_TARGETS/directio" "$1" "$2" "$seconds" ${3:+"$3"}
	sed 's/^/# /' .out
	read -r taken _ amid reads wrong < <(tail -n 1 .out)
	tally direct-reads "$reads"
}

unharmed()
{
	is "$status $wrong" "0 0" "$1: not a wrong byte in all reads"
}

taken_some()
{
	num "$taken" -ge 5 "$1: snapshots are taken"
}

for kind in pread aio; do
	read_directly "$kind" /dev/vdb
	unharmed "$kind"
	taken_some "$kind"
	[ "$kind" != aio ] || num "$amid" -ge 5 "aio: they are taken while I/O is under way"
	if [ -e /sys/kernel/mm/transparent_hugepage ]; then
		read_directly "$kind" /dev/vdb huge
		unharmed "$kind into a huge page"
		taken_some "$kind into a huge page"
	else
		skip "$kind into a huge page: not a wrong byte in all reads" "this kernel has none (CONFIG_TRANSPARENT_HUGEPAGE)"
		skip "$kind into a huge page: snapshots are taken" "likewise"
	fi
	# A file system's own way to block I/O.
	read_directly "$kind" "$file"
	unharmed "$kind from a file on $(stat -f -c %T "$file")"
	taken_some "$kind from a file"
	rm -f "$file"
done

# Four reads at a time take 40 ms on that disk, and half of the bound is for waiting.
under_way='direct I/O of process [0-9]+ was under way for longer than could be waited for within the bound of 40000 us: try again'
waited_too_long()
{
	local got=0

	"$KCS" --max-pause 40ms -o core "$pid" 2>said || got=$?
	rm -f core
	[[ "$got $(cat said)" =~ ^5\ .*$under_way ]]
}
if pins; then
	skip "pread: what can't be waited for is refused" "this kernel pins what is under I/O, so nothing is waited for"
	skip "pread: and the process reads on" "likewise"
else
	"$KCS_TARGETS/directio" pread /dev/vdb 1000 >/dev/null &
	reader=$!
	wait_for 20 pgrep -P $reader >pid
	pid=$(cat pid)
	cmd_ok "pread: what can't be waited for is refused" wait_for 60 waited_too_long
	before=$(awk '/^syscr/ { print $2 }' "/proc/$pid/io")
	reads_on()
	{
		[ "$(awk '/^syscr/ { print $2 }' "/proc/$pid/io")" -gt "$before" ]
	}
	cmd_ok "pread: and the process reads on" wait_for 20 reads_on
	kill $reader
	wait $reader 2>/dev/null
fi

dd if=/dev/zero of=$swap bs=1M count=16 status=none
chmod 0600 $swap
{ mkswap -q $swap && swapon $swap; } || diag "no swap"
read_directly aio /dev/vdb swapped
unharmed "aio with swapped memory"
swapoff $swap
rm -f $swap

for kind in io_uring registered; do
	read_directly "$kind" /dev/vdb
	case $(cat .out) in
	unavailable*)
		skip "$kind: not a wrong byte in all reads" "$(cat .out)"
		skip "$kind: snapshots are taken, or refused where I/O does not pin its pages" "$(cat .out)"
		;;
	*)
		unharmed "$kind"
		if pins; then
			taken_some "$kind"
		else
			like "$taken $(grep ^refused .out)" "^0 refused [0-9]+ the process uses io_uring.*--mode stop" \
				"$kind: snapshots are refused, as I/O does not pin its pages"
		fi
		;;
	esac
done
cmd_ok "the module can be unloaded" unload
load "$@"
