"""A program that makes a forbidden operation is ended, without effect on others."""
import random
import re
import socket

import pytest

from tests.os1k.conftest import PROMPT, leave
from tests.support import LIMIT

FAULTS = {
    "divide": "divide error",
    "overflow": "divide error",
    "read-kernel": "page fault reading 0x80002000",
    "write-kernel": "page fault writing 0x80002000",
    "write-code": "page fault writing 0x0040",
    "write-constant": "page fault writing 0x0040",
    "null": "page fault reading 0x00000000",
    "nowhere": "page fault executing 0x12345678",
    "run-stack": "page fault executing 0x3fff",
    "halt": "general protection fault",
    "port": "general protection fault",
    "cli": "general protection fault",
    "cr3": "general protection fault",
    "bad-instruction": "invalid opcode",
    "breakpoint": "breakpoint",
    "interrupt": "general protection fault",
    "floating-point": "device not available",
    "single-step": "debug exception",
    "local-segment": "general protection fault",
    "nested-task": "invalid TSS",
    "stack": "page fault writing 0x3fff",
}


def test_every_fault_kills_only_its_program(machine):
    result = machine.run("".join("crash %s\n" % how for how in FAULTS).encode() + b"about\n")
    out = result.out.decode()
    for how, words in FAULTS.items():
        part = out.split("1k> crash %s\n" % how)[1].split("1k> ")[0]
        assert re.search(r"^crash \(process \d+\) was stopped: %s.* at eip 0x[0-9a-f]{8}$" % words, part, re.M), part
    assert "processes   2\n" in out
    assert result.status == 0


def test_kernel_needs_no_segments_of_the_program(machine):
    assert b"crash: segments went through\n" in machine.run(b"crash segments\n").out


def test_bad_arguments_of_system_calls(machine):
    result = machine.run(b"abuse\nabout\n")
    assert re.search(rb"abuse: the kernel stands, \d+ broken programs refused", result.out)
    assert b"abuse: calls served that should not be: 0\n" in result.out
    assert b"abuse: GETCHAR: al ff, carry 1\n" in result.out.replace(b"\r", b"")  # abi/hypercall.h
    assert b"abuse: WRITE of 65536 bytes wrote 4096\n" in result.out.replace(b"\r", b"")  # no call takes long
    assert b"KERNEL" not in result.out
    assert b"processes   2\n" in result.out
    assert result.status == 0


def test_kernel_fault_ends_the_machine_with_a_backtrace(machine):
    result = machine.run(b"", append="fault")
    out = result.out.decode()
    assert "KERNEL FAULT: page fault writing 0x80" in out
    assert re.search(r"^eax [0-9a-f]{8}  ebx [0-9a-f]{8}  ecx [0-9a-f]{8}  edx [0-9a-f]{8}$", out, re.M)
    names = re.findall(r"^  [0-9a-f]{8} (\w+)\+0x[0-9a-f]{1,3}$", out.split("\nbacktrace:\n")[1], re.M)
    assert names == ["write_to_constant", "fault_on_purpose", "kernel_main", "kernel_entry"]
    assert result.status == 1 << 1 | 1


def test_overflow_of_the_kernel_stack_is_told(machine):
    """It ends in a double fault, whose handler has its own stack; without one the machine would only reset."""
    result = machine.run(b"", append="overflow")
    out = result.out.decode()
    assert "The kernel's stack has overflowed.\nKERNEL FAULT: double fault at eip 0x80" in out
    assert re.search(r"^esi [0-9a-f]{8}  edi [0-9a-f]{8}  ebp 80[0-9a-f]{6}  esp 80[0-9a-f]{6}$", out, re.M)
    assert len(re.findall(r"^  80[0-9a-f]{6} recurse\+0x", out, re.M)) == 16
    assert result.status == 1 << 1 | 1


def test_an_nmi_ends_no_program(qemu, scratch):
    """While a program runs and while the kernel sleeps: the NMI has no effect, and the counter continues."""
    session = qemu.terminal(monitor=scratch / "monitor")
    session.expect_exact(PROMPT)
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(scratch / "monitor"))
        commands = monitor.makefile("rw")
        for typed in (b"", b"preempt count &\r"):
            session.send(typed)
            for _ in range(100):
                print("nmi", file=commands, flush=True)
            print("info status", file=commands, flush=True)
            while "VM status" not in commands.readline():
                pass
            session.send(b"preempt\r")
            session.expect_exact(b"both move, and mine is still 0\r\n")
        session.send(b"ps\r")
        session.expect(rb"ready +preempt\r\n")
    assert leave(session) == 0


