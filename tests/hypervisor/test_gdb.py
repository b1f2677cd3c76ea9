"""gdb's protocol on the console: a correct debugger, and one that sends garbage."""
import contextlib
import random
import re
import socket
import subprocess
import time
from xml.etree import ElementTree

import pytest

from hvmachine import command, compiled, cpio, is_old

MANIFEST = "vm debugged cpus=2 mem=32M kernel=debugged.elf base=0x80000000\n"


class Line:
    """The machine's serial port, as a socket; and the packets on it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 300
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < end, "no serial port"
                time.sleep(0.05)
        self.socket.settimeout(300)
        self.seen = b""

    def until(self, pattern):
        """Reads until `pattern` matches. Returns the match, and drops the text before it."""
        while True:
            found = re.search(pattern, self.seen, re.S)
            if found:
                self.seen = self.seen[found.end():]
                return found
            data = self.socket.recv(65536)
            assert data, f"the machine ended: {self.seen[-500:]}"
            self.seen += data

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        body, told = self.until(rb"\$([^#]*)#([0-9a-f]{2})").groups()
        assert sum(body) % 256 == int(told, 16)
        self.send(b"+")
        return body.decode()

    def ask(self, text):
        self.send(b"$%s#%02x" % (text.encode(), sum(text.encode()) % 256))
        return self.answer()

    def number(self, text):
        """A register or a word of memory, little-endian."""
        return int.from_bytes(bytes.fromhex(self.ask(text)), "little")


@contextlib.contextmanager
def session(hypervisor, qemu, tmp_path, manifest, harts):
    """A machine whose first guest has been stopped for a debugger."""
    elf = compiled("debugged", tmp_path, "debugged.elf")
    symbols = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "debugged.elf": elf})
    words = command(qemu, hypervisor, initrd, harts=harts)
    words[words.index("stdio,id=tty,signal=off")] = f"socket,id=tty,path={tmp_path}/tty,server=on,wait=on"
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as machine:
        line = Line(tmp_path / "tty")
        line.symbol = {name: int(at, 16) for at, _, name in (row.split() for row in symbols.splitlines())}
        line.until(rb"debugged: counted")
        line.send(b"\x01g")
        line.until(rb"gdb has the line now")
        yield line
        machine.kill()


@pytest.fixture
def line(hypervisor, qemu, tmp_path):
    with session(hypervisor, qemu, tmp_path, MANIFEST, 2) as line:
        yield line


def stopped(answer, signal):
    return int(re.fullmatch(rf"T{signal:02x}thread:(\d+);", answer).group(1))


def watch_and_break(line, offered):
    """With the harts' triggers, if the firmware offers them: a watchpoint on a write by thread 2, then a breakpoint on
    its call."""
    function, count = line.symbol["debugged_count"], line.symbol["debugged_counts"] + 8
    assert line.ask(f"Z2,{count:x},8") == ("OK" if offered else "")
    if not offered:
        return
    before = line.number(f"m{count:x},8")
    assert line.ask("vCont;c") == f"T05thread:2;watch:{count:x};"
    assert line.ask("Hg2") == "OK" and function <= line.number("p20") < function + 64
    assert line.ask("vCont;c") == f"T05thread:2;watch:{count:x};"  # it has not been written yet
    assert line.number(f"m{count:x},8") == before
    assert line.ask(f"z2,{count:x},8") == "OK" and line.ask(f"Z1,{function:x},2") == "OK"
    thread = stopped(line.ask("vCont;c"), 5)
    assert line.ask(f"Hg{thread}") == "OK" and line.number("p20") == function
    assert line.ask(f"z1,{function:x},2") == "OK" and line.ask(f"Z0,{function:x},2") == "OK"
    for thread in (1, 2, 2, 1):  # as gdb steps over a watchpoint: one is resumed, the other stays stopped
        other = 3 - thread
        assert line.ask(f"Hg{other}") == "OK"
        there = line.number("p20")
        assert line.ask(f"Hg{thread}") == "OK" and line.ask(f"z0,{function:x},2") == "OK"
        stopped(line.ask(f"vCont;s:{thread}"), 5)
        assert line.ask(f"Z0,{function:x},2") == "OK"
        assert stopped(line.ask(f"vCont;c:{thread}"), 5) == thread
        assert line.ask(f"Hg{other}") == "OK" and line.number("p20") == there
    assert line.ask(f"z0,{function:x},2") == "OK"
    assert [line.ask(f"Z3,{count + 64 * i:x},8") for i in range(5)] == ["OK", "OK", "E1c", "E1c", "E1c"]
    assert {line.ask(f"z3,{count + 64 * i:x},8") for i in range(5)} == {"OK"}
    assert line.ask(f"Z4,{count:x},10") == "E16" and line.ask("Hg1") == "OK"


def test_a_session(line, qemu):
    """Threads, registers, memory, breakpoints on both vCPUs, steps, an interrupt; the guest continues afterwards."""
    function, counts = line.symbol["debugged_count"], line.symbol["debugged_counts"]
    stopped(line.ask("?"), 2)
    assert "qXfer:features:read+" in line.ask("qSupported:swbreak+")
    xml, part = "", "m"
    while part[0] == "m":
        part = line.ask(f"qXfer:features:read:target.xml:{len(xml):x},ffff")
        xml += part[1:]
    numbers = {reg.get("name"): reg.get("regnum") for reg in ElementTree.fromstring(xml).iter("reg")}
    assert numbers["pc"] == "32" and numbers["stvec"] == "35"
    assert line.ask("qfThreadInfo") == "m1,2" and line.ask("qsThreadInfo") == "l"
    assert bytes.fromhex(line.ask("qThreadExtraInfo,2")).startswith(b"vCPU 1, ")
    before = [line.number(f"m{counts + 8 * i:x},8") for i in range(2)]
    assert all(before) and before == [line.number(f"m{counts + 8 * i:x},8") for i in range(2)]  # they are stopped

    code = line.ask(f"m{function:x},10")
    assert line.ask(f"Z0,{function:x},2") == "OK"
    seen, others, last, rounds, end = set(), 0, 0, 0, time.monotonic() + 400
    # Both run in a loop over it: each must get its turn to stop.
    while rounds < 20 or seen != {1, 2} or others < 4:
        rounds += 1
        assert time.monotonic() < end, f"after {rounds} stops: {seen} met it, in turn {others} times"
        thread = stopped(line.ask("vCont;c"), 5)
        others += thread != last
        last = thread
        seen.add(thread)
        assert line.ask(f"Hg{thread}") == "OK"
        assert line.number("p20") == function and line.number("pa") == thread - 1  # pc, and a0: its hart
        assert line.ask(f"z0,{function:x},2") == "OK" and line.ask(f"m{function:x},10") == code
        assert stopped(line.ask(f"vCont;s:{thread};c"), 5) == thread
        assert line.number("p20") in (function + 2, function + 4)
        assert line.ask(f"Z0,{function:x},2") == "OK"
    assert line.ask(f"z0,{function:x},2") == "OK" and line.ask(f"m{function:x},10") == code

    assert line.ask("Hg1") == "OK"  # only steps, through calls, loops and returns
    places = set()
    for _ in range(60):
        stopped(line.ask("vCont;s:1"), 5)
        places.add(line.number("p20"))
    assert len(places) > 4 and any(function <= at < function + 16 for at in places)

    watch_and_break(line, not is_old(qemu))
    assert line.ask(f"M{counts + 8:x},8:0000000000000040") == "OK"  # 0x4000000000000000
    end = time.monotonic() + 300
    while line.number(f"m{counts + 8:x},8") == 1 << 62:
        assert time.monotonic() < end, "it does not go on"
        line.send(b"$c#63\x03")
        stopped(line.answer(), 2)
    assert 1 << 62 < line.number(f"m{counts + 8:x},8") < 1 << 63
    assert line.ask("D") == "OK"
    count = 0
    while count < 1 << 62:  # its earlier output is shown too
        count = int(line.until(rb"counted \d+ and (\d+)\s").group(1))
    assert int(line.until(rb"counted \d+ and (\d+)\s").group(1)) > count


def test_what_cannot_be(line):
    stopped(line.ask("?"), 2)
    for text in ("m0,8", "m40000000,8", "m80200000,ffffffffffffffff", "M0,1:00", "Z0,0,2", "Z0,80200001,2", "pffff",
                 "P0", "G00", "Hg9", "T9", "m", "qXfer:features:read:target.xml:fffffff,1"):
        assert re.fullmatch("E[0-9a-f]{2}", line.ask(text)), text
    for text in ("Z5,80200000,8", "vKill;1", "nonsense", "", "X80200000,0:"):
        assert line.ask(text) == "", text
    for i in range(40):  # more than the maximum of breakpoints
        last = line.ask(f"Z0,{0x80200000 + 2 * i:x},2")
    assert last == "E1c"
    for text in ("vCont", "vCont;c:9", "vCont;s:9", "vCont;s:9;c:9"):  # these threads do not exist
        assert line.ask(text) == "E16", text
    for i in range(40):
        assert line.ask(f"z0,{0x80200000 + 2 * i:x},2") == "OK"
    assert line.ask("D") == "OK"
    line.until(rb"counted \d+ and \d+")


def goes_on(line, guest):
    """Checks that the guest counts. Its earlier output is shown first, up to the monitor's prompt."""
    line.send(b"\x01%d\x01m" % guest)
    before = line.until(rb"(.*?)hv> ").group(1)
    assert b"defect" not in before, before
    line.send(b"\x01%d" % guest)
    counts = []
    for _ in range(2):
        said = line.until(rb"defect[^\n]*|counted (\d+) and \d+\s")
        assert b"defect" not in said.group(), said.group()
        counts.append(int(said.group(1)))
    assert counts[0] < counts[1]


