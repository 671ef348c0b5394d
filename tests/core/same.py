#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: same.py ONE|- OTHER

Compare two cores of ours of the same process, which did not run in between, byte by byte. What may differ is the description of the
vendor note: it says when each was taken and what that took; and on 5.10 what reading the xstate leaves behind the registers of
NT_FPREGSET. Exits with 1 if there is another difference, and prints where.
"""
import os
import struct
import sys

import elfcore

CHUNK = 1 << 20
OLD = os.uname().release.startswith("5.10.")
OLD_FPREGSET_END = 464


def may_differ(core):
    """Ranges of the file."""
    phdr = next(phdr for phdr in core.phdrs if phdr.type == elfcore.PT_NOTE)
    data, at = core.pread(phdr.offset, phdr.filesz), 0
    while at < len(data):
        namesz, descsz, kind = struct.unpack_from("<3I", data, at)
        name = data[at + 12:at + 12 + namesz].rstrip(b"\0").decode()
        start = at + 12 + (namesz + 3 & ~3)
        at = start + (descsz + 3 & ~3)
        if name == elfcore.VENDOR:
            yield phdr.offset + start, phdr.offset + at
        elif OLD and name == "CORE" and kind == elfcore.NT_FPREGSET:
            yield phdr.offset + start + OLD_FPREGSET_END, phdr.offset + at


def blank(data, pos, ranges):
    """@data, which is at @pos, with zeros in the ranges."""
    data = bytearray(data)
    for start, end in ranges:
        start, end = max(start - pos, 0), min(end - pos, len(data))
        if start < end:
            data[start:end] = bytes(end - start)
    return data


def main():
    one = sys.stdin.buffer if sys.argv[1] == "-" else open(sys.argv[1], "rb")
    ranges = list(may_differ(elfcore.Core(sys.argv[2])))
    pos = 0
    with one, open(sys.argv[2], "rb") as other:
        while True:
            a, b = (blank(file.read(CHUNK), pos, ranges) for file in (one, other))
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                print("%s %s differ: byte %d" % (sys.argv[1], sys.argv[2], pos + at))
                return 1
            if not a:
                return 0
            pos += len(a)


if __name__ == "__main__":
    sys.exit(main())
