#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What is no core, or none of ours, is told in a sentence. What is, tests/unit/tool_note.c and the guest show.

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

@test "a core that is not ours" {
	cli show nowhere
	fails 1 "'nowhere' can't be read (No such file or directory): name a core"
	cli show out
	fails 1 "'out' can't be read (Is a directory): name a core"
	cli show core
	fails 1 "'core' is no ELF core"
	cli show "$KCORESNAP"
	fails 1 "is no ELF core"
	printf '\x28\xb5\x2f\xfd' >packed
	cli show packed
	fails 1 "'packed' is no ELF core"
	cli show /dev/null
	fails 1 "'/dev/null' is no ELF core"
	mkfifo pipe
	cli show pipe
	fails 1 "'pipe' can't be read"
}

@test "show needs a core, and takes one" {
	cli show
	fails 2 "'show' needs CORE"
	cli show a b
	fails 2 "'b' is one argument too many"
	cli show ''
	fails 2 "'' is not the name of a core"
}

@test "whose pids there are" {
	fake --pids host -o out/core "$target"
	succeeds
	cli --pids mine "$target"
	fails 2 "option '--pids' takes 'target' or 'host', not 'mine'"
}
