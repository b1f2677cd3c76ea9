"""HLeOs on its machines: images with different command lines, QEMU and Bochs."""
import os
import pty
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.hleos.machines import BUILD, FS_SIZE, HLEOS, LIMIT, qemu_command

BOCHS_LIMIT = 4 * LIMIT   # it is slower than the others


@pytest.fixture(scope="session")
def built():
    subprocess.run(["make", "-s", "-C", HLEOS, "all", "test-roms"], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def sockets():
    """A folder for sockets, whose paths have at most 107 characters, also if the repository's path is long."""
    with tempfile.TemporaryDirectory(prefix="hleos-") as folder:
        yield Path(folder)


@pytest.fixture
def image(built, scratch):
    """image(command_line, size=0, kernel=None): a new disk image, with another kernel's bytes if there are any. It has
    a file system unless a size is given, such as a floppy's."""
    def make(command_line="", size=0, kernel=None):
        out, file = scratch / "hleos.img", BUILD / "hleos-stripped.elf"
        if kernel is not None:
            file = scratch / "kernel"
            file.write_bytes(kernel)
        subprocess.run([BUILD / "mkimage", "--boot", BUILD / "boot.bin", "--stage2", BUILD / "stage2.bin",
                        "--kernel", file, "--cmdline", command_line,
                        "--size", str(size), "--fs", str(0 if size else FS_SIZE), "--out", out],
                       check=True, stdout=subprocess.DEVNULL)
        return out
    return make


@pytest.fixture
def roms(built):
    """roms(name, ...): QEMU's options for a PC whose BIOS lacks a function; the names are those of
    HLeOs/HLeOs/test/rom."""
    return lambda *names: [word for name in names for word in ("-option-rom", BUILD / "rom" / (name + ".bin"))]


@pytest.fixture
def qemu(scratch):
    """qemu(image, ...) -> (status, serial output). The run must end by itself."""
    def run(disk, **options):
        serial = scratch / "serial.txt"
        status = subprocess.run(qemu_command(disk, "file:%s" % serial, **options), timeout=LIMIT,
                                stdin=subprocess.DEVNULL).returncode
        return status, serial.read_text(errors="replace")
    return run


@pytest.fixture
def halted(scratch):
    """halted(image, ...): runs until the loader has printed a line with a code on the serial line; returns the serial
    output."""
    def run(disk, **options):
        serial = scratch / "serial.txt"
        machine = subprocess.Popen(qemu_command(disk, "file:%s" % serial, **options), stdin=subprocess.DEVNULL)
        try:
            for _ in range(LIMIT * 10):
                seen = serial.read_text(errors="replace") if serial.exists() else ""
                if re.search(r"HLeOs E\d\d .*\n", seen):
                    assert machine.poll() is None, "it must stand still, not leave"
                    return seen
                time.sleep(0.1)
            raise AssertionError("no line with a code came; this did:\n%s" % seen)
        finally:
            machine.kill()
            machine.wait()
    return run


@pytest.fixture
def bochs(scratch):
    """bochs(image, lines=(), until=None, limit) -> serial output; `lines` are added to the configuration. Bochs ends by
    itself, or is killed when until(output) is true. Bochs's own status is always 1."""
    def run(disk, lines=(), until=lambda text: False, limit=BOCHS_LIMIT):
        master, slave = pty.openpty()  # for its terminal display
        serial = scratch / "bochs/serial.txt"
        serial.unlink(missing_ok=True)
        command = [HLEOS / "tools/run-bochs", disk, scratch / "bochs", "disk", *lines]
        machine = subprocess.Popen(command,
                                   stdin=slave, stdout=slave, stderr=slave, env=dict(os.environ, TERM="xterm"))
        os.close(slave)
        end = time.monotonic() + limit
        try:
            while machine.poll() is None and time.monotonic() < end:
                if serial.exists() and until(serial.read_text(errors="replace")):
                    break
                try:
                    os.read(master, 65536)
                except OSError:
                    break
            if not (serial.exists() and until(serial.read_text(errors="replace"))):
                machine.wait(timeout=LIMIT)
        finally:
            machine.terminate()   # which ends Bochs too
            machine.wait()
            os.close(master)
        return serial.read_text(errors="replace")
    return run
