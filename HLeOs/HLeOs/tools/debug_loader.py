"""Debugging the boot loader, in gdb: debug_loader.py is sourced by it (make debug-loader).

The loader runs 16-bit code and 32-bit code by turns, on a machine that gdb takes for one of 32 bits (make gdb-i386) or
of 64 (make gdb), and gdb decodes by that. Here each instruction is decoded by what the processor is doing: objdump as
i8086, i386 or x86-64, by CR0.PE, the segment in CS, and EFER.LMA.
"""
import re
import subprocess
import tempfile

import gdb
import gdb.disassembler

PROTECTED, LONG_ACTIVE = 1, 0x400
SELECTOR_CODE16 = 0x18   # boot/layout.h
INSTRUCTION_MAX = 15


def register(name):
    """As a number: CR0 and EFER would come as lists of flags."""
    return int(gdb.execute("print/x $" + name, to_string=True).split("=")[1], 0)


def machine():
    """What objdump calls the code that the processor runs now."""
    if not register("cr0") & PROTECTED or register("cs") == SELECTOR_CODE16:
        return "i8086"
    return "i386:x86-64" if register("efer") & LONG_ACTIVE else "i386"


def decode(code, at, kind):
    """The first instruction of these bytes: its length and its text."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(code)
        file.flush()
        command = ["objdump", "-D", "-z", "-w", "-b", "binary", "-m", kind, "--adjust-vma=%#x" % at, file.name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = re.search(r"^ *%x:\t([0-9a-f ]+)\t(.*)$" % at, text, re.M)
    return len(line[1].split()), line[2].rstrip()


class Disassembler(gdb.disassembler.Disassembler):
    def __init__(self):
        super().__init__("the processor's mode")

    def __call__(self, info):
        code = info.read_memory(INSTRUCTION_MAX, 0).tobytes()
        length, text = decode(code, info.address & 0xffffffff, machine())
        return gdb.disassembler.DisassemblerResult(length, text)


def stopped(event):
    """After each stop: where, by symbol and source line, and in which mode."""
    at = register("pc")
    if not register("cr0") & PROTECTED:
        at = (register("cs") << 4) + (at & 0xffff)
    where = gdb.execute("info symbol %#x" % at, to_string=True).split(" in section")[0].strip()
    line = gdb.find_pc_line(at)
    source = "%s:%d" % (line.symtab.filename, line.line) if line.symtab else "?"
    print("[%s] %s  %s" % (machine(), where, source))
    gdb.execute("x/1i %#x" % at)


gdb.disassembler.register_disassembler(Disassembler())
gdb.events.stop.connect(stopped)
