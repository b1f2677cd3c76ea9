"""The disk and its file system: written files exist after the machine's end, in whatever way it ends."""
import random
import re
import signal
import subprocess
import time

import pexpect
import pytest

from tests.hleos.machines import BUILD, FS_SIZE, GOOD, LIMIT, TOP, qemu_command
from tests.hleos.power import FLUSH, READ, WRITE, PowerDisk, stalls
from tests.support import lab_run

PROMPT = "hleos>\x1b\\[0m "
NAMES = {"ide": "ata0", "virtio": "vd0"}   # the disk's name for each interface of QEMU
each_interface = pytest.mark.parametrize("interface", NAMES)


def fsck(disk):
    """Runs fsck. Returns its status and output."""
    result = subprocess.run([BUILD / "fsck", disk], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def start():
    """start(disk, QEMU's options) -> a pexpect of the serial line. A machine that still runs at the end is killed."""
    started = []

    def run(disk, *extra, **options):
        command = qemu_command(disk, "stdio", extra=extra, **options)
        serial = pexpect.spawn(command[0], [str(c) for c in command[1:]], timeout=LIMIT, encoding="utf-8")
        started.append(serial)
        return serial

    yield run
    for serial in started:
        serial.close(force=True)


def say(serial, line):
    serial.send(line + "\r")
    serial.expect(PROMPT)
    return serial.before.replace("\r", "")


@each_interface
def test_files_survive_a_kill(start, image, interface):
    disk = image()
    serial = start(disk, interface=interface)
    serial.expect(PROMPT)
    assert re.search(r"fs: %s, sector \d+: \d+ of 2048 blocks free, transaction 1\b" % NAMES[interface], serial.before)
    say(serial, "mkdir /den /den/desk")
    say(serial, "write /den/desk/letter Dear reader")
    assert "Dear reader" in say(serial, "cat den/desk/letter")
    assert re.search(r"file +\d+ +1 +12  letter", say(serial, "ls /den/desk"))
    assert "on the disk" in say(serial, "fsync")
    serial.close(force=True)   # SIGKILL
    assert fsck(disk)[0] == 0 and "1 files, 3 directories" in fsck(disk)[1]
    serial = start(disk, interface=interface)
    serial.expect(PROMPT)
    assert "Dear reader" in say(serial, "cat /den/desk/letter")
    assert "is not empty" in say(serial, "rm /den/desk")
    assert say(serial, "rm /den/desk/letter /den/desk /den").count("\n") == 1
    assert "cannot be opened" in say(serial, "cat /den/desk/letter")
    assert "not a valid name" in say(serial, "write / x")
    serial.send("halt\r")
    serial.expect(pexpect.EOF)
    assert fsck(disk) == (0, "%s: whole: 0 files, 1 directories, 0 devices, 0 without a name; "
                          "%s of 2048 blocks used\n" % (disk, re.search(r"(\d+) of 2048", fsck(disk)[1])[1]))


def last_synced(text, least=0):
    """The last round that a machine under load has reported as synced."""
    return max([least, *map(int, re.findall(r"load: synced (\d+)\r", text))])


def killed(serial):
    """Kills QEMU. Returns the serial output."""
    serial.kill(signal.SIGKILL)
    seen = serial.before + (serial.after if isinstance(serial.after, str) else "")
    serial.expect(pexpect.EOF)
    return seen + serial.before


def test_kills_under_load(start, image, soak):
    """Kills at random times: each start finds all rounds that were synced before."""
    random.seed(20)
    disk, synced = image("load=forever"), 0
    for turn in range(soak(4, 1000)):
        serial = start(disk)
        serial.expect(r"load: found round (\d+)\r")
        found = int(serial.match[1])
        assert found >= synced, "kill %d: %d was synced, %d is there" % (turn, synced, found)
        for _ in range(random.randrange(1, 6)):
            serial.expect(r"load: synced \d+\r")
        time.sleep(random.random() * 0.02)
        synced = last_synced(killed(serial), found)
        assert fsck(disk)[0] == 0, fsck(disk)[1]
    assert synced > 4


@each_interface
def test_power_fails_at_a_write(start, image, sockets, scratch, soak, interface):
    """Each time from the same disk; parts of its cache may be lost. test_crash.py tests all writes."""
    random.seed(21)
    disk, left = image("load=forever"), scratch / "left.img"
    for at in soak((3, 150), range(1, 400)):
        power = PowerDisk(disk, sockets / ("disk%d" % at),
                          lambda n, at=at: serial.kill(signal.SIGKILL) if n == at else None)
        serial = start(power.url, interface=interface)
        serial.expect(pexpect.EOF)
        power.power_fails(left)
        assert power.counts[WRITE] >= at
        synced = last_synced(serial.before)
        assert fsck(left)[0] == 0, "at write %d: %s" % (at, fsck(left)[1])
        serial = start(left, interface=interface)
        serial.expect(r"load: found round (\d+)\r")
        assert int(serial.match[1]) >= synced, "at write %d" % at
        serial.close(force=True)
    assert synced > 0 and power.counts[FLUSH] > 0


@each_interface
@pytest.mark.parametrize("kind", [WRITE, FLUSH])
def test_a_disk_that_fails(start, image, sockets, scratch, kind, interface):
    """All requests fail from some request on. One message reports it, files in the cache can be read, and nothing is
    changed."""
    disk, bad = image(), []
    power = PowerDisk(disk, sockets / "disk", fail=lambda this, number: this == kind and bool(bad))
    serial = start(power.url, interface=interface)
    serial.expect(PROMPT)
    say(serial, "write /kept words that stay")
    assert "on the disk" in say(serial, "fsync")
    bad.append(True)
    serial.send("write /lost other words\r")
    serial.expect("fs: the disk fails: nothing is written any more")
    serial.send("uptime\r")   # the prompt of `write` comes before that message or after it
    serial.expect(r"up \d+\.\d\d\d s")
    serial.expect(PROMPT)
    assert "read-only" in say(serial, "write /lost other words")
    assert "words that stay" in say(serial, "cat /kept")
    assert "the disk fails" in say(serial, "fsync") and "read-only: the disk fails" in say(serial, "df")
    killed(serial)
    power.power_fails(scratch / "left.img")
    status, text = fsck(scratch / "left.img")
    assert status == 0 and re.search("[12] files", text), text   # the second one may be in the log


@each_interface
def test_reads_that_fail(start, image, sockets, interface):
    """Each read gives an error until the disk works again."""
    disk, bad = image(), []
    power = PowerDisk(disk, sockets / "disk", fail=lambda this, number: this == READ and bool(bad))
    serial = start(power.url, interface=interface)
    serial.expect(PROMPT)
    bad.append(True)
    text = say(serial, "test files.disk_has_a_first_sector_and_an_end")
    assert "disk_read(disk, 0, 1, sector) is -1, not 0" in text and "FAILED" in text
    bad.clear()
    assert "1 passed, 0 failed" in say(serial, "test files.disk_has_a_first_sector_and_an_end")


@each_interface
def test_a_disk_that_does_not_answer(start, image, sockets, interface):
    """A request takes longer than the driver waits: the driver resets the disk and repeats the request."""
    disk, slow = image(), set()
    power = PowerDisk(disk, sockets / "disk", fail=stalls(9, READ, slow))
    serial = start(power.url, interface=interface)
    serial.expect(PROMPT)
    slow.add(power.counts[READ] + 1)
    text = say(serial, "test files.disk_has_a_first_sector_and_an_end")
    assert "disk: %s: no answer, reset" % NAMES[interface] in text and "1 passed, 0 failed" in text, text


@pytest.mark.parametrize("machine", ["pc", "q35", "pc without ACPI"])
def test_virtio(image, qemu, machine):
    """With interrupts through the I/O APIC, and through the PIC."""
    extra = {"pc": (), "q35": ("-machine", "q35"), "pc without ACPI": ("-machine", "pc,acpi=off,hpet=off")}[machine]
    status, text = qemu(image("test=files"), extra=extra, interface="virtio")
    assert "disk: vd0, " in text and "disk: ata" not in text, text
    assert "selftest: 4 passed, 0 failed" in text and status == GOOD, text


@pytest.mark.parametrize("block, offset, why", [
    (0, 8, "the superblock is damaged: its CRC is wrong"),
    (146, 0, "blocks in use are free in the bitmap"),
    (65, 0, "the log has no valid header"),
    (129, 129, "the root is not a directory"),
])
def test_a_damaged_file_system(start, image, block, offset, why):
    """It is not mounted, and a message says why; the system starts without it."""
    disk = image()
    with open(disk, "r+b") as file:
        first = int.from_bytes(file.read(512)[446 + 16 + 8:][:4], "little") * 512   # the second partition's
        file.seek(first + block * 4096 + offset)
        file.write(b"\x55")
    assert fsck(disk)[0] == 1, fsck(disk)[1]
    serial = start(disk)
    serial.expect(PROMPT)
    assert re.search(r"fs: ata0, sector \d+: " + why, serial.before) and "fs: none" in serial.before
    assert "there is no file system" in say(serial, "df")


def test_kills_of_bochs(image, bochs, soak):
    disk, synced = image("load=forever"), 0
    for rounds in soak((3, 1), (3, 6, 1) * 33):
        text = bochs(disk, until=lambda text, rounds=rounds: text.count("load: synced") >= rounds).replace("\n", "\r")
        found = int(re.search(r"load: found round (\d+)\r", text)[1])
        assert found >= synced, "round %d was synced, round %d is there" % (synced, found)
        synced = last_synced(text, found)
        assert fsck(disk)[0] == 0, fsck(disk)[1]
    assert synced > 3 * 3


# For each number: runs the VMM with a disk until the load has printed `synced` that many times, and kills it. The disk
# is checked after each kill, and the output is printed. All in one command, since each command in the lab takes time.
KILL_VMM = """
vmm=$1 disk=$2 kernel=$3 fsck=$4 serial=$5; shift 5
for count; do
    : > "$serial"  # the line below empties it too, but perhaps after it was looked at
    "$vmm" -m 64M --disk "$disk" --append load=forever "$kernel" > "$serial" < /dev/null &
    until [ "$(grep -c synced "$serial")" -ge "$count" ]; do kill -0 $! || break; sleep 0.02; done
    kill -9 $!
    wait $!
    [ $? = 137 ] || { cat "$serial"; exit 1; }
    cat "$serial"
    "$fsck" "$disk" || exit 2
done
"""


def test_kills_of_our_vmm(built, vmm, scratch, soak):
    """virtio over MMIO, found by ACPI; the whole disk is a file system."""
    random.seed(22)
    disk, synced, at_once = scratch / "disk.img", 0, 20
    subprocess.run([BUILD / "mkimage", "--fs", str(FS_SIZE), "--out", disk], check=True, stdout=subprocess.DEVNULL)
    for turn in range(0, soak(2, 1000), at_once):
        counts = [random.randrange(1, 8) for _ in range(min(at_once, soak(2, 1000) - turn))]
        result = lab_run("bash", "-c", KILL_VMM, "kill", TOP / "kvm-vmm-x86/kvm-vmm", disk, BUILD / "hleos.elf",
                         BUILD / "fsck", scratch / "serial.txt", *counts, limit=900 + 60 * len(counts))
        text = result.out.decode(errors="replace").replace("\n", "\r")
        assert result.status == 0 and text.count("disk: vd0, 8 MB") == text.count(": whole: ") == len(counts), \
            text + result.err
        for run in text.split(": whole: ")[:-1]:
            found = int(re.search(r"load: found round (\d+)\r", run)[1])
            assert found >= synced, "from kill %d on: round %d was synced, round %d is there" % (turn, synced, found)
            synced = last_synced(run, found)
    assert synced > 3
