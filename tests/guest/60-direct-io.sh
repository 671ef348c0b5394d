#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# Processes that read with O_DIRECT from a slow disk, into pages that other threads write, are snapshotted all the time: no byte is lost.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

seconds=$((3 * ${KCS_SCALE:-1}))

plan 10

# read_directly KIND: $taken, $amid, $reads and $wrong as directio prints them
read_directly()
{
	kcs_run "$KCS_TARGETS/directio" "$1" /dev/vdb "$seconds"
	sed 's/^/# /' .out
	read -r taken _ amid reads wrong < <(tail -n 1 .out)
	tally direct-reads "$reads"
}

unharmed()
{
	is "$status $wrong" "0 0" "$1: not a wrong byte in all reads"
}

for kind in pread aio; do
	read_directly "$kind"
	unharmed "$kind"
	num "$taken" -ge 5 "$kind: snapshots are taken"
done
num "$amid" -ge 5 "aio: they are taken while I/O is under way"

for kind in io_uring registered; do
	read_directly "$kind"
	case $(cat .out) in
	unavailable*)
		skip "$kind: not a wrong byte in all reads" "$(cat .out)"
		skip "$kind: snapshots are taken, or refused where I/O does not pin its pages" "$(cat .out)"
		;;
	*)
		unharmed "$kind"
		if pins; then
			num "$taken" -ge 5 "$kind: snapshots are taken, or refused where I/O does not pin its pages"
		else
			like "$taken $(grep ^refused .out)" "^0 refused [0-9]+ the process uses io_uring.*--mode stop" \
				"$kind: snapshots are taken, or refused where I/O does not pin its pages"
		fi
		;;
	esac
done
cmd_ok "the module can be unloaded" unload
load "$@"
