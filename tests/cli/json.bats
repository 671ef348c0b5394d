#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What --json prints, and that it holds what would be said to people.

# shellcheck disable=SC2154,SC2030,SC2031 # set by common.bash, in the shell of the test
load common

# has FILTER: the one line on standard output passes the filter.
has() {
	head -c 1000 stdout stderr
	[ "$status" -eq "${want:-0}" ]
	[ "$(wc -l <stdout)" -eq 1 ]
	[ ! -s stderr ]
	jq -e "$1" stdout
}

@test "info" {
	fake info --json
	has '.tool_version and .version and .modes == ["auto", "cow", "stop", "live"]
		and .max_pause_us == 250000 and .active == 1
		and .max_snapshots == 4 and .policy == 0 and .lifetime_s == 3600
		and .exit_code == 0'
}

@test "a core" {
	fake --json -o out/core "$target"
	has ".pid == $target and .comm == \"sleep\" and .id == 7 and .mode == \"cow\"
		and .size == 3145728 and .data_bytes == 3145728
		and .inexact_bound == 8192 and .threads == 5
		and .inexact_threads == 0 and .segments == 3
		and .pause_ns == 3200000 and .park_ns == 100000
		and .regs_ns == 200000 and .clone_ns == 300000
		and .predicted_ns == 3100000 and .growth_bound == 1073741824
		and .read_bytes == 1048576 and .inexact_bytes == 0
		and .lost_bytes == 0 and .written_bytes > 0
		and .left_out_bytes == 0 and .elapsed_ns > 0
		and .file == \"out/core\" and .exit_code == 0
		and (has(\"error\") or has(\"notes\") | not)"
	cmp core out/core
}

@test "of a core on standard output the result is on standard error" {
	stdout=out/core fake --json "$target"
	[ "$status" -eq 0 ]
	cmp core out/core
	jq -e ".pid == $target and .file == null and .exit_code == 0" stderr
	[ "$(wc -l <stderr)" -eq 1 ]
}

@test "a core with -v, or with its progress on a terminal" {
	fake --json -v -o out/core "$target"
	has ".exit_code == 0"
	FAKE_READ_MS=1200 LD_PRELOAD=$fake script -qec \
		"'$KCORESNAP' --json -o out/two $target" /dev/null >stdout </dev/null 3>&-
	[ "$(wc -l <stdout)" -eq 1 ]
	jq -e .file stdout
}

@test "of a core that is incomplete the module's figures are told, if it has any" {
	export FAKE_LOST=4096 FAKE_INEXACT=8192
	FAKE_CANCEL_AT=1048576 FAKE_DROPPED=12 fake --json -o out/core "$target"
	want=9 has '.read_bytes == 1048576 and .inexact_bytes == 8192
		and .lost_bytes == 4096 and .pause_ns == 3200000'
	stdout=/dev/full fake --json -o - "$target"
	jq -e '.lost_bytes == 4096 and .exit_code == 8' stderr
	rm out/core.incomplete
	FAKE_DUMP_ERRNO=12 FAKE_UNLISTED=1 fake --json -o out/core "$target"
	want=9 has '(has("read_bytes") or has("inexact_bytes") or has("missed_bytes")
		or has("lost_bytes") | not) and .pause_ns == 3200000'
}

@test "progress is neither an error nor a note" {
	head -c 1M /dev/urandom >core
	FAKE_LOST=4096 fake --json --progress=always --rate 1M/s -o out/core "$target"
	[ "$status" -eq 9 ]
	jq -e '(.error | test("4.0 KiB of memory")) and (has("notes") | not)' stdout
	[ "$(grep -cvE '^kcoresnap: .* of 1.0 MiB, ' stderr)" -eq 0 ]
	[ -s stderr ]
}

@test "a core that is incomplete" {
	FAKE_LOST=4096 fake --json -o out/core "$target"
	want=9 has '.lost_bytes == 4096 and .file == "out/core.incomplete"
		and (.error | test("4.0 KiB of memory")) and .exit_code == 9'
	[ -e out/core.incomplete ]
}

@test "a dry run" {
	fake --json --dry-run "$target"
	has ".pid == $target and .mode == \"cow\" and .threads == 5
		and .predicted_ns == 3100000 and .growth_bound == 1073741824
		and .refusal == null and .errno == 0 and .exit_code == 0"
	export FAKE_ERRNO=95 FAKE_SENTENCE="refused for a test"
	fake --json --dry-run "$target"
	want=5 has '.mode == null and .errno == 95 and .exit_code == 5
		and .refusal == "refused for a test" and .error == .refusal'
}

@test "a core that is refused" {
	export FAKE_ERRNO=62 FAKE_SENTENCE="too long"
	fake --json -o out/core "$target"
	want=5 has ". == {pid: $target, comm: \"sleep\", error: \"too long\", exit_code: 5}"
	empty out
}

@test "several processes: an object for each, the first failure's status" {
	local gone
	gone=$(cat /proc/sys/kernel/pid_max)
	fake --json -o out/ "$target" "$gone" $$
	[ "$status" -eq 3 ]
	[ ! -s stderr ]
	jq -es "map(.pid) == [$target, $gone, $$] and map(.exit_code) == [0, 3, 0]
		and (.[1].error | test(\"there is no process\"))" stdout
	cmp core "out/core.sleep.$target"
	cmp core "$(jq -r .file stdout | tail -n 1)"
}

@test "a core that a signal ends" {
	FAKE_DELAY_MS=5000 LD_PRELOAD=$fake timeout -s INT 1 "$KCORESNAP" --json \
		-o out/core "$target" </dev/null >stdout 2>stderr 3>&- || true
	[ "$(wc -l <stdout)" -eq 1 ]
	[ ! -s stderr ]
	jq -e '.exit_code == 130 and (.error | test("ended by signal 2"))' stdout
	empty out
}

@test "list" {
	FAKE_DROPPED=12 FAKE_LOST=4096 fake list --json
	has 'length == 1 and (.[0] | .id == 7 and .pid == 4242 and .comm == "prog"
		and .uid == 1000 and .mode == "cow" and .threads == 5
		and .size == 3145728 and .data_bytes == 2097152
		and .read_bytes == 1048576 and .inexact_bytes == 0
		and .lost_bytes == 4096 and .pause_ns == 3200000
		and .age_ns == 61000000000 and .dropped == "memory")'
	FAKE_UNLISTED=1 fake list --json
	has '. == []'
}

@test "a list that fails halfway is an error and no list" {
	export FAKE_DUMP_ERRNO=12 FAKE_SENTENCE="no memory for the list"
	fake list --json
	want=5 has '. == {error: "no memory for the list", exit_code: 5}'
}

@test "cancel" {
	fake cancel --json 7
	has '. == {id: 7, exit_code: 0}'
	FAKE_ERRNO=2 FAKE_SENTENCE="there is no snapshot 8" fake cancel --json 8
	want=3 has '. == {id: 8, error: "there is no snapshot 8", exit_code: 3}'
}

@test "a module that is absent is an error in JSON" {
	local command
	for command in info list "cancel 1" ps monitor; do
		# shellcheck disable=SC2086
		FAKE_ABSENT=1 fake --json $command
		want=7 has '(.error | test("modprobe kcoresnap")) and .exit_code == 7'
	done
}

@test "a wrong command line is told in JSON, on standard error" {
	local wrong
	for wrong in "--bogus --json list" "--json --mode fast 1" "list --json --mode" \
		"list --json 1" "info --json -v" "cancel --json" "--json" \
		"--json -o out/core" "--json --dry-run 1 1" "--json -o out/core 1 2"; do
		# shellcheck disable=SC2086
		fake $wrong
		[ "$status" -eq 2 ]
		[ ! -s stdout ]
		jq -e '.exit_code == 2 and .error' stderr
	done
}

@test "names need not be UTF-8" {
	FAKE_COMM=$'\xff\xc3\xa9\xed\xa0\x80\xe2\x82\n"\\' fake list --json
	has '.[0].comm == "\ufffdé\ufffd\ufffd\ufffd\ufffd\ufffd?\"\\"'
}

@test "a result that can't be written is told to people" {
	stdout=/dev/full fake list --json
	fails 8 "No space left"
}

@test "ps" {
	fake ps --json
	has "(.[] | select(.pid == $target)) | .comm == \"sleep\" and .threads == 1
		and .rss_bytes > 0 and .mode == \"cow\" and .refusal == null
		and .errno == 0 and .predicted_ns == 3100000
		and .growth_bound == 1073741824 and .container == null"
	jq -e '[.[].rss_bytes] | . == (sort | reverse)' stdout
	# shellcheck disable=SC2016 # of the inner shell
	LD_PRELOAD=$fake bash -c 'echo $$ >own; exec "$0" ps --json' "$KCORESNAP" >stdout
	jq -e "all(.[]; .pid != $(cat own))" stdout
}

@test "ps tells what would be refused, by forecast or at the door" {
	export FAKE_ERRNO=95 FAKE_SENTENCE="refused for a test"
	fake ps --json
	has "(.[] | select(.pid == $target)) | .mode == null and .errno == 95
		and .refusal == \"refused for a test\" and .predicted_ns == 3100000"
	export FAKE_ERRNO=1 FAKE_REFUSE_PID=$target
	fake ps --json
	has "((.[] | select(.pid == $target)) | .mode == null and .errno == 1
		and .refusal == \"refused for a test\" and .predicted_ns == null)
		and any(.[]; .mode == \"cow\")"
	export FAKE_ERRNO=3
	fake ps --json
	has "all(.[]; .pid != $target)"
}

@test "monitor" {
	export FAKE_FLOOD=1 FAKE_DROPPED=125
	fake monitor --json
	[ "$status" -eq 0 ]
	[ ! -s stderr ]
	jq -es 'map(.event) == ["ready", "taken", "failed", "closed", "lost"]' stdout
	jq -es 'all(.[]; .time | test("^20[0-9-]+T[0-9:]+\\.[0-9]{6}Z$"))' stdout
	jq -es '.[1] | .id == 7 and .pid == 4242 and .comm == "prog" and .uid == 1000
		and .mode == "cow" and .size == 3145728 and .threads == 5
		and .pause_ns == 3200000 and .predicted_ns == 4000000' stdout
	jq -es '.[2] | .pid == 4242 and .errno == 95
		and .refusal == "refused for a test" and has("id") == false' stdout
	jq -es '.[3] | .id == 7 and .read_bytes == 1048576 and .inexact_bytes == 4096
		and .lost_bytes == 0 and .dropped == "cancelled"' stdout
}
