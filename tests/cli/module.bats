#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

refused() {
	FAKE_ERRNO=$1 FAKE_SENTENCE="a sentence, of errno $1" fake -o out/core "$target"
	fails "$2" "kcoresnap: a sentence, of errno $1"
	empty out
}

@test "without the module every command says what to do" {
	need_no_module
	local command
	for command in "$target" info list "cancel 1" "--dry-run $target"; do
		# shellcheck disable=SC2086
		cli $command
		fails 7 "the kcoresnap module is not loaded: run 'modprobe kcoresnap' as root"
		[ ! -s stdout ]
	done
}

@test "a family that is absent is a module that is absent" {
	FAKE_ABSENT=1 fake info
	fails 7 "modprobe kcoresnap"
}

@test "a module of another version says what to do" {
	FAKE_VERSION=0.0.9 fake -o out/core "$target"
	fails 7 "version 0.0.9"
	grep -qF 'rmmod kcoresnap; modprobe kcoresnap' stderr
	[ ! -e log ]
	empty out
}

@test "an interface of another version says what to do" {
	local command
	for command in "$target" info list "cancel 1"; do
		# shellcheck disable=SC2086
		FAKE_GENL_VERSION=2 fake $command
		fails 7 "speaks version 2"
	done
}

@test "version names the module's, whatever it is" {
	FAKE_VERSION=0.0.9 fake --version
	succeeds
	grep -qx 'module 0.0.9' stdout
	FAKE_ABSENT=1 fake --version
	succeeds
	grep -qx 'module not loaded' stdout
}

@test "the module's sentence is shown, its errno is the exit code" {
	refused 3 3    # ESRCH
	refused 1 4    # EPERM
	refused 13 4   # EACCES
	refused 95 5   # EOPNOTSUPP
	refused 62 5   # ETIME
	refused 12 5   # ENOMEM
	refused 11 5   # EAGAIN
	refused 16 6   # EBUSY
	refused 19 7   # ENODEV
	refused 22 1   # EINVAL
	refused 34 1   # ERANGE
	refused 24 1   # EMFILE
}

@test "a refusal without a sentence is still told" {
	FAKE_ERRNO=22 fake -o out/core "$target"
	fails 1 "Invalid argument"
	empty out
}

@test "a sentence can't drive the terminal" {
	FAKE_ERRNO=95 FAKE_SENTENCE=$'bad \e[2J\n name' fake -o out/core "$target"
	fails 5 "bad ?[2J? name"
}

@test "a long sentence does no harm" {
	FAKE_ERRNO=95 FAKE_SENTENCE=$(printf 'long %.0s' {1..300}) \
		fake -o out/core "$target"
	fails 5 "long long"
}

@test "info prints what the module offers" {
	fake info
	succeeds
	grep -qE '^module version +[0-9.]+$' stdout
	grep -qE '^modes +auto cow stop live$' stdout
	grep -qE '^lifetime +3600 s$' stdout
	grep -qE '^longest pause +250.0 ms$' stdout
	grep -qE '^open snapshots +1 of 4$' stdout
	grep -qE '^policy +0 \(CAP_SYS_PTRACE' stdout
}

@test "info works for a module of another version" {
	FAKE_VERSION=0.0.9 fake info
	succeeds
	grep -qE '^module version +0.0.9$' stdout
}

@test "list prints a row per snapshot" {
	fake list
	succeeds
	[ "$(wc -l <stdout)" -eq 2 ]
	grep -qE '^ +ID +PID ' stdout
	grep -qE '^ +7 +4242 prog +1000 cow +5 .* open$' stdout
}

@test "list prints nothing where there is nothing" {
	FAKE_UNLISTED=1 fake list
	succeeds
	[ ! -s stdout ]
}

@test "list shows a dropped snapshot and an odd name" {
	FAKE_COMM=$'a\e\nb' FAKE_DROPPED=125 fake list
	succeeds
	grep -qE 'a\?\?b .*cancelled$' stdout
}

@test "a list that fails halfway fails" {
	FAKE_DUMP_ERRNO=12 FAKE_SENTENCE="no memory for the list" fake list
	fails 5 "no memory for the list"
}

@test "list into a full disk fails" {
	stdout=/dev/full fake list
	fails 8 "No space left"
}

@test "cancel drops a snapshot" {
	fake cancel 7
	succeeds
	[ ! -s stdout ]
}

@test "cancel of a snapshot that is not there" {
	FAKE_ERRNO=2 FAKE_SENTENCE="there is no snapshot 8" fake cancel 8
	fails 3 "there is no snapshot 8"
}

