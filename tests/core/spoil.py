#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: spoil.py OURS KERNELS

Change one byte of each kind that there is in a core of ours, and change it back: prints what compare.py does not notice. Exits
with 1 if there is such, or nothing to be changed.
"""
import contextlib
import io
import sys

import compare
import elfcore

# Where in their contents is something that has to be the same: r15 or ebx, the name of the program.
INTO = {64: {elfcore.NT_PRSTATUS: 112, elfcore.NT_PRPSINFO: 40}, 32: {elfcore.NT_PRSTATUS: 72, elfcore.NT_PRPSINFO: 28}}


def note_places(core):
    at = core.phdrs[0].offset
    seen = {elfcore.NT_SIGINFO}
    for note in core.notes:
        desc = at + 12 + (len(note.owner) + 4 & ~3)
        if note.type not in seen and note.owner != elfcore.VENDOR:
            seen.add(note.type)
            yield at + 8, "the type of " + elfcore.note_name(note)
            yield desc + INTO[core.format.bits].get(note.type, 0), "the content of " + elfcore.note_name(note)
        at = desc + (len(note.desc) + 3 & ~3)


def places(core):
    yield 16, "the type of the file"
    last = core.ehdr.phoff + core.format.phdr.size * (len(core.phdrs) - 1)
    for i in range(core.format.phdr.size // 4):
        yield last + 4 * i, "word %d of a program header" % i
    yield from note_places(core)
    data = [(a, b) for p in core.loads for a, b in core.data_ranges(p.offset, p.offset + p.filesz)]
    if data:
        yield data[0][0], "the first byte of memory"
        yield data[len(data) // 2][1] - 1, "a byte of memory"


def is_noticed(paths):
    compare.differences = 0
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            compare.compare(paths)
        except Exception:   # it is no core any more
            return True
    return compare.differences > 0


def main():
    ours, kernels = sys.argv[1:3]
    changed = unnoticed = 0
    for at, what in list(places(elfcore.Core(ours))):
        with open(ours, "r+b") as f:
            f.seek(at)
            byte = f.read(1)
            f.seek(at)
            f.write(bytes([byte[0] ^ 1]))
            f.flush()
            changed += 1
            if not is_noticed((ours, kernels)):
                unnoticed += 1
                print(what)
            f.seek(at)
            f.write(byte)
    return 1 if unnoticed or not changed else 0


if __name__ == "__main__":
    sys.exit(main())
