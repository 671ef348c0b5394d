#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: compare.py OURS KERNELS

Compare a core of ours with the kernel's own of the same process, which did not run in between. Prints each difference, and
exits with 1 if there is one. What may differ is in the tables below, each with its reason.
"""
import os
import sys
from itertools import zip_longest

import elfcore

ACCEPTED_PRSTATUS = {
    "si_signo": "the kernel's core is for a signal, ours is not",
    "si_code": "likewise",
    "si_errno": "likewise",
    "cursig": "likewise",
    "utime": "dying takes time", "utime_us": "likewise",
    "stime": "likewise", "stime_us": "likewise",
}
ACCEPTED_PRPSINFO = {
    "state": "the kernel's core is written by the process itself, which is running then",
    "sname": "likewise",
    "flag": "the kernel marks who dumps core",
}
# Of threads that did not take the signal: SIGCONT may have made them enter their system call again before SIGKILL came.
RESTARTED = ("rax", "rcx", "r11", "rip", "orig_rax")
RESTART = {-512 & 2**64 - 1, -513 & 2**64 - 1, -514 & 2**64 - 1, -516 & 2**64 - 1}
ENTERED = {-38 & 2**64 - 1, -4 & 2**64 - 1} | RESTART

RESUME_FLAG = 1 << 16

OLD = os.uname().release.startswith("5.10.")
# Reading the xstate leaves bytes for user space's use behind here, which the next NT_FPREGSET then has.
OLD_FPREGSET_END = 464

AT_SYSINFO_EHDR = 33
PF_R = 4
VVAR_MAX = 8 * 4096

CHUNK = 1 << 20
differences = 0


def differs(what, ours, kernels):
    global differences
    differences += 1
    print("%s: ours %s, the kernel's %s" % (what, ours, kernels))


def same(what, ours, kernels):
    if ours != kernels:
        differs(what, ours, kernels)
    return ours == kernels


def compare_headers(ours, kernels):
    for field, a, b in zip(ours.ehdr._fields, ours.ehdr, kernels.ehdr):
        same("ELF header, " + field, a, b)
    same("size of the file", ours.size, kernels.size)
    same("number of program headers", len(ours.phdrs), len(kernels.phdrs))
    for i, (a, b) in enumerate(zip(ours.phdrs, kernels.phdrs)):
        for field, x, y in zip(a._fields, a, b):
            # Kernels before 6.2 leave it 0, which readelf then takes for 4.
            if not (field == "align" and a.type == elfcore.PT_NOTE and (x, y) == (4, 0)):
                same("program header %d (%#x), %s" % (i, b.vaddr, field), "%#x" % x, "%#x" % y)


def compare_fields(what, ours, kernels, accepted):
    for field in ours:
        if field not in accepted:
            same("%s, %s" % (what, field), ours[field], kernels[field])


def was_restarted(ours, kernels):
    if ours["rax"] not in RESTART:
        return False
    # About to enter it again: the number is back in rax, and rip at the instruction.
    if (kernels["rax"], kernels["orig_rax"], kernels["rip"]) == (ours["orig_rax"], 2**64 - 1, ours["rip"] - 2):
        return True
    return kernels["rax"] in ENTERED and kernels["rip"] in (ours["rip"], ours["rip"] - 2)


def compare_thread(pid, ours, kernels, took_signal):
    for a, b in zip(ours, kernels):
        what = "thread %d, %s" % (pid, elfcore.note_name(a))
        if a.type == elfcore.NT_PRSTATUS:
            accepted = set(ACCEPTED_PRSTATUS)
            x, y = elfcore.prstatus(a.desc), elfcore.prstatus(b.desc)
            if not took_signal:
                accepted.add("sigpend")     # the SIGKILL that ends it
                if was_restarted(x, y):
                    accepted.update(RESTARTED)
                    y["eflags"] &= ~RESUME_FLAG     # where an interrupt came before the instruction
            own_segment = "fs_base" if "fs_base" in y else "gs"
            if OLD and y[own_segment] == 0:
                accepted.add(own_segment)   # lost on the way out, by the kernel's own core only
            compare_fields(what, x, y, accepted)
        elif OLD and a.type in (elfcore.NT_FPREGSET, elfcore.NT_PRXFPREG):
            same(what, a.desc[:OLD_FPREGSET_END].hex(), b.desc[:OLD_FPREGSET_END].hex())
        elif a.desc != b.desc:
            at = [i for i, (x, y) in enumerate(zip(a.desc, b.desc)) if x != y]
            differs(what, "other bytes at %s" % at[:16], "")


def compare_notes(ours, kernels):
    """Types, owners, sizes and order of all; contents of all but NT_SIGINFO, which is about the signal."""
    a, b = [[elfcore.note_name(n) for n in core.notes] for core in (ours, kernels)]
    for i, (x, y) in enumerate(zip_longest(a, b)):
        if not same("note %d" % i, x, y):
            break
    for x, y in zip(ours.notes, kernels.notes):
        if x.type == elfcore.NT_PRPSINFO:
            compare_fields("NT_PRPSINFO", elfcore.prpsinfo(x.desc), elfcore.prpsinfo(y.desc), ACCEPTED_PRPSINFO)
        elif x.type in (elfcore.NT_AUXV, elfcore.NT_FILE):
            same(elfcore.note_name(x), x.desc, y.desc)
    a, b = ours.threads(), kernels.threads()
    if same("threads", sorted(a), sorted(b)):
        first = elfcore.prstatus(kernels.notes[0].desc)["pid"]
        for pid in a:
            compare_thread(pid, a[pid], b[pid], pid == first)


def merged(*lists):
    """The union of lists of ranges, in chunks."""
    end = 0
    for start, stop in sorted(r for one in lists for r in one):
        start = max(start, end)
        while start < stop:
            yield start, min(stop, start + CHUNK)
            start = min(stop, start + CHUNK)
        end = max(end, stop)


def vvar_start(core):
    """Where the pages before the vdso begin, which are the kernel's time: read-only, and without a gap."""
    for note in core.notes:
        if note.type == elfcore.NT_AUXV:
            words = core.words(note.desc)
            start = vdso = dict(zip(words[::2], words[1::2])).get(AT_SYSINFO_EHDR, 0)
    for phdr in reversed(core.loads):
        if phdr.vaddr + phdr.memsz == start and phdr.flags == PF_R and vdso - phdr.vaddr <= VVAR_MAX:
            start = phdr.vaddr
    return start, vdso


