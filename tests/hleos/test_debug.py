"""make gdb with make debug, make gdb and make gdb-i386 with make debug-loader, make dump; a race, with gdb."""
import os
import re
import signal
import subprocess
from contextlib import contextmanager

import pytest

from tests.hleos.machines import BUILD, GOOD, HLEOS, LIMIT, qemu_command
from tests.support import wait_for_port

PORT = 12340 + os.getpid() % 1000   # different for two runs at the same time


@contextmanager
def server(target):
    machine = subprocess.Popen(["make", "-s", "-C", HLEOS, target, "GDB_PORT=%d" % PORT], start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(PORT, machine)
        yield
    finally:
        os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()


def client(target, commands):
    extra = " ".join("-ex '%s'" % c for c in commands + ["kill", "quit"])
    result = subprocess.run(["make", "-s", "-C", HLEOS, target, "GDB_PORT=%d" % PORT, "GDB_EXTRA=%s" % extra],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
    return result.stdout + result.stderr


def test_kernel(built):
    with server("gdb"):
        text = client("debug", ["info registers rip", "bt", "print sizeof(struct thread)"])
    assert "kernel_main" in text and "main.c:" in text
    assert "0xffffffff8" in text


@pytest.mark.parametrize("target", ["gdb-i386", "gdb"])
def test_loader(built, target):
    """Debugs from the first byte on, by symbol, on a 32-bit and a 64-bit machine; the code of each mode is decoded
    correctly."""
    with server(target):
        text = client("debug-loader", ["x/2i $$pc", "hbreak real_entry", "continue", "hbreak loader_main", "continue",
                                       "info args", "hbreak bios_call_16", "continue", "delete", "hbreak kernel_load",
                                       "continue", "backtrace 2"])
    assert "=> 0x7c00 <boot_sector>:\tjmp    0x7c5a" in text, text
    assert re.search(r"\[i8086\] real_entry .*boot/stage2.S:\d+", text), text
    assert re.search(r"\[i386\] loader_main .*boot/loader.c:\d+\n=> .*push +%ebp", text), text
    assert re.search(r"\[i8086\] bios_call_16 .*\n=> .*mov +\$0x20,%ax", text), text
    assert "[i386] kernel_load" in text, text
    if target == "gdb-i386":   # on the other machine gdb expects a stack of 64-bit words
        assert "drive = 128" in text and re.search(r"#1 .* in loader_main", text), text


def test_dump(built):
    """With source lines, and 16-bit code decoded as such: `lgdtl` with its address, which would be wrong in 32 bits."""
    subprocess.run(["make", "-s", "-C", HLEOS, "dump"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    text = (BUILD / "hleos.dump").read_text()
    assert "<kernel_main>:" in text and "boot_take(boot_info, image)" in text
    text = (BUILD / "boot.dump").read_text()
    assert "ljmp    $0, $start" in text and re.search(r"\tljmp +\$0x0,\$0x7c", text)
    text = (BUILD / "stage2.dump").read_text()
    assert re.search(r"\tlgdtl +-0x", text) and re.search(r"\tljmpl +\$0x8,", text)
    assert "entry = kernel_load(&disk, &image_table, info);" in text and re.search(r"\tpush +%ebp", text)


def test_an_interrupt_before_the_request_ends_nothing(built, image, scratch):
    """An interrupt with another cause, here a new size of the disk, comes when the driver waits for a request that is
    not submitted yet."""
    source = (HLEOS / "src/hleos/disk/virtio.c").read_text(encoding="utf-8").split("\n")
    line = 1 + next(n for n, text in enumerate(source) if "__atomic_store_n(&s->available.index" in text)
    serial = scratch / "serial.txt"
    machine = subprocess.Popen(qemu_command(image("test=files"), "file:%s" % serial, interface="virtio",
                                            extra=("-S", "-gdb", "tcp::%d" % PORT)), stdin=subprocess.DEVNULL)
    try:
        wait_for_port(PORT, machine)
        commands = ["set architecture i386:x86-64", "target remote localhost:%d" % PORT, "hbreak kernel_main",
                    "continue", "delete", "hbreak virtio.c:%d" % line, "continue", "continue", "bt 1",
                    "monitor block_resize virtio0 20M", "delete", "detach"]
        words = [word for c in commands for word in ("-ex", c)]
        told = subprocess.run(["gdb", "-q", "-batch", "-l", "200", *words, BUILD / "hleos.elf"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                              check=False).stdout
        assert re.search(r"^#0 .*submit .*virtio.c:%d" % line, told, re.M), told
        assert machine.wait(timeout=LIMIT) == GOOD, serial.read_text(errors="replace")
    finally:
        machine.kill()
        machine.wait()
    text = serial.read_text(errors="replace")
    assert "fs: vd0, " in text and "the disk fails" not in text and "selftest: 4 passed, 0 failed" in text, text
