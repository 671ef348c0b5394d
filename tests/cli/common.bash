# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Every test runs in a directory of its own, with a target that sleeps.

fake=$BATS_TEST_DIRNAME/fake_module.so

setup() {
	[ -x "$KCORESNAP" ] || {
		echo "KCORESNAP must name the tool" >&2
		return 1
	}
	dir=$(mktemp -d)
	cd "$dir" || return 1
	sleep 1000 3>&- &
	target=$!
	make_core
	mkdir out
}

teardown() {
	kill "$target" 2>/dev/null
	cd / || return 1
	rm -rf "$dir"
}

# 3 MiB: data, a hole, data, pages of zeros, data.
make_core() {
	head -c 5000 /dev/urandom >core
	truncate -s 1M core
	{
		head -c 300000 /dev/urandom
		head -c 200000 /dev/zero
		head -c 777 /dev/urandom
	} >>core
	truncate -s 3M core
	export FAKE_CORE=$dir/core FAKE_LOG=$dir/log
}

# cli ARGUMENT...: run the tool; $status, and the files stdout and stderr. Where
# a test needs another standard output it sets $stdout.
cli() {
	status=0
	"$KCORESNAP" "$@" </dev/null >"${stdout:-stdout}" 2>stderr 3>&- ||
		status=$?
}

# The same against the stand-in for the module.
fake() {
	status=0
	LD_PRELOAD=$fake "$KCORESNAP" "$@" </dev/null >"${stdout:-stdout}" \
		2>stderr 3>&- || status=$?
}

# fails CODE WORDS: the tool ended so and said exactly one sentence, with WORDS.
fails() {
	cat stderr
	[ "$status" -eq "$1" ] &&
		[ "$(wc -l <stderr)" -eq 1 ] &&
		grep -q '^kcoresnap: ' stderr &&
		grep -qF -- "$2" stderr
}

# The tool ended well and said nothing.
succeeds() {
	cat stderr
	[ "$status" -eq 0 ] && [ ! -s stderr ]
}

empty() {
	[ -z "$(ls -A "$1")" ]
}

need_no_module() {
	[ ! -d /sys/module/kcoresnap ] || skip "the module is loaded here"
}

# The numbers of the attributes, as the log of requests has them.
attr() {
	awk -v name="KCORESNAP_A_$1" '
		/^enum/ { inside = $2 == "kcoresnap_attr"; n = 0 }
		inside && /KCORESNAP_A_/ {
			if ($1 == name ",") print n
			n++
		}' "$BATS_TEST_DIRNAME/../../include/uapi/linux/kcoresnap.h"
}
