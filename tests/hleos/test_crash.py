"""A machine under load is recorded; then a kill at each of its writes is simulated here, by HLeOs's test/replay.c.

An NBD server records QEMU's writes. Bochs and the VMM write to a file: strace records their system calls.
"""
import os
import re
import struct
import subprocess
import time

import pytest

from tests.hleos.conftest import BOCHS_LIMIT
from tests.hleos.machines import BUILD, LIMIT, TOP, qemu_command
from tests.hleos.power import FLUSH, WRITE, PowerDisk
from tests.support import lab_run

FS_SIZE = 2 << 20   # small, as all of it is checked many times
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "65536", "-e", "signal=none",
          "-e", "trace=lseek,write,writev,pwrite64,pwritev,fdatasync"]
CALL = re.compile(rb"^(\d+) +(\w+)\(\d+<([^>]*)>(?:, (.*?))?(?: <unfinished \.\.\.>|\) += (-?\d+).*)$")
RESUMED = re.compile(rb"^(\d+) +<\.\.\. fdatasync resumed>.*= 0$")


@pytest.fixture
def disk(built, scratch):
    """disk(command line): an image; without a command line only a file system, without a kernel."""
    def make(command_line=None):
        out = scratch / "disk.img"
        boot = ["--boot", BUILD / "boot.bin", "--stage2", BUILD / "stage2.bin",
                "--kernel", BUILD / "hleos-stripped.elf", "--cmdline", command_line] if command_line else []
        subprocess.run([BUILD / "mkimage", *boot, "--fs", str(FS_SIZE), "--out", out], check=True,
                       stdout=subprocess.DEVNULL)
        return out
    return make


@pytest.fixture
def replay(scratch):
    """replay(disk before the run, record): checks the disk after each simulated kill."""
    def run(before, record):
        (scratch / "before.img").write_bytes(before)
        (scratch / "record").write_bytes(record)
        result = subprocess.run([BUILD / "replay", scratch / "before.img", scratch / "record"], capture_output=True,
                                text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return [int(number) for number in re.findall(r"\d+", result.stdout)]
    return run


def a_write(offset, data):
    return b"W" + struct.pack("<QQ", offset, len(data)) + data


def a_line(text, said):
    """The piece of a record for a new line on the serial line, if there is one."""
    synced = [int(n) for n in re.findall(rb"load: synced (\d+)\r?\n", text)]
    if not synced or synced[-1] <= said[0]:
        return b""
    said[0] = synced[-1]
    return b"S" + struct.pack("<Q", synced[-1])


def test_qemu(disk, replay, sockets, scratch, soak):
    for interface in ("ide", "virtio"):
        image, record, said, rounds = disk("load=forever"), [], [0], soak(12, 300)
        before, serial = image.read_bytes(), scratch / "serial.txt"
        serial.unlink(missing_ok=True)

        def note(kind, offset, data, record=record, said=said, serial=serial):
            record.append(a_line(serial.read_bytes(), said))   # the line came before this request
            record.append(a_write(offset, data) if kind == WRITE else b"F")

        power = PowerDisk(image, sockets / interface, note=note)
        machine = subprocess.Popen(qemu_command(power.url, "file:%s" % serial, interface=interface),
                                   stdin=subprocess.DEVNULL)
        end = time.monotonic() + LIMIT + 10 * rounds
        try:
            while said[0] < rounds:
                assert machine.poll() is None and power.thread.is_alive() and time.monotonic() < end, serial.read_text()
                power.thread.join(0.05)
        finally:
            machine.kill()
            machine.wait()
        power.power_fails(scratch / "left.img")
        assert power.counts[FLUSH] > 0
        writes, flushes, looks, synced = replay(before, b"".join(record))
        assert writes > rounds * 8 and flushes > rounds and looks > 1.5 * writes and synced >= rounds


def traced(log, image, serial, rounds):
    """Makes a record from strace's log, until that many rounds were synced. A machine has one request in flight: a
    write counts from its beginning on, a flush from its end."""
    places, flushing, record, text, said = {}, set(), [], b"", [0]
    names = {str(image).encode().hex(): "disk", str(serial).encode().hex(): "serial"}
    for line in log.read_bytes().split(b"\n"):
        resumed, call = RESUMED.match(line), CALL.match(line)
        if resumed and resumed[1] in flushing:
            flushing.remove(resumed[1])
            record.append(b"F")
        if call is None:
            continue
        process, name, path, arguments, result = call.groups()
        what = names.get(path.replace(b"\\x", b"").decode())
        data = b"".join(bytes.fromhex(piece.replace(b"\\x", b"").decode())
                        for piece in re.findall(rb'"((?:\\x..)*)"', arguments or b""))
        if what == "serial":
            text += data
            record.append(a_line(text[-100:], said))
            if said[0] >= rounds:
                break
        elif what == "disk" and name == b"lseek":
            places[path] = int(result)
        elif what == "disk" and name == b"write":
            record.append(a_write(places[path], data))
            places[path] += len(data)
        elif what == "disk" and name == b"fdatasync":
            if result is None:
                flushing.add(process)
            else:
                record.append(b"F")
        elif what == "disk":
            record.append(a_write(int(arguments.rsplit(b", ", 1)[1]), data))
    return b"".join(record)


def test_bochs(disk, replay, bochs, scratch, soak, monkeypatch):
    """Bochs has no cache: each sector is a separate write, which is in the file at once."""
    image, rounds, log = disk("load=forever"), soak(6, 60), scratch / "log"
    before, wrapper, serial = image.read_bytes(), scratch / "bin/bochs", scratch / "bochs/serial.txt"
    wrapper.parent.mkdir()
    strace = " ".join(map(str, [*STRACE, "-o", log, "-P", image, "-P", serial]))
    wrapper.write_text("#!/bin/sh\nexec %s /usr/bin/bochs \"$@\"\n" % strace)
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:%s" % (wrapper.parent, os.environ["PATH"]))
    bochs(image, until=lambda text: re.search(r"synced %d\b" % rounds, text), limit=BOCHS_LIMIT + 20 * rounds)
    writes, _, looks, synced = replay(before, traced(log, image, serial, rounds))
    assert writes > rounds * 60 and looks == writes and synced >= rounds


# Runs the VMM with a disk under strace until the load has synced a round, and kills it.
TRACE_VMM = """
image=$1 serial=$2 round=$3 log=$4; shift 4
KVM_VMM_AIO=threads "$@" > "$serial" < /dev/null &
until grep -q "synced $round\\b" "$serial"; do kill -0 $! || exit 1; sleep 0.05; done
pkill -KILL -P $!
wait $!
true
"""


def test_our_vmm(disk, vmm, replay, scratch, soak):
    image, serial, log, rounds = disk(), scratch / "serial.txt", scratch / "log", soak(6, 300)
    before = image.read_bytes()
    command = [*STRACE, "-o", log, "-P", image, "-P", serial, TOP / "kvm-vmm-x86/kvm-vmm", "-m", "64M", "--disk", image,
               "--append", "load=forever", BUILD / "hleos.elf"]
    result = lab_run("bash", "-c", TRACE_VMM, "trace", image, serial, rounds, log, *command, limit=1200 + 20 * rounds)
    assert result.status == 0, serial.read_text(errors="replace") + result.err
    writes, flushes, looks, synced = replay(before, traced(log, image, serial, rounds))
    assert writes > rounds * 8 and flushes > rounds and looks > 1.5 * writes and synced >= rounds