@test "a module that goes away meanwhile" {
	FAKE_ERRNO=2 fake cancel 8
	fails 7 "modprobe kcoresnap"
	FAKE_DUMP_ERRNO=93 fake list # EPROTONOSUPPORT
	fails 7 "modprobe kcoresnap"
}

@test "a module whose answers are malformed is another one" {
	FAKE_MALFORMED=1 fake info
	fails 7 "the module's answer is malformed: install tool and module"
	FAKE_MALFORMED=1 fake -o out/core "$target"
	fails 7 "the module's answer is malformed"
	empty out
}

@test "a dry run predicts and writes no core" {
	fake --dry-run -o out/core "$target"
	succeeds
	grep -qE '^mode +cow$' stdout
	grep -qE '^threads +5$' stdout
	grep -qE '^predicted pause +3.1 ms$' stdout
	grep -qE '^growth up to +1.0 GiB$' stdout
	grep -qE '^verdict +would be taken$' stdout
	empty out
}

@test "a dry run that would be refused says why and ends so" {
	FAKE_ERRNO=62 FAKE_SENTENCE="it would take too long" \
		fake --dry-run "$target"
	fails 5 "it would take too long"
	grep -qE '^verdict +would be refused$' stdout
}

@test "a dry run may print to a terminal" {
	LD_PRELOAD=$fake script -qec "'$KCORESNAP' --dry-run $target" /dev/null \
		>stdout </dev/null 3>&-
	grep -q 'would be taken' stdout
}

@test "ps prints a row per process" {
	fake ps
	succeeds
	grep -qE '^ +PID THREADS +RSS +GROWTH +PAUSE VERDICT CONTAINER +COMM$' stdout
	grep -qE "^ +$target +1 .* 1\\.0 GiB +3\\.1 ms cow +- +sleep\$" stdout
}

@test "ps says why with -v" {
	FAKE_ERRNO=95 FAKE_SENTENCE=$'a sen\e[2Jtence' fake ps -v
	succeeds
	grep -A 1 -E "^ +$target .* refused " stdout | grep -q '^ *a sen?\[2Jtence$'
}

@test "ps passes on what a snapshot would be asked for" {
	fake ps --mode stop --max-pause 1s --allow mlocked
	succeeds
	grep -qx "$(attr MODE)=2" log
	grep -qx "$(attr MAX_PAUSE_US)=1000000" log
	grep -qx "$(attr ALLOW)=1" log
	[ "$(grep -cx "$(attr DRY_RUN)" log)" -eq "$(grep -c "^$(attr PID)=" log)" ]
}

@test "ps of a container that is not there" {
	fake ps --container no-such-container
	fails 3 "no container here has an ID or a name that begins with 'no-such-container'"
}

@test "monitor tells of events until it is interrupted" {
	FAKE_COMM=$'a\e\nb' fake monitor
	succeeds
	[ "$(wc -l <stdout)" -eq 4 ]
	grep -qE '^20[0-9T:.-]+Z ready +following events$' stdout
	grep -qE '^20.*Z taken +7 +4242 \(a\?\?b\) for uid 1000: cow, 5 threads, 3\.0 MiB, pause 3\.2 ms of 4\.0 ms predicted$' stdout
	grep -qE '^20.*Z failed +- +4242 .*: refused for a test$' stdout
	grep -qE '^20.*Z closed +7 +4242 .*: pause 3\.2 ms, 1\.0 MiB read, 4\.0 KiB inexact, 0 B lost$' stdout
}

@test "monitor tells of what it has lost, and of the module's end" {
	FAKE_FLOOD=1 fake monitor
	succeeds
	grep -qE '^20.*Z lost +events that came faster than they were read$' stdout
	FAKE_UNLOAD=1 fake monitor
	fails 7 "the kcoresnap module was unloaded"
}

@test "monitor ends by SIGHUP, but not under nohup" {
	FAKE_HANG_UP=1 fake monitor
	succeeds
	[ "$(wc -l <stdout)" -eq 2 ]
	trap '' HUP
	FAKE_HANG_UP=1 fake monitor
	trap - HUP
	succeeds
	[ "$(wc -l <stdout)" -eq 4 ]
}

@test "monitor without the right to" {
	FAKE_JOIN_ERRNO=1 fake monitor
	fails 4 "run as root"
}

@test "monitor into a full disk" {
	stdout=/dev/full fake monitor
	fails 8 "No space left"
	stdout=/dev/full fake monitor --json
	fails 8 "No space left"
}