def compare_segment(ours, kernels, a, b):
    start, end = vvar_start(ours)
    if start <= a.vaddr < end:
        # Up to 6.x the kernel's core has zeros too; later, what the time is when it is written.
        zeros = ours.pread(a.offset, a.filesz)
        same("memory of the vvar at %#x, zeros" % a.vaddr, zeros.count(0), len(zeros))
        return
    shift = b.offset - a.offset
    data = merged(ours.data_ranges(a.offset, a.offset + a.filesz),
                  [(x - shift, y - shift) for x, y in kernels.data_ranges(b.offset, b.offset + b.filesz)])
    for start, end in data:
        x, y = ours.pread(start, end - start), kernels.pread(start + shift, end - start)
        if x != y:
            at = next(i for i in range(len(x)) if x[i] != y[i])
            count = sum(p != q for p, q in zip(x, y))
            differs("memory at %#x (in the segment at %#x), %d bytes of %d KiB" %
                    (a.vaddr + start - a.offset + at, a.vaddr, count, len(x) >> 10),
                    x[at:at + 16].hex(), y[at:at + 16].hex())


def main():
    ours, kernels = elfcore.Core(sys.argv[1]), elfcore.Core(sys.argv[2])
    compare_headers(ours, kernels)
    compare_notes(ours, kernels)
    for a, b in zip(ours.loads, kernels.loads):
        if (a.vaddr, a.filesz) == (b.vaddr, b.filesz):
            compare_segment(ours, kernels, a, b)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