def test_spawn_and_exit_leak_nothing(machine, soak):
    count = soak(10000, 100000)
    out = machine.run(b"cycles %d\n" % count, limit=LIMIT).out.decode()
    before, after = re.search(r"%d cycles, free pages before (\d+), after (\d+)\n" % count, out).groups()
    assert before == after


def test_the_process_table_is_finite(machine):
    result = machine.run(b"sleep 1000000 &\n" * 70 + b"kill 3\ntrue\nabout\n")
    assert result.out.count(b"] started\n") == 63
    assert result.out.count(b"sleep: too many\n") == 7
    assert b"processes   64\n" in result.out
    assert result.status == 0


def test_memory_is_finite(on_vmm):
    """A program that does not fit in memory leaks nothing, and the next one runs as soon as there is room."""
    result = on_vmm.run(b"sleep 1000000 &\n" * 60 + b"kill 3 4 5 6\nkill 3\necho room\n", options=("-m", "2M"))
    assert b"sleep: out of memory\n" in result.out
    assert b"KERNEL" not in result.out
    assert result.status == 0


WORDS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "table", "counter", "echo", "fibonacci", "primes", "calc",
         "factorial", "gcd", "about", "help", "menu", "history", "ps", "kill", "ls", "cat", "write", "rm", "crash",
         "true"]
ARGUMENTS = ["-1", "77", "7", "12", "33", "2147483648", "x", "readme.txt", "bin/true", "bin/", "&", "&&", "divide",
             "stack", "a" * 40, "b" * 250, "/", "(", "1/(7-7)", "\x1b[A", "\x1b[D", "\x1b[3~", "\x1b[H", "\x7f", "\x03",
             "\x17"]


def fuzz(size, seed):
    """Random lines of commands, arguments and bytes, but none that leaves the shell or runs for ever. No line has a 0:
    if Ctrl-U or Backspace removed the rest of the line, a 0 would leave the shell."""
    dice, text = random.Random(seed), bytearray()
    while len(text) < size:
        words = [dice.choice(WORDS)] + [dice.choice(ARGUMENTS) for _ in range(dice.randrange(4))]
        line = " ".join(words).encode("latin-1")
        if dice.random() < 0.4:
            line = bytes(dice.randrange(256) for _ in range(dice.randrange(80)))
        for unwanted in (b"\x04", b"0", b"bin/shell"):
            line = line.replace(unwanted, b"")
        text += line + dice.choice([b"\n", b"\r", b"\n\n"])
    return bytes(text)


@pytest.mark.parametrize("memory", [2, 3, 2048])
def test_any_size_of_memory(on_vmm, memory):
    """From just enough to more than the gigabyte that the kernel can use."""
    result = on_vmm.run(b"cycles 20\nexit\n", options=("-m", "%dM" % memory))
    free, before, after = map(int, re.search(rb"1K OS: (\d+) KB free(?:.|\n)*before (\d+), after (\d+)\n",
                                             result.out).groups())
    assert before == after
    assert free <= min(memory - 1, 1023) << 10
    assert free >= (min(memory - 1, 1023) << 10) - 3000
    assert result.status == 0


def test_too_little_memory_is_told(on_vmm):
    result = on_vmm.run(b"", options=("-m", "1M"))
    assert b"KERNEL PANIC: no memory is left behind the kernel\n" in result.out
    assert result.status == 1 << 1 | 1


@pytest.mark.parametrize("seed", [1, 2])
def test_fuzzed_input(machine, seed, soak):
    text = fuzz(soak(32 << 10, 1 << 20), seed)
    result = machine.run(text + b"\n\x03\n\x03\n\x03\necho all was read\nexit\n", limit=soak(LIMIT, 1800))
    assert b"KERNEL" not in result.out
    assert b"\nall was read\n" in result.out.replace(b"\r", b"")
    assert result.status == 0
