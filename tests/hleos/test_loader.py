"""The boot loader on PCs that lack something: it finds another way, or fails with the right line and code.

An option ROM removes functions of the BIOS (HLeOs/HLeOs/test/rom); a bad disk is a bad image.
"""
import struct
import subprocess

import pytest

from tests.hleos.machines import BUILD, GOOD, LIMIT, qemu_command

SECTOR = 512
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")   # the ELF64 header
MACHINE, ENTRY, TABLE, ENTRIES = 2, 4, 5, 10
SEGMENT = struct.Struct("<IIQQQQQQ")
TYPE, OFFSET, MEMORY_SIZE = 0, 2, 6


def kernel_at():
    return SECTOR + (len((BUILD / "stage2.bin").read_bytes()) + SECTOR - 1) // SECTOR * SECTOR


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def test_says_what_it_read(image, qemu):
    sectors = (len((BUILD / "hleos-stripped.elf").read_bytes()) + SECTOR - 1) // SECTOR
    status, text = qemu(image("test=memory"))
    assert "disk: EDD" in text and "kernel: %d of %d sectors, crc ok" % (sectors, sectors) in text
    assert status == GOOD


def test_floppy_has_no_edd(image, qemu):
    disk = image("test=memory", size=1474560)
    status, text = qemu(disk, extra=("-fda", disk))
    assert "disk: CHS" in text and "crc ok" in text
    assert status == GOOD


def test_disk_of_one_sector(image, halted):
    disk = image()
    disk.write_bytes(disk.read_bytes()[:SECTOR])
    assert "HLeOs E01 cannot read the disk" in halted(disk)


def test_flipped_bit_in_the_second_stage(image, halted):
    disk = image()
    flip(disk, 2 * SECTOR + 100)
    assert "HLeOs E02 second stage damaged" in halted(disk)


