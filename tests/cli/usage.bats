#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

wrong() {
	cli "$@"
	fails 2 ""
	[ ! -s stdout ]
}

@test "help goes to standard output" {
	cli --help
	succeeds
	grep -q '^Usage: kcoresnap' stdout
	cli -h
	succeeds
}

@test "help into a full disk fails" {
	stdout=/dev/full cli --help
	fails 8 "No space left"
}

@test "no argument names the help" {
	wrong
	grep -q "no process is given: .*--help" stderr
}

@test "a word that is neither pid nor command is refused" {
	wrong bogus
	wrong 12x
	wrong ""
	wrong 0
	wrong 4294967296
	wrong -- -5
}

@test "arguments too many are refused" {
	wrong info 1
	wrong list 1
	wrong cancel 1 2
}

@test "cancel needs an ID" {
	wrong cancel
	wrong cancel x
	wrong cancel -- -1
	wrong cancel 4294967296
}

@test "an option without a value takes none" {
	wrong --force=yes 1
	grep -qF "option '--force' takes no value: " stderr
}

@test "commands take no options of the core" {
	wrong info -v
	grep -qF "'info' takes no option '--verbose': see 'kcoresnap info --help'" stderr
	wrong --dry-run list
	wrong cancel 1 -o core
}

@test "each command has a help of its own" {
	cli cancel --help
	succeeds
	grep -q '^Usage: kcoresnap cancel \[OPTION\]... ID$' stdout
	grep -q '^Drop an open snapshot\.$' stdout
	[ "$(grep -c -- --dry-run stdout)" -eq 0 ]
	cli --help info
	succeeds
	grep -q '^Usage: kcoresnap info \[OPTION\]...$' stdout
}

@test "unknown options are refused by name" {
	wrong --bogus 1
	grep -qF -- "'--bogus'" stderr
	wrong -x 1
	grep -qF -- "'-x'" stderr
	wrong --verbose=1 1
	wrong --m cow 1
}

@test "options need their value" {
	wrong 1 -o
	wrong 1 --mode
	wrong 1 --max-pause
	wrong 1 --filter
	wrong 1 --allow
	wrong --container
	wrong 1 --ns
}

@test "a mode has a name" {
	wrong --mode fast 1
	wrong --mode 1 1
	wrong --mode= 1
}

@test "a pause has a unit and is from 1us to 60s" {
	wrong --max-pause 50 1
	wrong --max-pause 0ms 1
	wrong --max-pause 0.5us 1
	wrong --max-pause 60.000001s 1
	wrong --max-pause -1ms 1
	wrong --max-pause 99999999999999999999s 1
	grep -q 60s stderr
}

@test "a filter is hexadecimal, or names" {
	wrong --filter anonymous 1
	wrong --filter 0x 1
	wrong --filter 100000000 1
	wrong --filter anon, 1
	wrong --filter anon,-file 1
	wrong --filter "" 1
	grep -qF -- "names such as anon,file or +file,-huge" stderr
}

@test "allow takes known risks" {
	wrong --allow everything 1
	wrong --allow mlocked, 1
	wrong --allow "" 1
}

@test "an output has a name" {
	wrong -o "" 1
}

@test "version works without the module" {
	need_no_module
	cli --version
	succeeds
	grep -qx 'kcoresnap [0-9.]*' stdout
	grep -qx 'module not loaded' stdout
	cli -V
	succeeds
}

@test "a process is named in one way" {
	wrong --container web 1
	wrong --container web --ns 1
	wrong --every-process 1
	grep -qF -- "needs '--container'" stderr
	wrong --container ""
	wrong --ns 0 1
	wrong --ns web 1
}
