# SPDX-License-Identifier: GPL-2.0
"""An ELF core of x86_64: its headers, notes and memory. Nothing is checked beyond what reading it takes."""
import os
import struct
from collections import namedtuple

PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xffff

NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_FILE, NT_SIGINFO = 0x46494c45, 0x53494749
NOTE_NAMES = {
    NT_PRSTATUS: "NT_PRSTATUS", NT_FPREGSET: "NT_FPREGSET", NT_PRPSINFO: "NT_PRPSINFO", NT_AUXV: "NT_AUXV",
    NT_FILE: "NT_FILE", NT_SIGINFO: "NT_SIGINFO", 0x200: "NT_386_TLS", 0x201: "NT_386_IOPERM",
    0x202: "NT_X86_XSTATE", 0x204: "NT_X86_SHSTK", 0x205: "NT_X86_XSAVE_LAYOUT",
}

REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base "
             "ds es fs gs").split()
PRSTATUS = struct.Struct("<3ih2xQQ4i8Q27Qi4x")
PRSTATUS_FIELDS = ("si_signo si_code si_errno cursig sigpend sighold pid ppid pgrp sid utime utime_us stime stime_us "
                   "cutime cutime_us cstime cstime_us").split() + REGISTERS + ["fpvalid"]
PRPSINFO = struct.Struct("<bcbb4xQ2I4i16s80s")
PRPSINFO_FIELDS = "state sname zomb nice flag uid gid pid ppid pgrp sid fname psargs".split()

Ehdr = namedtuple("Ehdr", "ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize shnum shstrndx")
Phdr = namedtuple("Phdr", "type flags offset vaddr paddr filesz memsz align")
Note = namedtuple("Note", "owner type desc")


def note_name(note):
    return "%s %s (%d bytes)" % (note.owner, NOTE_NAMES.get(note.type, "%#x" % note.type), len(note.desc))


def prstatus(desc):
    return dict(zip(PRSTATUS_FIELDS, PRSTATUS.unpack(desc)))


def prpsinfo(desc):
    return dict(zip(PRPSINFO_FIELDS, PRPSINFO.unpack(desc)))


class Core:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.fd).st_size
        self.ehdr = Ehdr(*struct.unpack("<16sHHIQQQIHHHHHH", self.pread(0, 64)))
        count = self.ehdr.phnum
        if count == PN_XNUM:
            count = struct.unpack("<I", self.pread(self.ehdr.shoff + 44, 4))[0]
        self.phdrs = []
        for i in range(count):
            t, flags, *rest = struct.unpack("<IIQQQQQQ", self.pread(self.ehdr.phoff + 56 * i, 56))
            self.phdrs.append(Phdr(t, flags, *rest))
        self.loads = [p for p in self.phdrs if p.type == PT_LOAD]
        self.notes = [n for p in self.phdrs if p.type == PT_NOTE for n in self._notes(p)]

    def pread(self, offset, length):
        data = os.pread(self.fd, length, offset)
        if len(data) != length:
            raise EOFError("%d bytes at %d, not %d" % (len(data), offset, length))
        return data

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