def test_truncated_image(image, halted):
    disk = image()
    disk.write_bytes(disk.read_bytes()[:kernel_at() + 40 * SECTOR])
    text = halted(disk)
    assert "kernel: 40 of " in text
    assert "HLeOs E21 the disk cannot be read: sector %d" % (kernel_at() // SECTOR + 40) in text


def test_flipped_bit_in_the_kernel(image, halted):
    disk = image()
    flip(disk, kernel_at() + 20000)
    assert "HLeOs E22 the kernel on the disk is damaged" in halted(disk)


def test_too_little_memory(image, halted):
    assert "HLeOs E12 too little memory: " in halted(image(), memory="1M")


def test_not_64_bit(image, halted):
    """Checked only at the end, so that all of the loader can be debugged on a 32-bit machine."""
    text = halted(image(), program="qemu-system-i386")
    assert "crc ok" in text and "HLeOs E14 no long mode" in text


def kernel(field=None, value=0, segment=None):
    """The kernel's file with one field changed, in its header or in each of its segments."""
    data = bytearray((BUILD / "hleos-stripped.elf").read_bytes())
    header = list(HEADER.unpack_from(data))
    if segment is None:
        header[field] = value
        HEADER.pack_into(data, 0, *header)
    for i in range(header[ENTRIES] if segment is not None else 0):
        at = header[TABLE] + i * SEGMENT.size
        fields = list(SEGMENT.unpack_from(data, at))
        fields[segment] = value
        SEGMENT.pack_into(data, at, *fields)
    return bytes(data)


@pytest.mark.parametrize("line, change", [
    ("E30 the kernel is not an ELF file for x86-64", {"field": MACHINE, "value": 183}),
    ("E31 a segment of the kernel lies outside its file", {"segment": OFFSET, "value": 1 << 40}),
    ("E32 the kernel has no segments, or too large ones", {"segment": TYPE}),
    ("E32 the kernel has no segments, or too large ones", {"segment": MEMORY_SIZE, "value": 1 << 29}),
    ("E33 the kernel's entry lies outside its segments", {"field": ENTRY, "value": 16}),
    ("E12 too little memory: ", {"segment": MEMORY_SIZE, "value": 200 << 20}),
])
def test_a_kernel_that_is_none(image, halted, line, change):
    """A file with a correct CRC that is not a valid kernel."""
    text = halted(image(kernel=kernel(**change)))
    assert "crc ok" in text and "HLeOs " + line in text


def test_a_text_for_a_kernel(image, halted):
    assert "HLeOs E30 " in halted(image(kernel=b"Not a kernel at all.\n" * 100))


@pytest.mark.parametrize("rom, line", [
    ("no-map", "E11 the BIOS has no memory map"),
    ("little-low", "E13 too little memory below 640 KB"),
    ("pulled-out", "E20 the disk has neither EDD nor a geometry"),
])
def test_a_bios_that_cannot(image, halted, roms, rom, line):
    assert "HLeOs " + line in halted(image(), extra=roms(rom))


@pytest.mark.parametrize("rom, line", [
    (["no-edd"], "disk: CHS"),
    (["flaky"], "disk: EDD"),
    (["flaky", "no-edd"], "disk: CHS"),
    (["no-geometry"], "disk: EDD"),
    (["edd-count"], "disk: EDD"),
    (["bpb-writer"], "disk: EDD"),
    (["old-map"], "disk: EDD"),
    (["e801-in-cx"], "disk: EDD"),
    (["a20-closed"], "A20: opened by the BIOS"),
    (["a20-closed", "a20-deaf"], "A20: opened by the keyboard controller"),
])
def test_another_way(image, qemu, roms, rom, line):
    """By geometry or without one, at the second try, by E801h, with A20 closed, with an overwritten parameter block:
    the kernel starts in each case."""
    status, text = qemu(image("test=memory"), extra=roms(*rom))
    assert line in text and "crc ok" in text and " 0 failed" in text
    assert status == GOOD


def test_a_map_that_contradicts_itself(image, qemu, roms):
    """Memory that is RAM in one entry and reserved in another is not used, neither for the kernel nor for its pages."""
    status, text = qemu(image("test=memory"), extra=roms("overlap"))
    assert "kernel at 0x9" in text and "memory: 119 MB" in text, text
    assert " 0 failed" in text and status == GOOD


def test_a_map_that_promises_memory_twice(image, qemu, roms):
    status, text = qemu(image("test=memory"), extra=roms("overlap-usable"))
    assert "memory: 127 MB" in text and " 0 failed" in text and status == GOOD, text


def address(symbol):
    names = subprocess.check_output(["nm", BUILD / "stage2.elf"], text=True).splitlines()
    return next("*0x" + line.split()[0] for line in names if line.endswith(" " + symbol))


def test_a20_that_does_not_open(image, scratch, sockets):
    """No emulated machine has such an A20 line, so the debugger answers "closed" each time that the loader checks
    it."""
    serial, server = scratch / "serial.txt", sockets / "gdb"
    machine = subprocess.Popen(qemu_command(image(), "file:%s" % serial, extra=(
        "-S", "-gdb", "unix:%s,server=on,wait=off" % server)), stdin=subprocess.DEVNULL)
    commands = ["target remote %s" % server, "hbreak " + address("a20_is_open")]
    for _ in range(4):   # before the first method, and after each
        commands += ["continue", "set $rax = 0", "set $rip = *(unsigned *)$rsp", "set $rsp = $rsp + 4"]
    commands += ["hbreak " + address("console_halt"), "continue", "info registers rip", "detach"]
    try:
        while not server.exists():
            assert machine.poll() is None
        seen = subprocess.run(["gdb", "-q", "-batch", "-l", "200", *(word for c in commands for word in ("-ex", c))],
                              check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    finally:
        machine.kill()
        machine.wait()
    assert "Breakpoint 2" in seen.stdout, seen
    assert serial.read_text(errors="replace").endswith("HLeOs E10 the A20 line does not open\n")
