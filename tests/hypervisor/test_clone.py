"""Clones of a running guest: shared and private state, and clones without enough memory."""
import re

import pytest

from hvmachine import QEMU12, archive_of, command, ends_well, monitor, quit_machine, spawn, to_monitor
from test_linux import archive, guest, linux  # noqa: F401


def clone(child, text, count):
    """Enters the monitor and makes clones; returns the microseconds for each."""
    to_monitor(child)
    child.send(text + "\r")
    times = []
    for _ in range(count):
        child.expect(r"cloned as (\S+), guest \d+, in (\d+) us")
        times.append(int(child.match.group(2)))
    return times


def ask(child, text, pattern):
    child.send(text + "\r")
    child.expect(pattern)
    answer = child.match.group(1)
    child.expect("guest# ")
    return answer


def test_ten_clones_of_debian(hypervisor, linux, qemu, tmp_path):  # noqa: F811
    """In 1 GB, with 192 MB for each guest: each clone continues at the prompt with the old state, and with its own
    random numbers, since its kernel is notified. Ten clones on one of the two emulators are enough."""
    count = 10 if qemu == QEMU12 else 3
    initrd = archive(tmp_path / "i", linux, guest("linux", "", 2, "net=lan"))
    child = spawn(command(qemu, hypervisor, initrd, harts=2, memory="1G"))
    child.expect("guest# ")
    assert ask(child, "known=to-all; echo is-$known; dmesg -n 1", r"\nis-(\S+)\r") == "to-all"
    clone(child, f"clone linux {count}", count)
    seen = set()
    for number in (2, min(count, 9), 1):
        child.send(f"\r\x01{number}")
        child.expect(f"this is guest {number}")
        assert ask(child, f"echo now-$known-{number}", r"\nnow-(\S+)\r") == f"to-all-{number}"
        seen.add(ask(child, "head -c 64 /dev/urandom | md5sum", r"\n([0-9a-f]{32})"))
        forked = ask(child, "echo forked-$(dmesg | grep -c 'virtual machine fork')", r"\nforked-(\d)")
        assert forked == ("0" if number == 1 else "1")
        if number == 2:
            write = "head -c 9000000 /dev/zero > /mnt/9; echo wrote-$(wc -c < /mnt/9)"
            assert ask(child, write, r"\nwrote-(\d+)\r") == "9000000"
    assert len(seen) == 3
    to_monitor(child)
    shown = monitor(child, "memory")
    own = {name: (int(a), int(b)) for name, a, b in
           re.findall(r"hv: \d+ (\S+) .* RAM (\d+) KiB of its own, (\d+) KiB shared", shown)}
    assert len(own) == count + 1 and all(shared > 20000 for _, shared in own.values()), shown
    assert own[f"linux-{count}"][0] < 10000 < own["linux-1"][0] + 5000, shown
    # The source is destroyed; its shared pages now belong to the clones.
    monitor(child, "kill linux")
    child.expect("vm linux has been ended")
    child.send("\r\x013")
    child.expect("this is guest 3")
    assert ask(child, "echo still-$known", r"\nstill-(\S+)\r") == "to-all"
    quit_machine(child)
    assert "defect" not in child.before


def test_clones_write_apart(hypervisor, qemu, tmp_path):
    """A guest overwrites its memory all the time, as do its clones and their clones: each finds its own values."""
    guests = {"own": ("own", {"END": "0x81000000"}, {"mem": "20M", "cpus": 2})}
    child = spawn(command(qemu, hypervisor, archive_of(tmp_path, guests), "mux=lines", harts=2, memory="192M"))
    child.expect("own: round 2")
    clone(child, "clone own 2", 2)
    child.send("clone own-1\r")
    child.expect("cloned as own-1-1")
    rounds = {}
    while len(rounds) < 4 or min(rounds.values()) < 6:
        child.expect(r"(own\S*): own: round (\d+)|defect")
        assert child.match.group(1), child.before[-500:] + child.buffer
        rounds[child.match.group(1)] = int(child.match.group(2))
    assert "not changed" in monitor(child, "resume own-1")
    monitor(child, "kill own")
    child.expect("vm own has been ended")
    quit_machine(child)
    assert "defect" not in child.before


