# SPDX-License-Identifier: GPL-2.0
"""An ELF core of x86_64 or i386: its headers, notes and memory. Nothing is checked beyond what reading it takes."""
import os
import struct
from collections import namedtuple

PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xffff

NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_FILE, NT_SIGINFO, NT_PRXFPREG = 0x46494c45, 0x53494749, 0x46e62b7f
NOTE_NAMES = {
    NT_PRSTATUS: "NT_PRSTATUS", NT_FPREGSET: "NT_FPREGSET", NT_PRPSINFO: "NT_PRPSINFO", NT_AUXV: "NT_AUXV",
    NT_FILE: "NT_FILE", NT_SIGINFO: "NT_SIGINFO", NT_PRXFPREG: "NT_PRXFPREG", 0x200: "NT_386_TLS", 0x201: "NT_386_IOPERM",
    0x202: "NT_X86_XSTATE", 0x204: "NT_X86_SHSTK", 0x205: "NT_X86_XSAVE_LAYOUT",
}

REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base "
             "ds es fs gs").split()
PRSTATUS = struct.Struct("<3ih2xQQ4i8Q27Qi4x")
PRSTATUS_FIELDS = ("si_signo si_code si_errno cursig sigpend sighold pid ppid pgrp sid utime utime_us stime stime_us "
                   "cutime cutime_us cstime cstime_us").split() + REGISTERS + ["fpvalid"]
# i386 by the names of x86_64, so that one comparison serves both.
REGISTERS32 = "rbx rcx rdx rsi rdi rbp rax ds es fs gs orig_rax rip cs eflags rsp ss".split()
PRSTATUS32 = struct.Struct("<3ih2xII4i8i17Ii")
PRSTATUS32_FIELDS = PRSTATUS_FIELDS[:18] + REGISTERS32 + ["fpvalid"]
PRPSINFO32 = struct.Struct("<bcbbI2H4i16s80s")
PRPSINFO = struct.Struct("<bcbb4xQ2I4i16s80s")
PRPSINFO_FIELDS = "state sname zomb nice flag uid gid pid ppid pgrp sid fname psargs".split()

Ehdr = namedtuple("Ehdr", "ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize shnum shstrndx")
Phdr = namedtuple("Phdr", "type flags offset vaddr paddr filesz memsz align")
Note = namedtuple("Note", "owner type desc")


def note_name(note):
    return "%s %s (%d bytes)" % (note.owner, NOTE_NAMES.get(note.type, "%#x" % note.type), len(note.desc))


def prstatus(desc):
    if len(desc) == PRSTATUS.size:
        return dict(zip(PRSTATUS_FIELDS, PRSTATUS.unpack(desc)))
    fields = dict(zip(PRSTATUS32_FIELDS, PRSTATUS32.unpack(desc)))
    for name in "rax", "orig_rax":      # results of system calls have a sign
        fields[name] |= -(fields[name] & 1 << 31) & 2**64 - 1
    return fields


def prpsinfo(desc):
    layout = PRPSINFO if len(desc) == PRPSINFO.size else PRPSINFO32
    return dict(zip(PRPSINFO_FIELDS, layout.unpack(desc)))


class Core:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.fd).st_size
        self.bits = 32 if self.pread(4, 1) == b"\x01" else 64
        layout = struct.Struct("<16sHHI%sIHHHHHH" % ("III" if self.bits == 32 else "QQQ"))
        self.ehdr = Ehdr(*layout.unpack(self.pread(0, layout.size)))
        count = self.ehdr.phnum
        if count == PN_XNUM:
            count = struct.unpack("<I", self.pread(self.ehdr.shoff + (28 if self.bits == 32 else 44), 4))[0]
        self.phdrs = []
        layout = struct.Struct("<8I" if self.bits == 32 else "<IIQQQQQQ")
        for at in range(self.ehdr.phoff, self.ehdr.phoff + count * layout.size, layout.size):
            fields = list(layout.unpack(self.pread(at, layout.size)))
            if self.bits == 32:     # the flags are last but one
                fields.insert(1, fields.pop(6))
            self.phdrs.append(Phdr(*fields))
        self.loads = [p for p in self.phdrs if p.type == PT_LOAD]
        self.notes = [n for p in self.phdrs if p.type == PT_NOTE for n in self._notes(p)]

    def pread(self, offset, length):
        data = os.pread(self.fd, length, offset)
        if len(data) != length:
            raise EOFError("%d bytes at %d, not %d" % (len(data), offset, length))
        return data

    def words(self, desc):
        """The words of a note."""
        size = self.bits // 8
        return struct.unpack("<%d%s" % (len(desc) // size, "I" if size == 4 else "Q"), desc)

    def _notes(self, phdr):
        data, at = self.pread(phdr.offset, phdr.filesz), 0
        while at < len(data):
            namesz, descsz, kind = struct.unpack_from("<III", data, at)
            at += 12
            owner = data[at:at + namesz].rstrip(b"\0").decode()
            at += (namesz + 3) & ~3
            yield Note(owner, kind, data[at:at + descsz])
            at += (descsz + 3) & ~3

    def threads(self):
        """The notes of each thread, by pid: {pid: [note, ...]}, each list led by its NT_PRSTATUS."""
        threads, current = {}, None
        for note in self.notes:
            if note.type == NT_PRSTATUS:
                current = threads.setdefault(prstatus(note.desc)["pid"], [])
            if note.type not in (NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE):
                current.append(note)
        return threads

    def find(self, addr):
        """The PT_LOAD header of an address, or None."""
        for phdr in self.loads:
            if phdr.vaddr <= addr < phdr.vaddr + phdr.memsz:
                return phdr
        return None

    def memory(self, addr, length):
        phdr = self.find(addr)
        return self.pread(phdr.offset + addr - phdr.vaddr, length)

    def data_ranges(self, start, end):
        """What the file holds from start to end, without its holes: (from, to) pairs."""
        while start < end:
            try:
                data = os.lseek(self.fd, start, os.SEEK_DATA)
            except OSError:
                return
            if data >= end:
                return
            hole = min(end, os.lseek(self.fd, data, os.SEEK_HOLE))
            yield data, hole
            start = hole
