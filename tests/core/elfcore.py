# SPDX-License-Identifier: GPL-2.0
"""An ELF core of x86_64 or i386: its headers, notes and memory. Nothing is checked beyond what reading it takes."""
import bisect
import os
import struct
from collections import namedtuple

PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xffff

NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_FILE, NT_SIGINFO, NT_PRXFPREG = 0x46494c45, 0x53494749, 0x46e62b7f
NT_386_IOPERM, NT_X86_XSAVE_LAYOUT = 0x201, 0x205
OF_THE_PROCESS = (NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE, NT_X86_XSAVE_LAYOUT)
NOTE_NAMES = {
    NT_PRSTATUS: "NT_PRSTATUS", NT_FPREGSET: "NT_FPREGSET", NT_PRPSINFO: "NT_PRPSINFO", NT_AUXV: "NT_AUXV",
    NT_FILE: "NT_FILE", NT_SIGINFO: "NT_SIGINFO", 0x200: "NT_386_TLS", NT_386_IOPERM: "NT_386_IOPERM",
    0x202: "NT_X86_XSTATE", 0x204: "NT_X86_SHSTK", NT_X86_XSAVE_LAYOUT: "NT_X86_XSAVE_LAYOUT", NT_PRXFPREG: "NT_PRXFPREG",
}
VENDOR = "KCORESNAP"

PRSTATUS_HEAD = ("si_signo si_code si_errno cursig sigpend sighold pid ppid pgrp sid utime utime_us stime stime_us "
                 "cutime cutime_us cstime cstime_us").split()
REGISTERS_64 = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base "
                "gs_base ds es fs gs").split()
REGISTERS_32 = "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss".split()
PRPSINFO_FIELDS = "state sname zomb nice flag uid gid pid ppid pgrp sid fname psargs".split()


class Format:
    """What differs between the classes of ELF, and between struct elf_prstatus and its compat_ counterpart."""
    def __init__(self, bits, ehdr, phdr, phdr_fields, prstatus, registers, prpsinfo):
        self.bits, self.word = bits, "Q" if bits == 64 else "I"
        self.ehdr, self.phdr = struct.Struct(ehdr), struct.Struct(phdr)
        self.phdr_fields = phdr_fields.split()
        self.prstatus, self.prpsinfo = struct.Struct(prstatus), struct.Struct(prpsinfo)
        self.prstatus_fields = PRSTATUS_HEAD + registers + ["fpvalid"]
        self.pid_at = struct.calcsize("<3ih2x2" + self.word)

    def words(self, data):
        return struct.unpack("<%d%s" % (len(data) * 8 // self.bits, self.word), data)


FORMATS = {
    1: Format(32, "<16sHHIIIIIHHHHHH", "<8I", "type offset vaddr paddr filesz memsz flags align",
              "<3ih2xII4i8i17Ii", REGISTERS_32, "<bcbbI2H4i16s80s"),
    2: Format(64, "<16sHHIQQQIHHHHHH", "<2I6Q", "type flags offset vaddr paddr filesz memsz align",
              "<3ih2xQQ4i8Q27Qi4x", REGISTERS_64, "<bcbb4xQ2I4i16s80s"),
}

Ehdr = namedtuple("Ehdr", "ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize shnum shstrndx")
Phdr = namedtuple("Phdr", "type flags offset vaddr paddr filesz memsz align")
Note = namedtuple("Note", "owner type desc")


def note_name(note):
    return "%s %s (%d bytes)" % (note.owner, NOTE_NAMES.get(note.type, "%#x" % note.type), len(note.desc))


class Core:
    fd = None

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.fd).st_size
        self.format = FORMATS[self.pread(0, 5)[4]]
        self.ehdr = Ehdr(*self.format.ehdr.unpack(self.pread(0, self.format.ehdr.size)))
        count = self.ehdr.phnum
        if count == PN_XNUM:
            # sh_info of the one section header
            count = struct.unpack("<I", self.pread(self.ehdr.shoff + (44 if self.format.bits == 64 else 28), 4))[0]
        table = self.pread(self.ehdr.phoff, self.format.phdr.size * count)
        self.phdrs = [Phdr(**dict(zip(self.format.phdr_fields, one))) for one in self.format.phdr.iter_unpack(table)]
        self.loads = [p for p in self.phdrs if p.type == PT_LOAD]
        self.starts = [p.vaddr for p in self.loads]
        self.notes = [n for p in self.phdrs if p.type == PT_NOTE for n in self._notes(p)]

    def __del__(self):
        if self.fd is not None:
            os.close(self.fd)

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

    def prstatus(self, note):
        return dict(zip(self.format.prstatus_fields, self.format.prstatus.unpack(note.desc)))

    def pid(self, note):
        """As prstatus() has it."""
        return struct.unpack_from("<i", note.desc, self.format.pid_at)[0]

    def prpsinfo(self, note):
        return dict(zip(PRPSINFO_FIELDS, self.format.prpsinfo.unpack(note.desc)))

    def auxv(self):
        """{type: value}"""
        for note in self.notes:
            if note.type == NT_AUXV and note.owner == "CORE":
                words = self.format.words(note.desc)
                return dict(zip(words[::2], words[1::2]))
        return {}

    def threads(self):
        """The notes of each thread, by pid: {pid: [note, ...]}, each list led by its NT_PRSTATUS."""
        threads, current = {}, None
        for note in self.notes:
            if note.owner == VENDOR:
                continue
            if note.type == NT_PRSTATUS:
                current = threads.setdefault(self.pid(note), [])
            if note.type not in OF_THE_PROCESS:
                current.append(note)
        return threads

    def find(self, addr):
        """The PT_LOAD header of an address, or None."""
        i = bisect.bisect_right(self.starts, addr) - 1
        if i >= 0 and addr < self.loads[i].vaddr + self.loads[i].memsz:
            return self.loads[i]
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
