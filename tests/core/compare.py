#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: compare.py OURS KERNELS
       compare.py -

Compare a core of ours with the kernel's own of the same process, which did not run in between. Prints each difference, and
exits with 1 if there is one. What may differ is in the tables below, each with its reason. With "-" the two names are read from
each line of the input, and what is printed about them ends with a line "end".

Beside what is there by field: our vendor note, which is the last, and by which offsets in the file move; and NT_SIGINFO, which
is about the signal.
"""
import os
import sys
from itertools import zip_longest
from operator import itemgetter

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
    "sname": "likewise", "zomb": "likewise; a traced thread has the letter of a zombie there",
    "flag": "the kernel marks who dumps core",
}
OLD = os.uname().release.startswith("5.10.")
# Reading the xstate leaves bytes for user space's use behind here, which the next NT_FPREGSET then has.
OLD_FPREGSET_END = 464

AT_SYSINFO_EHDR = 33
PF_R = 4
PAGE = 4096
VVAR_MAX = 8 * 4096

CHUNK = 1 << 20
exact_of = {}
differences = 0
subject = ""


def differs(what, ours, kernels):
    global differences
    differences += 1
    print("%s%s: ours %s, the kernel's %s" % (subject, what, ours, kernels))


def same(what, ours, kernels):
    if ours != kernels:
        differs(what, ours, kernels)
    return ours == kernels


def vendor_size(core):
    """Bytes of our own note, which is the last; 0 where there is none."""
    if not core.notes or core.notes[-1].owner != elfcore.VENDOR:
        return 0
    note = core.notes[-1]
    return 12 + sum(len(part) + 3 & ~3 for part in (note.owner.encode() + b"\0", note.desc))


def compare_headers(ours, kernels):
    """By offsets from where the segments begin, which is right behind the notes."""
    for field, a, b in zip(ours.ehdr._fields, ours.ehdr, kernels.ehdr):
        if field == "shoff" and a and b:
            a, b = a - data_offset(ours), b - data_offset(kernels)
        same("ELF header, " + field, a, b)
    same("size of the segments", ours.size - data_offset(ours), kernels.size - data_offset(kernels))
    same("number of program headers", len(ours.phdrs), len(kernels.phdrs))
    mine, theirs = data_offset(ours), data_offset(kernels)
    for i, (a, b) in enumerate(zip(ours.phdrs, kernels.phdrs)):
        if a.type == elfcore.PT_NOTE:
            a = a._replace(filesz=a.filesz - vendor_size(ours))
            b = b._replace(filesz=b.filesz - vendor_size(kernels))
        elif a.type == elfcore.PT_LOAD:
            a = a._replace(offset=a.offset - mine)
            b = b._replace(offset=b.offset - theirs)
        if a == b:
            continue
        for field, x, y in zip(a._fields, a, b):
            # Kernels before 6.2 leave it 0, which readelf then takes for 4.
            if not (field == "align" and a.type == elfcore.PT_NOTE and (x, y) == (4, 0)):
                same("program header %d (%#x), %s" % (i, b.vaddr, field), "%#x" % x, "%#x" % y)


def data_offset(core):
    notes = next(p for p in core.phdrs if p.type == elfcore.PT_NOTE)
    return (notes.offset + notes.filesz + PAGE - 1) & ~(PAGE - 1)


def compare_fields(what, ours, kernels, accepted):
    for field in ours:
        if field not in accepted:
            same("%s, %s" % (what, field), ours[field], kernels[field])


def compare_prstatus(what, ours, kernels, took_signal):
    accepted = set(ACCEPTED_PRSTATUS)
    if not took_signal:
        accepted.add("sigpend")     # the SIGKILL that ends it
    if OLD:     # lost on the way out, by the kernel's own core only
        accepted.update(field for field in ("fs", "gs", "fs_base", "gs_base") if kernels.get(field) == 0)
    compare_fields(what, ours, kernels, accepted)


def exact_fields(core, note):
    """Those of NT_PRSTATUS that are always the same. Quick, for there are thousands."""
    if core.format not in exact_of:
        fields = core.format.prstatus_fields
        exact_of[core.format] = itemgetter(*(i for i, field in enumerate(fields) if field not in ACCEPTED_PRSTATUS))
    return exact_of[core.format](core.format.prstatus.unpack(note.desc))


def compare_thread(pid, ours, kernels, notes, took_signal):
    for a, b in zip_longest(*notes):
        if not a or not b or a.type != b.type:
            differs("a note of thread %d" % pid, a and elfcore.note_name(a), b and elfcore.note_name(b))
            break
        if a.desc == b.desc:
            continue
        if a.type == elfcore.NT_PRSTATUS and exact_fields(ours, a) == exact_fields(kernels, b):
            continue
        what = "thread %d, %s" % (pid, elfcore.note_name(a))
        if a.type == elfcore.NT_PRSTATUS:
            compare_prstatus(what, ours.prstatus(a), kernels.prstatus(b), took_signal)
        elif OLD and a.type in (elfcore.NT_FPREGSET, elfcore.NT_PRXFPREG):
            same(what, a.desc[:OLD_FPREGSET_END].hex(), b.desc[:OLD_FPREGSET_END].hex())
        else:
            at = [i for i, (x, y) in enumerate(zip(a.desc, b.desc)) if x != y]
            differs(what, "other bytes at %s" % at[:16], "")


def by_position(core):
    """The notes without our own, nor those that some threads have: which thread comes when is for each kernel to say."""
    notes = core.notes[:-1] if vendor_size(core) else core.notes
    return [note for note in notes if note.type != elfcore.NT_386_IOPERM]


def compare_notes(ours, kernels):
    """Types, owners, sizes and order of all; contents of all but NT_SIGINFO, which is about the signal."""
    mine, theirs = by_position(ours), by_position(kernels)
    for i, (x, y) in enumerate(zip_longest(mine, theirs)):
        # Most are, and naming them takes long.
        if x and y and (x.owner, x.type, len(x.desc)) == (y.owner, y.type, len(y.desc)):
            continue
        if not same("note %d" % i, x and elfcore.note_name(x), y and elfcore.note_name(y)):
            break
    for x, y in zip(mine, theirs):
        if x.type == elfcore.NT_PRPSINFO:
            compare_fields("NT_PRPSINFO", ours.prpsinfo(x), kernels.prpsinfo(y), ACCEPTED_PRPSINFO)
        elif x.type in (elfcore.NT_AUXV, elfcore.NT_FILE, elfcore.NT_X86_XSAVE_LAYOUT):
            same(elfcore.note_name(x), x.desc, y.desc)
    a, b = ours.threads(), kernels.threads()
    if same("threads", sorted(a), sorted(b)):
        first = kernels.pid(kernels.notes[0])
        for pid in a:
            compare_thread(pid, ours, kernels, (a[pid], b[pid]), pid == first)


def merged(*lists):
    """The union of lists of ranges, in chunks."""
    end = 0
    for start, stop in sorted(r for one in lists for r in one):
        start = max(start, end)
        while start < stop:
            yield start, min(stop, start + CHUNK)
            start = min(stop, start + CHUNK)
        end = max(end, stop)


def vvar_range(core):
    """Where the pages before the vdso, which are the kernel's time, begin and end: read-only, and without a gap."""
    start = vdso = core.auxv().get(AT_SYSINFO_EHDR, 0)
    for phdr in reversed(core.loads):
        if phdr.vaddr + phdr.memsz == start and phdr.flags == PF_R and vdso - phdr.vaddr <= VVAR_MAX:
            start = phdr.vaddr
    return start, vdso


def compare_segment(ours, kernels, a, b, vvar):
    if vvar[0] <= a.vaddr < vvar[1]:
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


def compare(paths):
    ours, kernels = map(elfcore.Core, paths)
    compare_headers(ours, kernels)
    compare_notes(ours, kernels)
    vvar = vvar_range(ours)
    for a, b in zip(ours.loads, kernels.loads):
        if (a.vaddr, a.filesz) == (b.vaddr, b.filesz):
            compare_segment(ours, kernels, a, b, vvar)


def serve():
    for line in sys.stdin:
        try:
            compare(line.split())
        except Exception as error:
            differs("reading", repr(error), "")
        print("end", flush=True)


def main():
    if sys.argv[1:] == ["-"]:
        serve()
    else:
        compare(sys.argv[1:3])
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
