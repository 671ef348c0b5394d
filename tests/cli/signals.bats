#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0

# shellcheck disable=SC2154,SC2030,SC2031 # set by common.bash, in the shell of the test
load common

# interrupt SIGNAL SECONDS ARGUMENT...: the tool gets the signal after a while. It
# is started from python, as a shell lets background jobs ignore SIGINT.
interrupt() {
	status=0
	LD_PRELOAD='' python3 -c '
import os, signal, subprocess, sys, time
sig = getattr(signal, sys.argv[1])
env = dict(os.environ, LD_PRELOAD=sys.argv[3])
out = os.open(os.environ.get("STDOUT", "stdout"),
              os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
child = subprocess.Popen(sys.argv[4:], env=env, stdout=out,
                         stderr=open(os.environ.get("STDERR", "stderr"), "w"))
time.sleep(float(sys.argv[2]))
child.send_signal(sig)
start = time.monotonic()
code = child.wait(timeout=20)
print("%.3f" % (time.monotonic() - start), file=open("took", "w"))
sys.exit(128 - code if code < 0 else code)' \
		"$1" "$2" "$fake" "$KCORESNAP" "${@:3}" 3>&- || status=$?
}

@test "a signal while the snapshot is taken" {
	FAKE_DELAY_MS=5000 interrupt SIGINT 0.5 -o out/core "$target"
	fails 130 "ended by signal 2 (Interrupt)"
	empty out
	grep -q '^[01]\.' took
}

@test "a signal while the core is written" {
	export FAKE_READ_MS=5000
	interrupt SIGINT 0.5 -o out/core "$target"
	fails 130 "no complete core was written"
	empty out
	interrupt SIGTERM 0.5 -o out/core "$target"
	fails 143 "no complete core was written"
	empty out
	interrupt SIGHUP 0.5 -o out/core "$target"
	fails 129 "no complete core was written"
	empty out
}

@test "a signal to process 1 of a pid namespace" {
	unshare --pid --fork true 2>/dev/null || skip "a pid namespace takes root"
	# Up to util-linux 2.36 at least, unshare hands on that it ignores SIGTERM.
	FAKE_READ_MS=2000 LD_PRELOAD=$fake unshare --pid --fork --kill-child \
		env --default-signal "$KCORESNAP" -o out/core "$target" </dev/null 2>stderr 3>&- &
	local unshare=$! first
	until [ -e log ]; do sleep 0.02; done
	first=$(pgrep -P "$unshare")
	kill -TERM "$first"
	timeout 10 tail --pid="$first" -f /dev/null || kill -KILL "$first"
	status=0
	wait "$unshare" || status=$?
	fails 143 "no complete core was written"
	empty out
}

@test "a signal while nobody reads the pipe" {
	head -c 8M /dev/urandom >core
	mkfifo fifo
	exec 4<>fifo
	STDOUT=fifo interrupt SIGINT 0.5 "$target"
	exec 4<&-
	fails 130 "no complete core was written"
}

# A pipe that is full and that nobody reads, as descriptor 4.
make_stuck() {
	rm -f stuck
	mkfifo stuck
	exec 4<>stuck
	head -c 65536 /dev/zero >&4
}

@test "a signal while nobody reads what is said" {
	make_stuck
	FAKE_READ_MS=5000 STDERR=stuck interrupt SIGTERM 0.5 -o out/core "$target"
	exec 4<&-
	[ "$status" -eq 143 ]
	empty out
	grep -q '^[0-4]\.' took
}

@test "a signal while nobody reads results" {
	make_stuck
	FAKE_READ_MS=5000 STDOUT=stuck interrupt SIGTERM 0.5 --json -o out/core \
		"$target"
	exec 4<&-
	[ "$status" -eq 143 ]
	empty out
}

@test "a signal while nobody reads events" {
	make_stuck
	STDOUT=stuck interrupt SIGTERM 0.5 monitor
	[ "$status" -eq 0 ]
	STDOUT=stuck interrupt SIGTERM 0.5 monitor --json
	exec 4<&-
	[ "$status" -eq 0 ]
}

@test "a core does not wait for who reads of its progress" {
	head -c 1M /dev/urandom >core
	make_stuck
	STDERR=stuck interrupt SIGCONT 0.5 --progress=always --rate 512K/s \
		-o out/core "$target"
	exec 4<&-
	[ "$status" -eq 0 ]
	cmp core out/core
}

@test "kill leaves nothing where files can be unnamed" {
	FAKE_READ_MS=5000 interrupt SIGKILL 0.5 -o out/core "$target"
	[ "$status" -eq 137 ]
	empty out
}

@test "signals at any moment leave nothing or a complete core" {
	local delay
	export FAKE_READ_MS=10
	for delay in 0 0.005 0.01 0.015 0.02 0.025 0.03 0.035 0.04 0.05 0.06 \
		0.07 0.08 0.1; do
		interrupt SIGTERM "$delay" -o out/core "$target"
		if [ -e out/core ]; then
			cmp core out/core
			rm out/core
		else
			[ "$status" -eq 143 ]
		fi
		empty out
	done
}
