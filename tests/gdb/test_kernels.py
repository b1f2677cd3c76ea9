"""Kernels: the 1K OS and HLeOs with their symbols, and Linux with two vCPUs and without any."""
import os
import re
import subprocess

import pytest

from tests.gdb.conftest import batch
from tests.support import TOP


@pytest.fixture(scope="module")
def os1k(vmm):
    subprocess.run(["make", "-s", "-C", TOP / "kvm-vmm-x86/os-1k", "all"], check=True, stdin=subprocess.DEVNULL)
    return TOP / "kvm-vmm-x86/os-1k/kernel.bin", TOP / "build/os-1k/flat.elf"


def test_1k_os(guest, os1k):
    """Breakpoints in functions that the timer's interrupt calls. The second one is on an instruction of one byte, where
    this KVM may need single steps: from an idle kernel these enter the handler."""
    image, symbols = os1k
    read, write = os.pipe()
    g = guest("-p", image, wait=False, stdin=read)
    os.close(read)
    g.wait_for(b"1k> ")
    text = batch(g.remote(), "break process_tick", "continue", "backtrace 3", "monitor idt 32", "info symbol $pc",
                 "delete", "hbreak trap_common", "continue", "x/i $pc", "monitor info", "tbreak clock_interrupt",
                 "continue", "backtrace 2", "monitor exits", "delete", symbols=symbols)
    assert re.search(r"#0 .*process_tick.*\n#1 .*clock_interrupt.*\n#2 .*trap_handle", text)
    assert re.search(r"=> 0x\w+ <trap_common>:\s+pusha", text)
    assert re.search(r"#0 .*clock_interrupt.*\n#1 .*trap_handle", text)
    assert re.search(r"\[32\] at 0x\w+: \w+: interrupt gate to 0x8:0x8000", text)
    assert re.search(r"vCPU 0: \d+ exits\n  io +\d+", text)
    os.write(write, b"0\n")
    os.close(write)
    status, out, _ = g.end()
    assert status == 0 and b"1k>" in out


def test_1k_os_system_call(guest, session, os1k):
    """A key wakes the shell, whose system call hits the breakpoint."""
    image, symbols = os1k
    read, write = os.pipe()
    g = guest("-p", image, wait=False, stdin=read)
    os.close(read)
    g.wait_for(b"1k> ")
    gdb = session(symbols=symbols)
    gdb.do(g.remote())
    gdb.do("break syscall_handle")
    gdb.go()
    os.write(write, b"0\n")
    text = gdb.stopped()
    assert "Breakpoint 1, syscall_handle" in text, text
    assert "trap_common" in gdb.do("backtrace 3")
    gdb.do("delete")
    gdb.gdb.sendline("continue")
    assert "exited normally" in gdb.stopped()
    os.close(write)
    assert g.end()[0] == 0


def test_hleos(guest):
    """A 64-bit kernel from its first instruction: a breakpoint, system registers, the IDT."""
    subprocess.run(["make", "-s", "-C", TOP / "HLeOs/HLeOs", "all"], check=True, stdin=subprocess.DEVNULL)
    kernel = TOP / "build/hleos/hleos.elf"
    g = guest(kernel, stdin=subprocess.DEVNULL)
    text = batch(g.remote(), "break interrupt_init", "continue", "backtrace", "info registers cr3 efer idtr_limit",
                 "monitor walk $pc", "stepi", "next", "info threads", "kill", symbols=kernel)
    assert re.search(r"Breakpoint 1, .*interrupt_init", text), text
    assert re.search(r"^efer .*LME.*LMA", text, re.M)
    assert re.search(r"=> 0x\w+, a page of .*executable", text), text
    assert "vCPU 0, long mode, 64-bit code" in text
    assert g.end()[0] == 128 + 9
