"""Guests that are made, started, stopped and destroyed while the machine runs, from images in its archive."""
import re

import pytest

from hvmachine import (MODERN, QEMU12, archive_of, command, compiled, cpio, ends_well, monitor, quit_machine, run,
                       spawn, to_monitor)

TICK = "kernel=tick.elf base=0x80000000 mem=16M"


def test_a_guest_by_hand(hypervisor, qemu, tmp_path):
    """On a machine without guests: one is created, started, stopped, started again and destroyed, beside another
    one."""
    tick = compiled("tick", tmp_path, TICKS=1000000)
    child = spawn(command(qemu, hypervisor, cpio(tmp_path / "i", {"tick.elf": tick}), "stay mux=lines", harts=2))
    child.expect("guests get")
    to_monitor(child)
    free = int(re.search(r"(\d+) MiB of it not reserved", monitor(child, "vms")).group(1))
    assert "no such guest" in monitor(child, "start")
    assert "a is created" in monitor(child, f'create a {TICK} args="one two"')
    assert re.search(r"1 a +created", monitor(child, "vms"))
    monitor(child, f"create b {TICK}")
    for round_ in range(3):
        for name in "ab":
            child.send(f"start {name}\r")
            child.expect(f"{name}: tick: tick 1 at")
        assert "it has not ended" in monitor(child, "start a")
        child.send("stop a\r")
        child.expect("vm a has been stopped")
        child.expect(r"b: tick: tick \d+ at")
        child.send("stop b\r")
        child.expect("vm b has been stopped")
    monitor(child, "start b")
    for name in "ab":  # one has ended, the other runs
        child.send(f"destroy {name}\r")
        child.expect(f"vm {name} is gone")
    shown = monitor(child, "vms")
    while not re.search("MiB of it not reserved", shown):
        shown = monitor(child, "vms")
    assert " a " not in shown and " b " not in shown
    assert int(re.search(r"(\d+) MiB of it not reserved", shown).group(1)) >= free - 1, shown
    quit_machine(child)
    assert "defect" not in child.before


def test_places_are_used_again(hypervisor, tmp_path):
    """More guests than the maximum, one after the other in the same places, beside a neighbour that ticks all the
    time."""
    initrd = archive_of(tmp_path, {"tick": ("tick", {"TICKS": 1000000}, {}), "sbi": ("far", {
        "START": "0x80400000ul", "END": "0x80500000ul", "STEP": "0x10000ul", "TREE": "0x8000ul"}, {"mem": "8M"})})
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", memory="128M"))
    child.expect("sbi: far: 16 marks")
    to_monitor(child)
    for i in range(34):
        child.send("destroy 2\r")
        child.expect(r"vm \S+ is gone")
        child.send(f"create n{i} kernel=sbi.elf base=0x80000000 mem=8M\r")
        child.expect(f"n{i} is created|another guest is being")
        child.send(f"start n{i}\r")
        child.expect(f"n{i}: far: 16 marks")
    shown = monitor(child, "vms")
    while "free" not in shown:
        shown = monitor(child, "vms")
    assert re.search(r"2 n33 +running", shown) and "hv: 3 " not in shown, shown
    quit_machine(child)
    assert "defect" not in child.before


def test_one_that_reboots_is_destroyed(hypervisor, tmp_path):
    """At any step of its reboot: it does not start again, and another guest can take its name."""
    guests = {"tick": ("tick", {"TICKS": 1000000}, {}), "again": ("again", {}, {"mem": "32M", "more": "initrd=big"})}
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, guests, big=bytes(20 << 20)), "mux=lines", harts=2,
                          memory="192M"))
    child.expect("tick: tick 2 at")
    to_monitor(child)
    for _ in range(30):
        child.send("destroy again\r")
        child.expect("vm again is gone")
        child.send("create again kernel=again.elf base=0x80000000 mem=32M initrd=big\r")
        child.expect("again is created")
        child.send("start again\r")
        child.expect(r"tick: tick \d+ at")
    quit_machine(child)
    assert "defect" not in child.before


def test_a_clone_after_its_source(hypervisor, tmp_path):
    """When the source is destroyed, shared pages belong to the clone, and a new guest can take the source's place."""
    guests = {"own": ("own", {"END": "0x81000000"}, {"mem": "20M", "cpus": 2})}
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, guests), "mux=lines", harts=2, memory="128M"))
    child.expect("own: round 2")
    to_monitor(child)
    child.send("clone own\r")
    child.expect("cloned as own-1")
    child.send("destroy own\r")
    child.expect("vm own is gone")
    child.send("create own kernel=own.elf base=0x80000000 mem=20M\r")
    child.expect("own is created")
    child.send("start own\r")
    child.expect("own: own: round 3")
    child.expect(r"own-1: own: round \d+")
    child.send("stop own-1\r")
    child.expect("vm own-1 has been stopped")
    child.send("start own-1\r")
    child.expect("own-1: own: round 1")  # from its image, like any guest
    quit_machine(child)
    assert "defect" not in child.before


