"""HLeOs on its machines: images with a command line of their own, QEMU and Bochs."""
import os
import pty
import subprocess
import time

import pytest

from tests.hleos.machines import BUILD, HLEOS, LIMIT, qemu_command


@pytest.fixture(scope="session")
def built():
    subprocess.run(["make", "-s", "-C", HLEOS], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def image(built, scratch):
    """image(command_line, size=0): a new disk image."""
    def make(command_line="", size=0):
        out = scratch / "hleos.img"
        subprocess.run([BUILD / "mkimage", "--boot", BUILD / "boot.bin", "--stage2", BUILD / "stage2.bin",
                        "--kernel", BUILD / "hleos-stripped.elf", "--cmdline", command_line,
                        "--size", str(size), "--out", out], check=True, stdout=subprocess.DEVNULL)
        return out
    return make


@pytest.fixture
def qemu(scratch):
    """qemu(image, ...) -> (status, what came on the serial line). A run that must end by itself."""
    def run(disk, **options):
        serial = scratch / "serial.txt"
        status = subprocess.run(qemu_command(disk, "file:%s" % serial, **options), timeout=LIMIT,
                                stdin=subprocess.DEVNULL).returncode
        return status, serial.read_text(errors="replace")
    return run


@pytest.fixture
def halted(scratch):
    """halted(image, text, ...): runs until `text` has come on the serial line; returns all of it."""
    def run(disk, text, **options):
        serial = scratch / "serial.txt"
        machine = subprocess.Popen(qemu_command(disk, "file:%s" % serial, **options), stdin=subprocess.DEVNULL)
        try:
            for _ in range(LIMIT * 10):
                seen = serial.read_text(errors="replace") if serial.exists() else ""
                at = seen.find(text)
                if at >= 0 and "\n" in seen[at:]:
                    return seen
                time.sleep(0.1)
            raise AssertionError("%r never came; this did:\n%s" % (text, seen))
        finally:
            machine.kill()
            machine.wait()
    return run


@pytest.fixture
def bochs(scratch):
    """bochs(image, megabytes) -> what came on the serial line. Bochs's own status is always 1."""
    def run(disk, megabytes=64):
        master, slave = pty.openpty()  # its terminal display wants one, and draws to it
        machine = subprocess.Popen([HLEOS / "tools/run-bochs", disk, scratch / "bochs", str(megabytes)],
                                   stdin=slave, stdout=slave, stderr=slave, env=dict(os.environ, TERM="xterm"))
        os.close(slave)
        end = time.monotonic() + LIMIT
        try:
            while machine.poll() is None and time.monotonic() < end:
                try:
                    os.read(master, 65536)
                except OSError:
                    break
            machine.wait(timeout=10)
        finally:
            machine.kill()
            machine.wait()
            os.close(master)
        return (scratch / "bochs/serial.txt").read_text(errors="replace")
    return run
