"""make gdb with make debug, make gdb-i386 with make debug-loader, make dump."""
import os
import signal
import subprocess
import time
from contextlib import contextmanager

from tests.hleos.machines import BUILD, HLEOS

PORT = 12340 + os.getpid() % 1000   # two runs at once do not meet


@contextmanager
def server(target):
    machine = subprocess.Popen(["make", "-s", "-C", HLEOS, target, "GDB_PORT=%d" % PORT], start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()


def client(target, commands):
    """Tries until the server is there; its first second it is not."""
    extra = " ".join("-ex '%s'" % c for c in commands + ["kill", "quit"])
    for _ in range(20):
        result = subprocess.run(["make", "-s", "-C", HLEOS, target, "GDB_PORT=%d" % PORT, "GDB_EXTRA=%s" % extra],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        text = result.stdout + result.stderr
        if "refused" not in text and "nothing answers" not in text and "timed out" not in text:
            return text
        time.sleep(0.5)
    return text


def test_kernel(built):
    with server("gdb"):
        text = client("debug", ["info registers rip", "bt", "print sizeof(struct thread)"])
    assert "kernel_main" in text and "main.c:" in text
    assert "0xffffffff8" in text


def test_loader_in_16_bits(built):
    with server("gdb-i386"):
        text = client("debug-loader", [])
    wanted = ["cld", "xor", "mov", "mov", "mov", "mov", "sti", "ljmp"]
    seen = [line.split("\t")[1].split()[0] for line in text.splitlines() if "0x7c" in line and "\t" in line]
    assert seen[:8] == wanted, text
    assert len(seen) >= 10


def test_dump(built):
    subprocess.run(["make", "-s", "-C", HLEOS, "dump"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    text = (BUILD / "hleos.dump").read_text()
    assert "<kernel_main>:" in text and "boot_take(PHYS(boot_info)" in text
    assert "ljmp" in (BUILD / "boot.dump").read_text()