def test_the_machines_disk_is_free_again(hypervisor, qemu, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    initrd = cpio(tmp_path / "i", {"tick.elf": compiled("tick", tmp_path, TICKS=1000000)})
    child = spawn(command(qemu, hypervisor, initrd, "stay mux=lines", more=[
        *MODERN, "-drive", f"file={disk},format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]))
    child.expect("guests get")
    to_monitor(child)
    for _ in range(3):
        assert "a is created" in monitor(child, f"create a {TICK} disk=host:0")
        assert "no such virtio disk" in monitor(child, f"create b {TICK} disk=host:0")
        child.send("destroy a\r")
        child.expect("vm a is gone")
    quit_machine(child)


def many_files(count):
    """A newc archive with `count` empty files."""
    def member(name):
        fields = [0, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name) + 1, 0]
        data = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
        return data + bytes(-len(data) % 4)
    return b"".join(member(b"%d" % i) for i in range(count)) + member(b"TRAILER!!!") + bytes(512)


def test_images_on_a_disk(hypervisor, qemu, tmp_path):
    """A machine without an archive reads one from its second disk, after trying the first, which has none. An archive
    with too many files and a disk that is too large are refused."""
    images = cpio(tmp_path / "images", {"tick.elf": compiled("tick", tmp_path, TICKS=1000000)})
    (tmp_path / "zeros").write_bytes(bytes(1 << 20))
    (tmp_path / "many").write_bytes(many_files(4097))
    (tmp_path / "most").write_bytes(many_files(4096))
    with open(tmp_path / "large", "wb") as large:
        large.truncate(2 << 30)
    more = [*MODERN]
    for name in ("zeros", "images", "many", "most", "large"):
        more += ["-drive", f"file={tmp_path / name},format=raw,if=none,id={name}",
                 "-device", f"virtio-blk-device,drive={name}"]
    child = spawn(command(qemu, hypervisor, args="stay mux=lines", more=more))
    child.expect("guests get")
    to_monitor(child)
    assert "no such file in the initrd or an archive" in monitor(child, f"create a {TICK}")
    assert "disk 7: this machine has no such virtio disk" in monitor(child, "archive 7")
    assert "archive needs the number of a virtio disk" in monitor(child, "archive x")
    assert "disk 4: not enough memory for its contents" in monitor(child, "archive 4")
    assert "archives read from disks 0 KiB" in monitor(child, "memory")
    for number, answer in enumerate(["disk 0: it has no cpio archive",
                                     r"the archive on disk 1 has been read, \d+ KiB",
                                     "disk 2: its archive has more than 4,096 files",
                                     r"the archive on disk 3 has been read, \d+ KiB"]):
        child.send(f"archive {number}\r")
        child.expect(f"disk {number} is being read")
        child.expect(answer)
    kept = int(re.search(r"archives read from disks (\d+) KiB", monitor(child, "memory")).group(1))
    assert kept >= 512 + images.stat().st_size // 1024
    assert "a is created" in monitor(child, f"create a {TICK}")
    child.send("start a\r")
    child.expect("a: tick: tick 2 at")
    quit_machine(child)


REFUSED = [
    ("create", "create: a name is missing after 'vm'"), ("create a", "create: no kernel= for vm 'a'"),
    ("create a colour=red", "create: unknown key 'colour'"),
    (f"create tick {TICK}", "vm tick: a guest of that name exists"),
    (f"create a {TICK} vm b kernel=x", "more guests than"),
    ("create a kernel=none", "no such file in the initrd or an archive"),
    ("start", "it has not ended"), ("destroy absent", "no such guest"), ("stop 7", "no such guest"),
    ("create a kernel=tick.elf base=0x80000000 mem=999G", "a is created"), ("start a", "MiB wanted")]


def test_what_cannot_be_made(hypervisor, tmp_path):
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, {"tick": ("tick", {"TICKS": 1000000}, {})})))
    child.expect("tick 1 at")
    to_monitor(child)
    for words, answer in REFUSED:
        assert answer in monitor(child, words), words
    child.send("destroy a\r")
    child.expect("vm a is gone")
    child.close(force=True)


def test_the_last_one_that_ends_by_itself_ends_the_machine(hypervisor, tmp_path):
    initrd = archive_of(tmp_path, {"a": ("tick", {"TICKS": 1000}, {}), "b": ("tick", {"TICKS": 3}, {})})
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines"))
    child.expect("a: tick: tick 1 at")
    to_monitor(child)
    child.send("stop a\r")
    child.expect("vm a has been stopped")
    ends_well(child)


def test_stay_is_not_the_manifest(hypervisor):
    status, output = run(command(QEMU12, hypervisor, args="stays"))
    assert status == 1 and "unknown option 'stays'" in output