def test_asked_for_while_it_is_cloned(hypervisor, tmp_path):
    """A pause takes effect, and no two guests get the same name."""
    guests = {"tick": ("tick", {"TICKS": 1000000}, {"mem": "8M", "more": "disk=image"})}
    initrd = archive_of(tmp_path, guests, image=bytes(12 << 20))
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", harts=2))
    child.expect("tick: tick 2 at")
    to_monitor(child)
    child.send("clone tick 3\rpause tick\rcreate tick-2 kernel=tick.elf base=0x80000000 mem=8M\r")
    for _ in range(5):  # in any order: three clones and two answers
        child.expect(r"cloned as tick-\d|tick is paused|tick-2 is created|another guest is being made|"
                     r"a guest of that name exists")
    shown = monitor(child, "vms")
    while shown.count("MiB free") < 1:
        shown = monitor(child, "vms")
    names = re.findall(r"hv: \d+ (\S+) +(\w+)", shown)
    assert len(dict(names)) == len(names) >= 4 and dict(names)["tick"] == "paused", shown
    while True:  # the last clone may not have ended yet
        child.send("resume tick\r")
        child.expect(r"hv: tick is (running|not changed)")
        if child.match.group(1) == "running":
            break
    child.expect(r"\btick: tick \d+ at")
    quit_machine(child)


def test_no_memory_for_a_clone(hypervisor, tmp_path):
    """If no page is free a guest waits, with a message, and continues once another has ended."""
    guests = {"own": ("own", {"END": "0x82000000"}, {"mem": "40M"})}
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, guests), "mux=lines", memory="128M"))
    child.expect("own: round 2")
    clone(child, "clone own 4", 4)
    child.expect(r"hv: vm (\S+) is paused: no memory left for its page")
    waits = child.match.group(1)
    other = next(name for name in ("own", "own-1", "own-2", "own-3", "own-4") if name != waits)
    monitor(child, f"kill {other}")
    child.expect(f"vm {other} has been ended")
    child.send(f"resume {waits}\r")
    child.expect(rf"{waits}: own: round \d+")
    quit_machine(child)


def test_a_guest_clones_itself(hypervisor, qemu, tmp_path):
    """By an SBI call: each clone gets its number. The manifest limits the number of clones."""
    guests = {"forks": ("forks", {}, {"more": "clones=3", "cpus": 2})}
    child = spawn(command(qemu, hypervisor, archive_of(tmp_path, guests), "mux=lines", harts=2))
    said = set()
    while len(said) < 4:
        child.expect(r"(forks\S*): forks: (number \d, with what was known) *\r|defect")
        said.add((child.match.group(1), child.match.group(2)))
    assert said == {("forks", "number 0, with what was known"),
                    *((f"forks-{n}", f"number {n}, with what was known") for n in (1, 2, 3))}
    ends_well(child)
    assert "defect" not in child.before


def test_no_memory_for_the_clone_that_is_asked_for(hypervisor, tmp_path):
    """The call fails, as the disk cannot be copied, and the guest continues."""
    guests = {"forks": ("forks", {"FAILS": 1}, {"mem": "8M", "more": "clones=3 disk=big"})}
    initrd = archive_of(tmp_path, guests, big=bytes(17 << 20))  # needs a block of 32 MiB; only one is free
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", memory="128M"))
    child.expect("forks: not cloned, 0 were made")
    ends_well(child)


@pytest.mark.parametrize("line,answer", [
    ("clone tick 0", "clone needs a number of clones, 1 to 32"), ("clone tick 40", "clone needs a number"),
    ("clone absent", "no such guest")])
def test_what_cannot_be_cloned(hypervisor, tmp_path, line, answer):
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, {"tick": ("tick", {"TICKS": 1000}, {})})))
    child.expect("tick 1 at")
    to_monitor(child)
    assert answer in monitor(child, line)
    child.close(force=True)
