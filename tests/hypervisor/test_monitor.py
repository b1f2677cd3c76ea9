"""The console multiplexer and the monitor, with typed input."""
import json
import re
import time

import pytest

from hvmachine import MODERN, QEMU12, archive_of, command, ends_well, monitor, quit_machine, spawn, to_monitor
from test_linux import archive, guest, linux  # noqa: F401

CPUS = "$(grep -c ^processor /proc/cpuinfo)"  # differs between the guests


@pytest.fixture(scope="module")
def booted(hypervisor, linux, tmp_path_factory):  # noqa: F811
    """Two guests with Debian's kernel, shared by the tests that leave both at their prompt."""
    initrd = archive(tmp_path_factory.mktemp("two") / "i", linux, guest("one", "", 1) + guest("two", "", 2))
    child = spawn(command(QEMU12, hypervisor, initrd, harts=2, memory="768M"))
    child.expect("guest# ")
    yield child
    child.close(force=True)


@pytest.fixture
def machine(booted):
    """With guest one in front, at its prompt."""
    booted.send("\x011\recho begins-$((40 + 2))\r")
    booted.expect("begins-42.*guest# ")
    return booted


def uptime(child):
    child.send("cut -d' ' -f1 /proc/uptime\r")
    child.expect(r"\n([\d.]+)\r")
    return float(child.match.group(1))


def test_switching_and_commands(machine):
    machine.send(f"echo this-is-{CPUS}\r")
    machine.expect("this-is-1")
    machine.send("\x01n")
    machine.expect("this is guest 2, two")
    machine.send(f"echo this-is-{CPUS}\r")
    machine.expect("this-is-2")
    machine.send("\x01h")
    machine.expect("hv> ")
    assert "walks both stages" in machine.before
    vms = monitor(machine, "vms")
    assert re.search(r"1 one +running +1 vCPUs", vms) and re.search(r"2 two +running +2 vCPUs", vms)
    assert re.search(r"pc +[0-9a-f]{16}", monitor(machine, "regs one"))
    walk = monitor(machine, "walk 0xffffffff80000000 one")
    assert re.search(r"VS level \d: entry", walk) and re.search(r"G +level 1: entry", walk)
    assert "a block of 2048 KiB" in walk
    assert re.search(r"\d+ call from VS-mode", monitor(machine, "exits one"))
    assert "no command 'dance'" in monitor(machine, "dance")
    machine.send("\r")


def test_pause_stops_a_guests_time(machine):
    start = time.monotonic()
    before = uptime(machine)
    to_monitor(machine)
    assert "one is paused" in monitor(machine, "pause one")
    for _ in range(3):  # real time passes: the other guest counts two seconds
        assert "two" in monitor(machine, "vms")
    machine.send("\r\x01" + "2")
    machine.expect("this is guest 2")
    paused = time.monotonic()
    machine.send("sleep 4; echo slept\r")
    machine.expect(r"\nslept")
    paused = time.monotonic() - paused
    to_monitor(machine)
    assert "one is running" in monitor(machine, "resume one")
    machine.send("\r\x01" + "1")
    machine.expect("this is guest 1")
    # The counted time and the paused time do not overlap; one second of tolerance.
    counted = uptime(machine) - before
    assert counted + paused < time.monotonic() - start + 1, (counted, paused)


def test_reset_boots_again(machine):
    machine.send("touch /mnt/mark; ls /mnt\r")
    machine.expect("mark\r")
    to_monitor(machine)
    monitor(machine, "reset one")
    machine.send("\r\x01" + "1")
    machine.expect("init: Linux 6")
    machine.expect("guest# ")
    machine.send("ls /mnt | wc -l\r")
    machine.expect("\n0\r")


def test_kill_leaves_the_neighbour(machine):
    """The last test that uses the shared machine: it ends guest two."""
    to_monitor(machine)
    monitor(machine, "kill two")
    machine.send("\r\x01" + "1")
    machine.send("echo alive-$(uname -m)\r")
    machine.expect("alive-riscv64")


