#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By name only: it takes as long as a third of the other tests.
# Soak: yes
# Time limit: 120 s
#
# A Redis server under load, with its log and its dumps, keeps what it was given while it is snapshotted in a loop.

. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/programs.sh"
plan 6

rounds=$(scaled 6)
keys=300
socket=$KCS_TMP/redis.sock

client()
{
	redis-cli -s "$socket" "$@"
}

start_server()
{
	nice -n 19 redis-server --port 0 --unixsocket "$socket" --dir "$KCS_TMP" --save "" --appendonly yes >redis.log 2>&1 &
	server=$!
	wait_for 60 answers
}

answers()
{
	[ "$(client ping 2>/dev/null)" = PONG ]
}

# values ROUND [PREFIX]: a line per key
values()
{
	awk -v round="$1" -v prefix="${2:-}" -v keys="$keys" 'BEGIN {
		padding = sprintf("%200s", "")
		gsub(/ /, "x", padding)
		for (i = 1; i <= keys; i++)
			print (prefix == "" ? "" : prefix i " ") round ":" i ":" padding
	}'
}

# is_kept ROUND: are these the values that the server has?
is_kept()
{
	seq -f 'GET kept:%g' "$keys" | client >got
	values "$1" | cmp -s - got
}

start_server || diag "the server does not answer" "$(cat redis.log)"
harass redis -x redis-server
nice -n 19 redis-benchmark -s "$socket" -q -c 8 -r 1000 -n 100000000 -t set,get,lpush,lpop >bench.log 2>&1 &
load=$!

right=0
for ((round = 1; round <= rounds; round++)); do
	values "$round" "SET kept:" | client >replies
	[ "$(grep -cx OK replies)" -eq "$keys" ] || diag "round $round: $(sort replies | uniq -c)"
	[ $((round % 2)) -eq 0 ] || client bgsave >/dev/null
	if is_kept "$round"; then
		right=$((right + 1))
	else
		diag "round $round: $(values "$round" | diff - got | head -n 5)"
	fi
done
harass_end
kill -0 "$load" || diag "$(cat bench.log)"
is "$right" "$rounds" "each of $keys keys has its value, $rounds times"
num "$(snapshots_of redis)" -gt 0 "snapshots were taken meanwhile: $(snapshots_of redis)"
kill -0 "$load"
is "$?" 0 "the load has not failed"
kill "$load"
wait "$load" 2>/dev/null
like "$(client info persistence)" "rdb_last_bgsave_status:ok.*aof_last_write_status:ok" "dumps and log were written"
client shutdown nosave 2>/dev/null
wait "$server"
is "$?" 0 "the server ends"
start_server || diag "the server does not answer" "$(cat redis.log)"
is_kept "$rounds"
is "$?" 0 "a server that reads its log has each value"
