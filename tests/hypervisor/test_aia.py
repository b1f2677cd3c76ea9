"""Guests whose vCPUs have guest interrupt files in the IMSICs of their harts."""
import re
import time

from hvmachine import archive_of, command, compiled, ends_well, is_old, monitor, run, spawn, to_monitor, with_aia
from test_linux import archive, guest, linux  # noqa: F401

TIMES, FEW = 1000, 20  # FEW: if each waits for the end of its neighbour's slice
PINNED = "harts=0-1 interrupts=imsic"
MAKE = "mem=32M kernel=files.elf base=0x80000000 cpus=2 " + PINNED


def play(child, key="g"):
    child.send(key)
    child.expect("files: %u interrupts answered" % (TIMES if key == "g" else FEW))


def exits(child, what="in all"):
    """The guest's exits so far, without calls, since it polls for keys by calls."""
    to_monitor(child)
    told = monitor(child, "exits files")
    child.send("\r")
    counts = {name: int(n) for n, name in re.findall(r"(\d+) (in all|call from VS-mode|virtual instruction)", told)}
    return counts[what] - (counts["call from VS-mode"] if what == "in all" else 0)


def answers(child, line, *lines):
    """Repeats `line` until the monitor's answers have contained all of these."""
    to_monitor(child)
    child.send(line + "\r")
    for text in lines:
        child.expect_exact(text)
    child.send("\r")


def test_interrupts_without_exits(hypervisor, qemu, tmp_path):
    """MSIs between running vCPUs cause no exit; one wakes a vCPU that is not on its hart. Other writes have no effect.
    A boot begins with empty files, and so does another guest. A guest without files gets a message and a PLIC."""
    far = compiled("far", tmp_path, START="0x80400000ul", END="0x80800000ul", STEP="0x10000ul", TREE="0x8000ul")
    initrd = archive_of(tmp_path, {"files": ("files", {"TIMES": TIMES, "FEW": FEW}, {"cpus": 2, "more": PINNED})},
                        **{"far.elf": far})
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    more = ["-drive", f"file={disk},format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]
    child = spawn(with_aia(command(qemu, hypervisor, initrd, "mux=lines", harts=2, memory="256M", more=more), files=1))
    child.expect("files: its files are empty")
    before = exits(child)
    play(child)
    assert exits(child) - before < TIMES / 2
    answers(child, "create two mem=8M kernel=far.elf base=0x80000000 cpus=2 " + PINNED,
            "vm two: interrupts=imsic: other guests use all interrupt files of a hart: it gets a PLIC")
    answers(child, "create three mem=8M kernel=far.elf base=0x80000000 interrupts=imsic",
            "vm three: interrupts=imsic: harts= must name a hart for each vCPU: it gets a PLIC")
    answers(child, "clone files", "vm files: not cloned: its interrupts are in interrupt files")
    answers(child, "save 0 files", "vm files: not saved: its interrupts are in interrupt files")
    # A neighbour that never waits: from now on each wfi yields the hart.
    answers(child, "start three", "far: 64 marks from")
    play(child, "c")
    assert exits(child, "virtual instruction") > 0
    child.send("fr")
    child.expect("files: its files are empty")
    play(child, "c")
    # The next guest gets the files of the last one, with their old contents.
    child.send("f")
    play(child, "c")
    answers(child, "destroy files", "files is gone")
    answers(child, "create files " + MAKE, "files is created")
    answers(child, "start files", "files: its files are empty")
    answers(child, "destroy three", "three is gone")
    answers(child, "destroy two", "two is gone")
    child.send("\x011x")  # it has the place of the first guest
    child.expect(r"files: done: \d+ met, 0 missed")
    ends_well(child)


def test_debian(hypervisor, linux, qemu, tmp_path):  # noqa: F811
    """Linux has a clock and random bytes. On QEMU 10 the interrupts of its two vCPUs are MSIs: Linux finds the ISA and
    the controllers, starts its second hart, and gets the interrupts of the serial port, which is level-triggered, and
    of a virtio device, which is edge-triggered."""
    has_files = not is_old(qemu)
    vm = guest("linux", "test=devices", 2 if has_files else 1, PINNED if has_files else "")
    line = command(qemu, hypervisor, archive(tmp_path / "i", linux, vm), harts=2 if has_files else 1)
    has_rng = "virtio-rng.ko" in (linux / "parts/order").read_text()
    before = int(time.time())
    status, output = run(with_aia(line, files=1) if has_files else line)
    assert status == 0, output[-2000:]
    assert before <= int(re.search(r"devices: (\d+) seconds", output).group(1)) <= time.time()
    assert "devices: 1 vmgenid" in output, output[-1500:]
    if has_rng:
        assert "rng virtio_rng.0, 1000 bytes" in output, output[-1500:]
        assert int(re.search(r"devices: (\d+) different", output).group(1)) > 200
    if not has_files:
        return
    assert "devices: nproc 2\n" in output and re.search(r"^devices: isa.*_ssaia", output, re.M), output[-2000:]
    rows = re.findall(r"^devices: \d+: +(\d+) +(\d+) +APLIC-MSI\S+ +\d+ (\w+) +-fasteoi +(\S+)$", output, re.M)
    told = {name: (int(first) + int(second) > 0, kind) for first, second, kind, name in rows}
    assert told["ttyS0"] == (True, "Level") and told["vmgenid"] == (False, "Level"), output[-2000:]
    assert not has_rng or told["virtio1"] == (True, "Edge"), output[-2000:]
