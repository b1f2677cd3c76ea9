"""Guests saved on a disk of the machine, and loaded there or on another machine; refused requests; damaged disks."""
import random
import re
import struct

import pexpect
import pytest

from hvmachine import MODERN, QEMU12, archive_of, command, cpio, monitor, quit_machine, spawn, to_monitor
from test_linux import archive, guest, linux  # noqa: F401

RECORD = 33 * 512


def machine(qemu, hypervisor, initrd, disk, args="mux=lines", small=None, **options):
    """A machine with one disk, or with a small one after it."""
    more = [*MODERN]
    for name, file in (("d", disk), ("e", small)):
        more += ["-drive", f"file={file},format=raw,if=none,id={name}",
                 "-device", f"virtio-blk-device,drive={name}"] if file else []
    return spawn(command(qemu, hypervisor, initrd, args, more=more, **options))


def disk_of(folder, size):
    disk = folder / "disk"
    with open(disk, "wb") as out:
        out.truncate(size)
    return disk


@pytest.fixture(scope="module")
def saved(hypervisor, tmp_path_factory):
    """An archive, and a disk with its saved guest. The guest has its own disk, and checks all of its memory in each
    round."""
    folder = tmp_path_factory.mktemp("saved")
    guests = {"own": ("own", {"END": "0x80800000"}, {"mem": "12M", "cpus": 2, "more": "disk=image net=lan"})}
    initrd, disk = archive_of(folder, guests, image=bytes(range(256)) * 256), disk_of(folder, 16 << 20)
    child = machine(QEMU12, hypervisor, initrd, disk, harts=2)
    child.expect("own: round 3")
    to_monitor(child)
    child.send("save 0\r")
    child.expect(r"vm own: saved on disk 0, (\d+) KiB")
    assert int(child.match.group(1)) > 4000
    child.expect(r"own: round (\d+)")  # the guest continues
    child.send("load 0\r")
    child.expect("vm own: a guest of that name exists")
    child.expect("not loaded from disk 0: the guest cannot be made")
    first = []
    for name in ("own-a", "own-b"):  # beside the original, twice
        child.send(f"load 0 {name}\r")
        child.expect(f"vm {name}: loaded from disk 0")
        child.expect(rf"{name}: own: round (\d+)\r")
        first.append(int(child.match.group(1)))
    assert first[0] == first[1] > 3
    for name in ("own", "own-a", "own-b"):
        child.expect(rf"{name}: own: round \d+")
    quit_machine(child)
    assert "defect" not in child.before
    return initrd, disk, first[0]


def test_on_another_machine(hypervisor, qemu, saved):
    """With one hart instead of two. It is refused if the hypervisor offers guests other features there."""
    initrd, disk, first = saved
    child = machine(qemu, hypervisor, initrd, disk)
    child.expect("own: round 2")
    to_monitor(child)
    child.send("load 0 other\r")
    if qemu is QEMU12:
        child.expect("vm other: loaded from disk 0")
        child.expect(rf"other: own: round {first}\r")
        child.expect(rf"other: own: round {first + 2}\r")
        child.send("reset other\r")  # from its image, as any other
        child.expect(r"other: own: round 1\r")
    else:
        child.expect("not loaded from disk 0: it was saved on harts with another")
    quit_machine(child)
    assert "defect" not in child.before


