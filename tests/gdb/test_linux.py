"""gdb with a distribution's Linux on two vCPUs, without symbols: addresses come from the machine's state."""
import os
import re

import pytest

from tests.gdb.conftest import value
from tests.linux.conftest import LAST, kernel, ramdisk  # noqa: F401  (fixtures)

PROMPT = b"guest# "


class Linux:
    """A guest at its shell's prompt, and a gdb that connects to it."""

    def __init__(self, guest, session, image, initrd):
        read, self.keys = os.pipe()
        self.guest = guest(LAST, "-m", "256M", "-c", "2", "--initrd", initrd, "--append", "quiet nokaslr", image,
                           wait=False, stdin=read)
        os.close(read)
        self.guest.wait_for(PROMPT)
        self.session, self.gdb = session, None

    def connect(self):
        self.gdb = self.session()
        self.gdb.do(self.guest.remote())
        return self.gdb

    def type(self, line):
        os.write(self.keys, line + b"\n")

    def page_fault(self):
        """The address of the page fault handler, from the IDT."""
        gate = self.gdb.do("monitor idt 14")
        return re.search(r"\[14\] at 0x\w+: \w+: interrupt gate to 0x10:(0x\w+), DPL 0", gate).group(1)

    def registers(self, *names):
        text = self.gdb.do("info registers " + " ".join(names))
        return [value(text, name) for name in names]


@pytest.fixture
def linux(guest, session, kernel, ramdisk):  # noqa: F811
    return Linux(guest, session, kernel("cloud"), ramdisk())


def test_page_fault(linux):
    """Lists the threads, stops at the handler's first instruction and steps one vCPU alone; after that the guest runs
    undisturbed."""
    gdb = linux.connect()
    threads = gdb.do("info threads")
    assert re.search(r"1 +Thread 1 \(vCPU 0, long mode, 64-bit code.*\n.* 2 +Thread 2 \(vCPU 1, long mode", threads)
    handler = linux.page_fault()
    before = gdb.do("x/16xb " + handler)
    gdb.do("break *" + handler)
    gdb.go()
    linux.type(b"sh -c 'echo first $((6 * 7))'")  # a new process: the shell itself may cause no fault
    text = gdb.stopped()
    assert re.search(r"Thread [12] hit Breakpoint 1, %s" % handler, text), text
    assert gdb.do("x/16xb " + handler) == before
    rip, cr2 = linux.registers("rip", "cr2")
    assert rip == int(handler, 16) and 0 < cr2 < 1 << 47, "the shell's own address, not %#x" % cr2
    other = 2 if "Thread 1 hit" in text else 1
    gdb.do("set scheduler-locking on")
    stood = gdb.do("thread apply %d -q info registers rip" % other)
    gdb.do("stepi")
    gdb.do("stepi")
    assert int(handler, 16) < linux.registers("rip")[0] < int(handler, 16) + 16
    assert gdb.do("thread apply %d -q info registers rip" % other) == stood
    gdb.do("set scheduler-locking off")
    gdb.do("ignore 1 5")
    assert re.search(r"Thread [12] hit Breakpoint 1", gdb.do("continue"))
    assert "already hit 7 times" in gdb.do("info breakpoints")
    gdb.do("delete")
    gdb.do("hbreak *" + handler)
    assert re.search(r"Thread [12] hit Breakpoint 2, %s" % handler, gdb.do("continue"))
    gdb.do("delete")
    assert "detached" in gdb.do("detach")
    linux.guest.wait_for(b"first 42")
    linux.type(b"poweroff")
    assert linux.guest.end()[0] == 0


def test_watchpoint(linux):
    """Finds the function that counts ticks, by debug registers, or by steps into the timer's interrupt. The guest
    continues."""
    writers = "tick_do_update_jiffies64", "do_timer"  # the second one if the tick is periodic
    linux.type(b"grep -E ' (jiffies_64|%s)$' /proc/kallsyms; echo th''ere" % "|".join(writers).encode())
    linux.guest.wait_for(b"there")
    symbols = {name: int(at, 16) for at, name in re.findall(r"([0-9a-f]{16}) \w (\w+)", linux.guest.printed.decode())}
    gdb = linux.connect()
    gdb.do("watch *(long*)%#x" % symbols["jiffies_64"])
    for _ in range(3):
        gdb.go()
        linux.type(b"")
        text = gdb.stopped()
        old, new = re.search(r"Old value = (\d+)\nNew value = (\d+)\n", text).groups()
        assert int(new) > int(old)
        rip = linux.registers("rip")[0]
        assert any(0 < rip - symbols[name] < 0x200 for name in writers if name in symbols), hex(rip)
    gdb.do("delete")
    gdb.do("detach")
    linux.type(b"echo alive $((6 * 7)); poweroff")
    status, out, _ = linux.guest.end()
    assert status == 0 and b"alive 42" in out


def test_both_at_once(linux):
    """Both vCPUs fault all the time while one is stepped: each stop is reported once, for the vCPU that was resumed
    (gdb 13 aborts after a report about a vCPU that it holds)."""
    linux.type(b"for i in 1 2; do while :; do sh -c true; done & done; echo both ru''n")
    linux.guest.wait_for(b"both run")
    gdb = linux.connect()
    gdb.do("break *" + linux.page_fault())
    for _ in range(4):
        assert "hit Breakpoint 1" in gdb.do("continue")
        for _ in range(20):
            assert re.search(r"^0x\w+ in \?\?|hit Breakpoint 1", text := gdb.do("stepi"), re.M), text
    gdb.do("ignore 1 50")
    assert "hit Breakpoint 1" in gdb.do("continue")
    gdb.do("delete")
    gdb.do("detach")
    linux.type(b"kill %1 %2; echo alive $((6 * 7)); poweroff")
    status, out, _ = linux.guest.end()
    assert status == 0 and b"alive 42" in out


def test_coming_and_going(linux):
    """Ctrl-C into a machine at its prompt; detach; the next gdb finds that the guest has continued, and kills it."""
    gdb = linux.connect()
    gdb.go()
    assert "SIGINT" in gdb.interrupt()
    assert len(re.findall(r"vCPU [01], long mode, 64-bit code", gdb.do("info threads"))) == 2
    gdb.do("set breakpoint always-inserted on")
    gdb.do("break *" + linux.page_fault())
    gdb.do("detach")
    linux.type(b"sleep 1; echo alive $((6 * 7))")
    linux.guest.wait_for(b"alive 42")
    gdb = linux.connect()
    assert "breakpoint" not in gdb.do("monitor info").split("single steps: by")[1]
    assert "killed" in gdb.do("kill")
    assert linux.guest.end()[0] == 128 + 9