def test_typing_at_the_virtio_console(hypervisor, linux, tmp_path):  # noqa: F811
    initrd = archive(tmp_path / "i", linux, guest("one", "test=hvc", 1, "console=virtio"))
    line = command(QEMU12, hypervisor, initrd)
    child = spawn(line)
    child.expect("hvc: ready")
    child.send("typed here\r")
    child.expect("hvc: read 'typed here'")
    child.expect("hvc: said through virtio")
    ends_well(child)


def test_nothing_wakes_a_suspended_system(hypervisor, qemu, tmp_path):
    """It sleeps until its timer, by its own clock, which a pause stops; so do a clone and a saved guest."""
    initrd = archive_of(tmp_path, {"asleep": ("asleep", {}, {"cpus": 2})})
    with open(tmp_path / "disk", "wb") as out:
        out.truncate(16 << 20)
    disk = [*MODERN, "-drive", f"file={tmp_path}/disk,format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]
    child = spawn(command(qemu, hypervisor, initrd, "mux=lines", more=disk))
    woke, woken = "woke up in time", 0
    child.expect("asleep: suspends")
    to_monitor(child)
    assert "asleep is paused" in monitor(child, "pause asleep")
    for line, done in (("clone asleep", "cloned as asleep-1"), ("save 0 asleep", "saved on disk 0"),
                       ("load 0 other", "vm other: loaded from disk 0"), ("resume asleep", "asleep is running")):
        while True:  # the messages before it come just before it ends
            child.send(line + "\r")
            while (found := child.expect([done, "not changed", woke])) == 2:  # a copy runs at once
                woken += 1
            if found == 0:
                break
    for _ in range(woken, 3):
        child.expect(woke)
    ends_well(child)
    assert "defect" not in child.before


def exits_in(dump):
    events = json.loads(dump[dump.index("{"):dump.rindex("}") + 1])["traceEvents"]
    return [event for event in events if event["ph"] == "X"]


def test_the_timeline_of_exits(hypervisor, tmp_path):
    """Trace-event JSON: each exit with its guest, vCPU and time; nothing if it was not switched on. On a disk too, and
    with the guest's functions."""
    initrd = archive_of(tmp_path, {"tick": ("tick", {"TICKS": 100000}, {"more": "symbols=map"})},
                        map=b"80200000 T anything\nffffffff80000000 T above\n")
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xff" * (2 << 20))
    child = spawn(command(QEMU12, hypervisor, initrd, more=[
        *MODERN, "-drive", f"file={disk},format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]))
    child.expect("tick 1 at")
    to_monitor(child)
    assert exits_in(monitor(child, "trace dump")) == []
    monitor(child, "trace on")
    child.send("\r")
    child.expect(r"tick \d+ at")
    child.expect(r"tick \d+ at")
    to_monitor(child)
    monitor(child, "trace off")
    shown = monitor(child, "trace dump")
    exits = exits_in(shown)
    assert len(exits) > 2 and all(event["dur"] >= 0 and event["ts"] >= 0 for event in exits), shown
    assert [event["ts"] for event in exits] == sorted(event["ts"] for event in exits)
    assert monitor(child, "trace dump").split("{", 1)[1] == shown.split("{", 1)[1]  # off: the timeline does not change
    assert all(re.fullmatch(r"0x80[0-9a-f]+ anything\+0x[0-9a-f]+", event["args"]["pc"]) for event in exits)
    assert re.search(r"at least \d+ exits at 0x80[0-9a-f]+ anything\+0x", monitor(child, "exits"))
    child.send("trace disk 0\r")
    child.expect(r"trace: written to the first (\d+) bytes of disk 0\r")
    written = disk.read_bytes()
    size = int(child.match.group(1))
    assert exits_in(written[:size].decode()) == exits and set(written[size:]) == {0xff}
    child.expect("hv> ")
    assert "trace disk needs the number" in monitor(child, "trace disk")
    assert "no virtio disk 5" in monitor(child, "trace disk 5")
    child.send("trace dump\r ")  # a key ends it
    child.expect(r'"complete":(true|false)}}\]}')
    child.expect("hv> ")
    quit_machine(child)