def test_damaged(hypervisor, saved, tmp_path):
    """One line says what is wrong, and the guest is removed."""
    initrd, disk, _ = saved
    good, chance = disk.read_bytes(), random.Random(1)
    bad = tmp_path / "bad"
    bad.write_bytes(good)
    child = machine(QEMU12, hypervisor, initrd, bad)
    child.expect("own: round 1")
    to_monitor(child)
    cases = {0: "no guest was saved there", RECORD: "a record was overwritten",
             RECORD + 600: "a checksum is wrong",
             520: "a checksum is wrong", 8: "a checksum is wrong", 12 * RECORD + 16: "a checksum is wrong"}
    for at, line in cases.items():
        with open(bad, "r+b") as out:
            out.seek(at)
            out.write(bytes([good[at] ^ 1 + chance.randrange(255)]))
        child.send("load 0 x\r")
        child.expect(r"not loaded from disk 0: (.*?)\r")
        assert child.match.group(1) == line, at
        bad.write_bytes(good)
    free = re.search(r"(\d+) MiB free", monitor(child, "vms")).group(1)
    child.send("load 0 x\r")
    child.expect("vm x: loaded")
    child.send("destroy x\r")
    child.expect("vm x is gone")
    shown = monitor(child, "vms")
    while "MiB free" not in shown:
        shown = monitor(child, "vms")
    assert abs(int(re.search(r"(\d+) MiB free", shown).group(1)) - int(free)) <= 1
    quit_machine(child)


def test_the_last_guest_ends_during_a_load(hypervisor, saved, tmp_path):
    """The machine stays on for the guest that is being loaded, and powers off if the load fails."""
    initrd, disk, _ = saved
    good, bad = disk.read_bytes(), tmp_path / "bad"
    bad.write_bytes(good)
    child = machine(QEMU12, hypervisor, initrd, bad, harts=2)
    child.expect("own: round 1")
    to_monitor(child)
    child.send("load 0 x\rkill own\r")
    child.expect("vm x: loaded from disk 0")
    child.expect(r"x: own: round \d+")
    last = struct.unpack_from("<Q", good, 512 + 8)[0] - 1
    with open(bad, "r+b") as out:
        out.seek(last * RECORD)
        out.write(bytes(8))
    child.send("load 0 y\rkill x\r")
    child.expect("not loaded from disk 0: a record was overwritten")
    child.expect(pexpect.EOF)
    assert "defect" not in child.before


