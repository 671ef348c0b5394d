#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the core goes: names, directories, files that exist, links, other file systems, the page cache.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/requests.sh"

mib=64
plan 27

mkdir dir theirs disk
target used "$mib"
name="core.awkward.$pid"

# only NAME: the only file in dir, which is then removed
only()
{
	local left

	left=$(ls -A dir)
	[ "$left" = "$1" ] || diag "in the directory: $left"
	[ "$left" = "$1" ] && eu-readelf -n "dir/$1" >/dev/null 2>&1 && [ "$(stat -c %a "dir/$1")" = 600 ]
	status=$?
	rm -rf dir/*
	return "$status"
}

kcs()
{
	kcs_run "$KCS" --max-pause 20s "$@" "$pid"
}

kcs -o dir/
cmd_ok "a directory gives core.NAME.PID" only "$name"
kcs -z -o dir/
[ "$(zstd -qdc "dir/$name.zst" | head -c 4 | tail -c 3)" = ELF ]
is $? 0 "with -z its name ends in .zst"
rm -f dir/*
kcs -o dir/%e-%p-%P-%i-%u-%g-%s-%d-%h-%E
cmd_ok "the specifiers of core(5)" only \
	"awkward-$pid-$pid-$pid-0-0-0-1-$(uname -n)-$(readlink "/proc/$pid/exe" | tr / !)"
# shellcheck disable=SC2016 # for the inner shell
unshare --pid --uts --mount-proc --fork sh -c 'hostname inside; exec "$0" used 1' "$KCS_TARGETS/awkward" >inner &
wait_for 30 grep -qs ready inner
inner=$(pgrep -P $! -x awkward)
kcs_run "$KCS" --max-pause 20s -o dir/%p.%P.%h "$inner"
cmd_ok "in namespaces of its own it has another pid and another host" only "1.$inner.inside"
kill "$inner"
setpriv --reuid=65534 --regid=65534 --clear-groups "$KCS_TARGETS/awkward" undumpable >state.undumpable &
nobodys=$!
wait_for 30 grep -qs ready state.undumpable
kcs_run "$KCS" --max-pause 20s -o dir/%u-%d "$nobodys"
cmd_ok "one that is not dumpable" only "65534-$(cat /proc/sys/fs/suid_dumpable)"
kill "$nobodys"
refused 8 "create the directory first" "a specifier does not make a directory" -o dir/%p/core
refused 2 "'%' begins a specifier of core\(5\)" "what is no specifier" -o dir/%z

prlimit --pid "$pid" --core=0
(ulimit -c 0 && "$KCS" --max-pause 20s -o dir/core "$pid")
cmd_ok "RLIMIT_CORE does not apply" only core

# What is told meanwhile.

line="kcoresnap: [0-9.]+ [KM]?i?B of [0-9.]+ MiB, [0-9.]+ [KMG]?i?B/s(, [0-9]+ s left)?, pause [0-9.]+ [mu]?s"
kcs --rate "$((mib / 2))M/s" --progress=always -o dir/core
is "$status $(grep -cvE "^$line\$" .err) $(($(wc -l <.err) > 1))" "0 0 1" "--progress=always tells bytes, rate, time left and pause, in lines" ||
	kcs_show_run
kcs_run script -qec "'$KCS' --force --max-pause 20s --rate $((mib / 2))M/s -o dir/core $pid" /dev/null
is "$status $(tr '\r' '\n' <.out | grep -cE "^${line#kcoresnap: } *\$" | sed 's/^[1-9][0-9]*$/some/') $(wc -l <.out)" "0 some 0" \
	"on a terminal one line changes and is gone at the end" || kcs_show_run
kcs_run script -qec "'$KCS' --force --progress=never --max-pause 20s --rate $((mib / 2))M/s -o dir/core $pid" /dev/null
is "$status $(wc -c <.out)" "0 0" "--progress=never tells nothing there" || kcs_show_run
kcs --force -q --progress=always -v -q -o dir/core
is "$status $(wc -c <.err)" "0 0" "nor does -q anywhere"
rm -f dir/core

# What exists.

echo mine >dir/core
refused 8 "exists and is not overwritten" "a file that exists" -o dir/core
kcs --force -o dir/core
cmd_ok "--force replaces it" only core
ln -s "$PWD/victim" dir/core
refused 8 "exists and is not overwritten" "a symbolic link that was planted" -o dir/core
refused 8 "is not a regular file, and --force replaces no other" "--force does not follow it" --force -o dir/core
rm dir/core
ln -s "$PWD/victim" dir/core.incomplete
refused 8 "core.incomplete' exists and is not overwritten" "nor one in the place of an incomplete core" -o dir/core
is "$(ls -A dir)$(cat victim 2>/dev/null)" core.incomplete "nothing was written behind it"
rm dir/core.incomplete

# A directory that belongs to somebody else.

chown 65534 theirs
kcs -o theirs/core
is "$status $(ls -A theirs) $(stat -c '%u %a' theirs/core)" "0 core 0 600" "a core in somebody else's directory is one's own"
rm -f theirs/core
setpriv --reuid=65534 --clear-groups ln -s "$PWD/dir" theirs/link
refused 8 "a link on the way is somebody else's" "somebody else's link to a directory is not followed" -o theirs/link/core
is "$(ls -A dir)" "" "and nothing is written there"
chmod 555 theirs
kcs_run setpriv --bounding-set=-dac_override,-dac_read_search "$KCS" --max-pause 20s -o theirs/core "$pid"
like "$status $(cat .err)" "^8 .*Permission denied: write to a directory that you may write to" \
	"a directory that may not be written to" || kcs_show_run

# A disk: as sparse as can be, no more than a few windows of it in the page cache.

truncate -s 192M image
mkfs.ext4 -q image
modprobe loop
mount -o loop image disk
kcs -o disk/core
is "$status" 0 "a core on ext4"
num "$("$KCS_TARGETS/cached" disk/core)" -le $((32 << 20)) "most of its $mib MiB are not in the page cache"
"$KCS" --max-pause 20s "$pid" >disk/redirected
num "$("$KCS_TARGETS/cached" disk/redirected)" -le $((32 << 20)) "by redirection neither"
used=$(($(stat -c '%b * 512' disk/core)))
rm -f disk/core disk/redirected
forget
target mapped 1024
kcs -o disk/core
diag "$(cat .err)" "$(stat -c '%s bytes, %b blocks' disk/core 2>&1)"
[ -e disk/core ] || : >disk/core
is "$status $(($(stat -c %s disk/core) > 1 << 30)) $(($(stat -c '%b * 512' disk/core) < 8 << 20))" "0 1 1" \
	"a core of 1 GiB, nearly all holes, on a small disk (one of $mib MiB took $((used >> 20)) MiB)"
umount disk
forget
is "$(left_behind)" "" "no snapshot is left"
