#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By name only: it takes as long as a third of the other tests.
# Soak: yes
# Time limit: 180 s
#
# A PostgreSQL server under pgbench keeps its accounts balanced while its processes are snapshotted in a loop; killed, it starts
# again at once although snapshots of it are open.

. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/programs.sh"
plan 9

seconds=$((6 * ${KCS_SCALE:-1}))
programs=$(echo /usr/lib/postgresql/*/bin)
data=$(echo /var/lib/postgresql/*/main)
config=$(echo /etc/postgresql/*/main)

start_server()
{
	setpriv --reuid=postgres --regid=postgres --init-groups nice -n 19 "$programs/postgres" -D "$data" \
		-c config_file="$config/postgresql.conf" -c hba_file="$KCS_TMP/hba" \
		-c external_pid_file= -c ssl=off -c listen_addresses= -c unix_socket_directories="$KCS_TMP" \
		-c shared_buffers=16MB -c max_connections=20 >>server.log 2>&1 &
	server=$!
	wait_for 90 answers
}

sql()
{
	psql -h "$KCS_TMP" -U postgres -XAtq -v ON_ERROR_STOP=1 "$@" postgres
}

answers()
{
	sql -c "SELECT 1" >/dev/null 2>&1
}

processes()
{
	pgrep -u postgres -x postgres
}

gone()
{
	! processes >/dev/null
}

# What each transaction has added to one account and one teller; the index and the table say the same.
balances()
{
	sql -c "SELECT (SELECT sum(balance) FROM account) = (SELECT sum(delta) FROM history),
		(SELECT sum(balance) FROM teller) = (SELECT sum(delta) FROM history),
		(SELECT count(*) FROM account), bt_index_check('account_pkey', true)"
}

# Where Debian's configuration puts temporary statistics; what makes it is the service.
install -d -o postgres -g postgres /run/postgresql "/run/postgresql/$(basename "${data%/main}")-main.pg_stat_tmp"
echo "local all all trust" >hba
start_server || diag "the server does not answer" "$(tail -n 20 server.log)"
sql <<'END'
CREATE EXTENSION amcheck;
CREATE TABLE account AS SELECT id, 0 AS balance FROM generate_series(1, 1000) AS id;
CREATE TABLE teller AS SELECT id, 0 AS balance FROM generate_series(1, 10) AS id;
CREATE TABLE history (id int, delta int);
ALTER TABLE account ADD PRIMARY KEY (id);
END
cat >transaction <<'END'
\set account random(1, 1000)
\set teller random(1, 10)
\set delta random(-5000, 5000)
BEGIN;
UPDATE account SET balance = balance + :delta WHERE id = :account;
UPDATE teller SET balance = balance + :delta WHERE id = :teller;
INSERT INTO history VALUES (:account, :delta);
COMMIT;
END

bench()
{
	nice -n 19 "$programs/pgbench" -h "$KCS_TMP" -U postgres -n -c 4 -f transaction "$@" postgres
}

harass postgresql -u postgres -x postgres
cmd_ok "pgbench has no failed transaction" bench -T "$seconds"
harass_end
diag "$(grep -E 'actually processed|latency' .out)"
num "$(snapshots_of postgresql)" -gt 0 "snapshots were taken meanwhile: $(snapshots_of postgresql)"
is "$(balances)" "t|t|1000|" "accounts, tellers and history agree"

# Two that stay open: nobody reads.
mkfifo fifo
exec 9<>fifo
bench -T 1000 >bench.log 2>&1 9>&- &
load=$!
transactions()
{
	[ "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'")" -eq 4 ]
}
wait_for 30 transactions || diag "pgbench has not begun" "$(cat bench.log)"
backend=$(sql -c "SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'")
for pid in "$server" "$backend"; do
	"$KCS" --max-pause 20s "$pid" >fifo 2>>held.err 9>&- &
	held+=($!)
done
are_open()
{
	[ "$("$KCS" list | grep -c ' postgres')" -eq 2 ]
}
wait_for 60 are_open || diag "$("$KCS" list)" "$(cat held.err)"
# shellcheck disable=SC2046 # a list
kill -KILL "$server" $(processes)
wait "$server" 2>/dev/null
wait_for 30 gone
attached=$(awk 'NR > 1 { sum += $7 } END { print sum + 0 }' /proc/sysvipc/shm)
is "$attached" 0 "nothing is attached to the killed server's shared memory"
: >server.log
start_server
is "$?" 0 "the server starts again at once" || diag "$(tail -n 20 server.log)"
are_open
is "$?" 0 "with two snapshots of the killed one open"
is "$(grep -c 'still in use' server.log)" 0 "without a word about its shared memory"
is "$(balances)" "t|t|1000|" "accounts, tellers and history still agree"
kill "$load" 2>/dev/null
wait "$load" 2>/dev/null

cat fifo >/dev/null &
cat=$!
wait "${held[0]}"
first=$?
wait "${held[1]}"
is "$first $?" "0 0" "the snapshots of the killed processes became complete cores"
kill "$cat"
exec 9>&-
kill -INT "$server"
wait "$server"