def sealed(record):
    """A record with its checksum corrected: see vm/saved.c."""
    size, total = struct.unpack_from("<I", record, 36)[0], 1
    for part in (record[:40] + bytes(8), record[512:512 + size]):
        for (word,) in struct.iter_unpack("<Q", part[:len(part) // 8 * 8]):
            total = (total ^ word) * 0x100000001b3 % (1 << 64)
            total ^= total >> 32
        for byte in part[len(part) // 8 * 8:]:
            total = (total ^ byte) * 0x100000001b3 % (1 << 64)
    return record[:40] + struct.pack("<Q", total) + record[48:]


def with_record(disk, number, record):
    return disk[:number * RECORD] + sealed(bytes(record)) + disk[(number + 1) * RECORD:]


def with_words(good, chance, number):
    """A record with random words in its contents."""
    record = bytearray(good[number * RECORD:(number + 1) * RECORD])
    for _ in range(chance.randrange(1, 12)):
        struct.pack_into("<I", record, 512 + 4 * chance.randrange(struct.unpack_from("<I", record, 36)[0] // 4),
                         chance.choice([0, 1, 0x80000000, 0xffffffff, chance.getrandbits(32)]))
    return with_record(good, number, record)


def with_header(good, number, at, kind, size):
    """A record of another kind, for another place, of another size."""
    record = bytearray(good[number * RECORD:(number + 1) * RECORD])
    struct.pack_into("<QII", record, 24, at, kind, size)
    return with_record(good, number, record)


def without_disk(good):
    """The head of a guest that has no disk."""
    head = bytearray(good[:RECORD].replace(b'disk="image"', b'disk=""     '))
    struct.pack_into("<Q", head, 512 + 48, 0)
    return with_record(good, 0, head)


def test_whatever_a_disk_says(hypervisor, saved, tmp_path):
    """Correct checksums, with random words in devices and vCPUs, or with another header: at worst the guest fails."""
    initrd, disk, _ = saved
    good, chance = disk.read_bytes(), random.Random(2)
    bad = tmp_path / "bad"
    bad.write_bytes(good)
    assert sealed(good[RECORD:2 * RECORD]) == good[RECORD:2 * RECORD]
    bare = without_disk(good)
    assert bare != good
    child = machine(QEMU12, hypervisor, initrd, bad, harts=2)
    child.expect("own: round 1")
    to_monitor(child)
    outcomes = []
    # Records 1 to 3 are its devices and two vCPUs. Kinds are those of enum saved_kind: 5 is a piece of its disk.
    places, sizes = (0, 1, 0x80000000, 0x80c00000, (1 << 64) - 1), (0, 1, 16384, 16385, (1 << 32) - 1)
    for content in [with_header(bare, 1, 0, 5, 0), with_header(bare, 1, 0, 5, 512),
                    *(with_words(good, chance, turn % 3 + 1) for turn in range(16)),
                    *(with_header(chance.choice((good, bare)), 1, chance.choice(places), kind, chance.choice(sizes))
                      for kind in (*range(8), (1 << 32) - 1) for _ in range(3))]:
        bad.write_bytes(content)
        child.send("load 0 x\r")
        child.expect(r"vm x: (loaded) from disk 0|not loaded from disk 0: ([^\r]*)\r")
        outcomes.append(child.match.group(1) or child.match.group(2))
        if child.match.group(1):
            child.send("destroy x\r")
            child.expect("vm x is gone")
    assert outcomes[:2] == ["its saved disk has another size"] * 2 and "loaded" in outcomes, outcomes
    child.expect(r"\bown: own: round \d+")
    quit_machine(child)


REFUSED = [
    ("save", "save needs the number of a virtio disk"), ("save 9", "save needs the number of a virtio disk"),
    ("save 2", "this machine has no virtio disk 2"), ("save 0 absent", "no such guest"),
    ("load", "load needs the number"), ("load 0 averylongnameindeed", "a name has 1 to 15 characters"),
    ('load 0 a"b', "a name has 1 to 15 characters and no quotation mark"),
    ("load 3", "this machine has no virtio disk 3"), ("load 0", "no guest was saved there"),
    ("save 0", "not saved: the disk is too small; disk 0 holds no save"), ("load 0", "no guest was saved there"),
    ("save 1", "not saved: the disk is too small; disk 1 unchanged")]


def test_what_is_refused(hypervisor, tmp_path):
    initrd = archive_of(tmp_path, {"own": ("own", {"END": "0x80500000"}, {"mem": "8M"})})
    (tmp_path / "small").write_bytes(bytes(4096))
    child = machine(QEMU12, hypervisor, initrd, disk_of(tmp_path, 1 << 18), small=tmp_path / "small")
    child.expect("own: round 1")
    to_monitor(child)
    for line, answer in REFUSED:
        child.send(line + "\r")
        child.expect(answer)
    child.expect(r"own: round \d+")
    quit_machine(child)


def test_debian_at_its_prompt(hypervisor, linux, tmp_path):  # noqa: F811
    """It continues from there on another machine, and is notified that it was copied."""
    initrd, disk = archive(tmp_path / "i", linux, guest("linux", "")), disk_of(tmp_path, 256 << 20)
    child = machine(QEMU12, hypervisor, initrd, disk, "")
    child.expect("guest# ")
    child.send("known=to-it; dmesg -n 1\r")
    child.expect("guest# ")
    to_monitor(child)
    child.send("save 0\r")
    child.expect("saved on disk 0")
    quit_machine(child)
    initrd = cpio(tmp_path / "j", {"Image": linux / "Image", "initrd": linux / "initrd"})
    child = machine(QEMU12, hypervisor, initrd, disk, "stay")
    child.expect("guests get")
    to_monitor(child)
    child.send("load 0\r")
    child.expect("vm linux: loaded from disk 0")
    child.send("\r\recho is-$known-$(dmesg | grep -c 'virtual machine fork')\r")
    child.expect(r"\nis-to-it-1\r")
    quit_machine(child)
