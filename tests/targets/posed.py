#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""As posed.c, in Python. Nobody is in a handler of its own accord: the interpreter's runs on the signal."""
import os
import signal
import sys
import threading
import time

BUSY_EACH = 256


def block():
    while True:
        os.read(pipe[0], 1)


def strike(i):
    everybody.wait()
    value = 1.0
    while i % BUSY_EACH == 0 and where in ("vdso", "user"):
        value = time.monotonic() if where == "vdso" else value * 1.0000001 + 1
    block()


where, count = sys.argv[1], int(sys.argv[2])
pipe = os.pipe()
signal.signal(signal.SIGUSR1, lambda *args: None)
everybody = threading.Event()
threading.stack_size(256 << 10)
for number in range(1, count):
    threading.Thread(target=strike, args=(number,), daemon=True).start()
everybody.set()
print("ready", flush=True)
strike(0)
