"""Firmware at the reset vector: SeaBIOS and qboot, as Debian's QEMU brings them, with disks and kernels behind them."""
import struct
import subprocess

import pytest

from tests.linux.conftest import kernel, linux, ramdisk  # noqa: F401  (fixtures)
from tests.support import TOP

SEABIOS = "/usr/share/seabios/%s.bin"
GRUB = "/usr/lib/grub/i386-pc"


@pytest.fixture
def boot_sector(vmm, scratch):
    disk = scratch / "disk.img"
    disk.write_bytes(vmm.guest("boot_sector").read_bytes().ljust(1 << 20, b"\0"))
    return disk


def firmware(vmm, *args):
    return vmm.run("--timeout", "200", "--bios", *args)


@pytest.mark.parametrize("image, bus, found", [("bios-microvm", "mmio", "virtio-blk-mmio at 0xd0000000"),
                                               ("bios-256k", "default", "found virtio-blk at 00:01.0")])
def test_a_boot_sector(vmm, boot_sector, scratch, image, bus, found):
    result = firmware(vmm, SEABIOS % image, "--disk", boot_sector, "--debugcon", scratch / "debug", "--virtio", bus)
    assert result.status == 0 and b"Booting from Hard Disk...\r\nby int 0x10" in result.out, result
    assert found in (scratch / "debug").read_text()


def test_refusals(vmm, scratch, boot_sector):
    odd = scratch / "odd"
    odd.write_bytes(bytes(5000))
    large = scratch / "large"
    large.write_bytes(bytes(512 << 10))
    for args, words in [([odd], "a multiple of 4K"), ([large], "at most 256K"),
                        ([SEABIOS % "bios", "-p"], "without a mode option"),
                        ([SEABIOS % "bios", "--initrd", odd], "goes with a kernel"),
                        ([SEABIOS % "bios", boot_sector], "only Linux kernels (bzImage)"),
                        ([SEABIOS % "bios", "-m", "1M"], "at least 16M")]:
        result = firmware(vmm, *args)
        assert result.status == 125 and words in result.err and len(result.err.splitlines()) == 1, result


def test_qboot_starts_linux(vmm, linux):  # noqa: F811
    """With two vCPUs and a way to switch itself off, which the ACPI tables tell of."""
    command = linux.command("cloud", "--bios", "/usr/share/qemu/qboot.rom", "-c", "2", run="nproc")
    result = vmm.run(*command[1:])
    assert result.status == 0 and b"\n2\r\ninit: status 0" in result.out and b"Power down" in result.out, result


@pytest.mark.full("GRUB for a BIOS")
def test_a_disk_with_grub(vmm, scratch):
    words, core = scratch / "words.cfg", scratch / "core.img"
    words.write_text("serial --unit=0\nterminal_output serial\necho GRUB runs\nsleep 1\nreboot\n")
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-p", "/", "-c", words, "-o", core, "biosdisk", "serial",
                    "terminal", "echo", "sleep", "reboot"], check=True)
    with open(GRUB + "/boot.img", "rb") as file:
        disk = bytearray(file.read(510) + b"\x55\xaa" + core.read_bytes())
    sectors = (len(disk) - 1024 + 511) // 512  # as grub-bios-setup writes it: where the rest of the core is
    struct.pack_into("<QHH", disk, 512 + 0x1f4, 2, sectors, 0x820)
    image = scratch / "disk.img"
    image.write_bytes(disk.ljust(2 << 20, b"\0"))
    result = firmware(vmm, SEABIOS % "bios-256k", "--disk", image)
    assert result.status == 0 and b"GRUB runs" in result.out, result


def unpacked(folder, package):
    """A package of Debian's, unpacked."""
    deb = subprocess.run([TOP / "tools/fetch-deb", "bookworm", "amd64", package], check=True, capture_output=True,
                         text=True, stdin=subprocess.DEVNULL).stdout.split()[-1]
    subprocess.run(["dpkg-deb", "-x", deb, folder / package], check=True)
    return folder / package


def runs_until(session, *words):
    """The guest prints these, one after the other, and is stopped."""
    for word in words:
        session.expect_exact(word)
    session.close(force=True)


@pytest.mark.full("iPXE from Debian's archive")
def test_ipxe(vmm, scratch):
    """From a disk image by ISOLINUX, and as a kernel by QEMU's option ROM: both find the network card and a lease."""
    root = unpacked(scratch, "ipxe")
    rom = "genroms/linuxboot_dma.bin=/usr/share/qemu/linuxboot_dma.bin"
    for more in (["--disk", "%s,ro" % (root / "usr/lib/ipxe/ipxe.iso")], ["--fw-cfg", rom, root / "boot/ipxe.lkrn"]):
        runs_until(vmm.terminal("--timeout", "200", "--bios", SEABIOS % "bios-256k", "--net", "user", *more),
                   "iPXE initialising devices", "using virtio-net on 0000:00:0", "net0: 10.0.2.15/255.255.255.0")


@pytest.mark.full("memtest86+ from Debian's archive")
@pytest.mark.parametrize("name", ["x64", "ia32"])
def test_memtest(vmm, scratch, name):
    """It tests its memory, without firmware, and says so on the serial port."""
    image = unpacked(scratch, "memtest86+") / ("boot/memtest86+%s.bin" % name)
    runs_until(vmm.terminal("--timeout", "200", "-m", "64M", "--append", "console=ttyS0,115200", image),
               "Memtest86+", "Testing")
