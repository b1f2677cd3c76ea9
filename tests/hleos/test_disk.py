"""The disk and its file system: what is written is there after the machine's end, however that comes."""
import re
import subprocess

import pexpect
import pytest

from tests.hleos.machines import BUILD, LIMIT, qemu_command

PROMPT = "hleos>\x1b\\[0m "


def fsck(disk):
    """Its status, and what it says."""
    result = subprocess.run([BUILD / "fsck", disk], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def start():
    """start(disk, QEMU's options) -> a pexpect of the serial line. A machine that is there at the end is killed."""
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


def test_files_survive_a_kill(start, image):
    disk = image()
    serial = start(disk)
    serial.expect(PROMPT)
    assert re.search(r"fs: ata0, sector \d+: \d+ of 2048 blocks free, transaction 1\b", serial.before)
    say(serial, "mkdir /den /den/desk")
    say(serial, "write /den/desk/letter Dear reader")
    assert "Dear reader" in say(serial, "cat den/desk/letter")
    assert re.search(r"file +\d+ +1 +12  letter", say(serial, "ls /den/desk"))
    assert "on the disk" in say(serial, "fsync")
    serial.close(force=True)   # SIGKILL
    assert fsck(disk)[0] == 0 and "1 files, 3 directories" in fsck(disk)[1]
    serial = start(disk)
    serial.expect(PROMPT)
    assert "Dear reader" in say(serial, "cat /den/desk/letter")
    assert "is not empty" in say(serial, "rm /den/desk")
    assert say(serial, "rm /den/desk/letter /den/desk /den").count("\n") == 1
    assert "no such file" in say(serial, "cat /den/desk/letter")
    assert "not a valid name" in say(serial, "write / x")
    serial.send("halt\r")
    serial.expect(pexpect.EOF)
    assert fsck(disk) == (0, "%s: whole: 0 files, 1 directories, 0 devices, 0 without a name; "
                          "%s of 2048 blocks used\n" % (disk, re.search(r"(\d+) of 2048", fsck(disk)[1])[1]))
