#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: check_memory.py CORE MAP [NAME...]

Check what the target memory_kinds says is where (its output is MAP) against a core; with NAMEs, only these lines. Prints each
difference, and exits with 1 if there is one or nothing was checked.
"""
import struct
import sys

import elfcore


def filled(start, length):
    words = [((start + i >> 3) * 0x9e3779b97f4a7c15 + 1) & 2**64 - 1 for i in range(0, length, 8)]
    return struct.pack("<%dQ" % len(words), *words)


def check(core, start, length, content):
    phdr = core.find(start)
    if not phdr:
        return "there is no segment"
    if content == "absent":
        return None if phdr.filesz == 0 else "the core holds %#x bytes of it" % phdr.filesz
    if start + length > phdr.vaddr + phdr.filesz:
        return "the core holds %#x bytes of the segment only" % phdr.filesz
    got = core.memory(start, length)
    want = filled(start, length) if content == "filled" else (b"Z" if content == "Z" else b"\0") * length
    if got == want:
        return None
    at = next(i for i in range(length) if got[i] != want[i])
    return "at %#x is %s, should be %s" % (start + at, got[at:at + 8].hex(), want[at:at + 8].hex())


def main():
    core = elfcore.Core(sys.argv[1])
    checked, failed = 0, 0
    for line in open(sys.argv[2]):
        name, start, length, content = (line.split() + [""] * 4)[:4]
        if content not in ("filled", "zero", "Z", "absent") or (sys.argv[3:] and name not in sys.argv[3:]):
            continue
        checked += 1
        why = check(core, int(start, 16), int(length, 16), content)
        if why:
            failed += 1
            print("%s: %s" % (name, why))
    return 1 if failed or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
