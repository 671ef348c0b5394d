#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: same.py ONE|- OTHER

Compare two cores of ours of the same process, which did not run in between, byte by byte. What may differ is the description of the
vendor note: it says when each was taken and what that took. Exits with 1 if there is another difference, and prints where.
"""
import struct
import sys

import elfcore

CHUNK = 1 << 20


def vendor_range(core):
    """Where in the file the note's description is."""
    notes = next(phdr for phdr in core.phdrs if phdr.type == elfcore.PT_NOTE)
    name = elfcore.VENDOR.encode() + b"\0"
    at = core.pread(notes.offset, notes.filesz).rindex(name)
    namesz, descsz = struct.unpack("<2I", core.pread(notes.offset + at - 12, 8))
    start = notes.offset + at + (namesz + 3 & ~3)
    return start, start + descsz


def blank(data, pos, start, end):
    """@data, which is at @pos, with zeros from @start to @end."""
    start, end = max(start - pos, 0), min(end - pos, len(data))
    return data if start >= end else data[:start] + bytes(end - start) + data[end:]


def main():
    one = sys.stdin.buffer if sys.argv[1] == "-" else open(sys.argv[1], "rb")
    start, end = vendor_range(elfcore.Core(sys.argv[2]))
    pos = 0
    with one, open(sys.argv[2], "rb") as other:
        while True:
            a, b = one.read(CHUNK), other.read(CHUNK)
            if blank(a, pos, start, end) != blank(b, pos, start, end):
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y and not start <= pos + i < end), min(len(a), len(b)))
                print("%s %s differ: byte %d" % (sys.argv[1], sys.argv[2], pos + at))
                return 1
            if not a:
                return 0
            pos += len(a)


if __name__ == "__main__":
    sys.exit(main())
