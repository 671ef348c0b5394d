#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Usage, man page and completion name the same things.

# shellcheck disable=SC2154 # set by common.bash, in the shell of the test
load common

tool=$BATS_TEST_DIRNAME/../../tool
page=$tool/kcoresnap.8
completion=$tool/kcoresnap.bash-completion

# help_options [COMMAND]: without a command, those of a core
help_options() {
	"$KCORESNAP" "$@" --help | sed -n '/^Options:/,/^$/p' |
		sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' | sort -u
}

# The commands, and what is done without one as the empty word.
every_command() {
	echo
	help_commands
}

every_option() {
	local command
	every_command | while read -r command; do
		# shellcheck disable=SC2086 # the empty word is none
		help_options $command
	done | sort -u
}

# The options in the part of the synopsis for a command; for "" that of a core.
synopsis_options() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$page" |
		awk -v command="$1" '
			/^\.Nm/ { part++; mine = command == "" && part == 1 }
			$1 == ".Cm" { mine = $2 == command }
			mine' |
		sed -E -e "s/Fl o /Fl -output /; s/Fl v\$/Fl -verbose/" \
			-e "s/Fl q\$/Fl -quiet/; s/Fl z /Fl -compress /" |
		grep -oE 'Fl -[a-z-]+' | sed 's/Fl -/--/' | sort -u
}

help_commands() {
	"$KCORESNAP" --help | sed -n '/^Commands:/,/^$/p' |
		sed -nE 's/^  ([a-z]+).*/\1/p' | sort -u
}

# complete_words WORD...: what is offered for the last of them
complete_words() {
	bash -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_kcoresnap
		printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" "$@"
}

@test "the man page has the options of the help" {
	diff <(every_option) \
		<(sed -n '/^\.Sh OPTIONS/,/^\.Sh [^O]/p' "$page" |
			grep '^\.It Fl' | grep -oE ' -[a-z-]+' | sed 's/ /-/' |
			sort -u)
}

@test "the short options agree" {
	diff <("$KCORESNAP" --help | grep -oE '^  -[a-zA-Z], --[a-z-]+' |
		tr -d ' ' | sort) \
		<(sed -nE 's/^\.It Fl ([a-zA-Z]) , (-[a-z-]+).*/-\1,-\2/p' "$page" |
			sort)
}

@test "the man page has the commands of the help" {
	diff <(help_commands) \
		<(sed -nE 's/^\.It Cm ([a-z]+).*/\1/p' "$page" | sort -u)
}

@test "the man page has the exit codes of the help" {
	diff <("$KCORESNAP" --help | sed -n '/^Exit status:/,$p' |
		sed -nE 's/^  ([0-9N+]+) .*/\1/p') \
		<(sed -n '/^\.Sh EXIT STATUS/,/^\.El/p' "$page" |
			sed -nE 's/^\.It ([0-9N+]+)$/\1/p')
}

@test "each exit code reads alike in help and man page" {
	local code text
	while read -r code text; do
		sed -n "/^\\.It $code\$/,/^\\.It/p" "$page" | tr '\n' ' ' |
			grep -qiF "$text"
	done < <("$KCORESNAP" --help | sed -n 's/^  \([1-9] .*\)/\1/p')
}

@test "the synopsis of each command has its options" {
	local command
	every_command | while read -r command; do
		echo "command: '$command'"
		# shellcheck disable=SC2086
		diff <(help_options $command | grep -vx -e --help -e --version) \
			<(synopsis_options "$command")
	done
}

@test "completion offers the options of each command" {
	local command
	every_command | while read -r command; do
		echo "command: '$command'"
		# shellcheck disable=SC2086
		diff <(help_options $command) \
			<(complete_words kcoresnap $command -- | sort -u)
	done
}

@test "completion offers the commands of the help and pids" {
	diff <(help_commands) <(complete_words kcoresnap "" | grep '^[a-z]' | sort)
	complete_words kcoresnap "" | grep -qx "$target"
}

@test "what completion offers, the tool takes" {
	local word
	for word in $(complete_words kcoresnap --mode ""); do
		stdout=/dev/null fake --mode "$word" "$target"
		succeeds
	done
	for word in $(complete_words kcoresnap --allow ""); do
		stdout=/dev/null fake --allow "$word" "$target"
		succeeds
	done
	for word in $(complete_words kcoresnap --max-pause ""); do
		stdout=/dev/null fake --max-pause "$word" "$target"
		succeeds
	done
	for word in $(complete_words kcoresnap --filter "") \
		$(complete_words kcoresnap --filter anon,fi) \
		$(complete_words kcoresnap --filter +file,-); do
		stdout=/dev/null fake --filter "$word" "$target"
		succeeds
	done
}

@test "completion offers the names of filters of the man page" {
	diff <(complete_words kcoresnap --filter "" | sort) \
		<(sed -n '/^\.It Fl -filter/,/^\.It Fl -allow/p' "$page" |
			grep '^\.Cm anon ,\|^\.Cm dax ,\|^\.Cm all$' | tr ' ' '\n' |
			grep '^[a-z]' | sort)
	[ "$(complete_words kcoresnap --filter anon,elf)" = anon,elf-headers ]
	[ "$(complete_words kcoresnap --filter +file,-elf)" = +file,-elf-headers ]
}

@test "install and uninstall leave the same nothing" {
	make -s -C "$tool" install DESTDIR="$dir/root" PREFIX=/usr >/dev/null
	[ -x root/usr/sbin/kcoresnap ]
	[ -e root/usr/share/man/man8/kcoresnap.8 ]
	[ -e root/usr/share/bash-completion/completions/kcoresnap ]
	make -s -C "$tool" uninstall DESTDIR="$dir/root" PREFIX=/usr >/dev/null
	[ -z "$(find root -type f)" ]
}

@test "the man page renders without a complaint" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	mandoc -T lint -W warning "$page"
}
