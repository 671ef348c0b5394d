#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: check_kinds.py OURS KERNELS MAP

Compare the mappings that the target memory_kinds names (its output is MAP) in a core of ours and in the kernel's own of the same
process: the flags, sizes and content of each. Prints a line "KIND: HOW THEY DIFFER" per difference, a line "KIND compared" for
each, and exits with 1 if there is a difference or nothing was compared.
"""
import sys

import compare
import elfcore


def compare_kind(ours, kernels, addr, vvar):
    a, b = ours.find(addr), kernels.find(addr)
    if not compare.same("a segment", bool(a), bool(b)) or not a:
        return
    for field in ("vaddr", "flags", "filesz", "memsz"):
        compare.same("p_" + field, "%#x" % getattr(a, field), "%#x" % getattr(b, field))
    if a.filesz == b.filesz:
        compare.compare_segment(ours, kernels, a, b, vvar)


def main():
    ours, kernels = elfcore.Core(sys.argv[1]), elfcore.Core(sys.argv[2])
    vvar = compare.vvar_range(ours)
    compared = 0
    for line in open(sys.argv[3]):
        name, start, _, content = (line.split() + [""] * 4)[:4]
        if content == "mapping":
            compare.subject = name + ": "
            compare_kind(ours, kernels, int(start, 16), vvar)
            compared += 1
            print(name, "compared")
    return 1 if compare.differences or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