def watch(line, offered):
    """The debugged guest stops at each write to the watched address, while the other one runs."""
    count = line.symbol["debugged_counts"] + 8
    assert line.ask(f"Z2,{count:x},8") == ("OK" if offered else "")
    for _ in range(10 if offered else 0):
        assert line.ask("vCont;c") == f"T05thread:2;watch:{count:x};"


def test_a_neighbour(hypervisor, qemu, tmp_path):
    """A guest writes to the address at which another guest on the same hart is watched, and must get none of its traps:
    not while that is watched, nor after the debugger has left, nor after the watched guest has ended and been started
    again. Nor may the watched guest get a trap for its neighbour's debugger. A guest prints a trap and ends."""
    offered = not is_old(qemu)
    manifest = MANIFEST + MANIFEST.replace("debugged ", "other ")
    with session(hypervisor, qemu, tmp_path, manifest, 1) as line:
        stopped(line.ask("?"), 2)
        watch(line, offered)
        assert line.ask("D") == "OK"
        goes_on(line, 2)
        goes_on(line, 1)
        line.send(b"\x01g")
        line.until(rb"gdb has the line now")
        stopped(line.ask("?"), 2)
        watch(line, offered)
        finish = line.symbol["guest_finish"].to_bytes(8, "little").hex()
        assert line.ask("Hg1") == "OK" and line.ask(f"P20={finish}") == "OK"
        assert line.ask("vCont;c:1") == "W00"
        line.until(rb"vm debugged has")
        line.send(b"\x01m")
        line.until(rb"hv> ")
        answer = b"it has not ended"
        while b"it has not ended" in answer:
            line.send(b"start debugged\r")
            answer = line.until(rb"start debugged(.*?)hv> ").group(1)
        goes_on(line, 1)
        goes_on(line, 2)
        line.send(b"\x01g")
        line.until(rb"gdb has the line now, for other")
        stopped(line.ask("?"), 2)
        watch(line, offered)
        assert line.ask("D") == "OK"
        goes_on(line, 1)
        line.send(b"\x01m")
        line.until(rb"hv> ")
        line.send(b"clone debugged\r")  # no debugger uses it
        line.until(rb"cloned as debugged-1")


def test_garbage(line):
    """After any input the next valid packet is answered; Ctrl-a m returns to the monitor."""
    stopped(line.ask("?"), 2)
    noise = random.Random(1)
    for _ in range(300):
        kind = noise.choice(b"gGpPmMzZHTqvXs?!\xff")
        rest = (noise.choice(b"0123456789abcdef,:;=-#$}*\x00\x7f") for _ in range(noise.randrange(40)))
        text = bytes([kind]) + bytes(rest)
        line.send(b"$%s#%02x" % (text, sum(text) % 256 if noise.random() < 0.8 else 0))
    line.send(b"#00#00\x03")
    line.until(rb"\+")
    line.send(b"$qAttached#8f")
    line.until(rb"\$1#31")
    line.send(b"\x03\x01m")
    line.until(rb"counted \d+ and \d+")
