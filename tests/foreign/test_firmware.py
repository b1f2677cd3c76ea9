"""Firmware at the reset vector: SeaBIOS and qboot from Debian's QEMU, which boot disks and kernels."""
import struct

import pytest

from tests.foreign.conftest import BY_SERIAL, grub, reaches, shows, unpacked
from tests.linux.conftest import LAST, kernel, linux, ramdisk  # noqa: F401  (fixtures)

SEABIOS = "/usr/share/seabios/%s.bin"
GRUB = "/usr/lib/grub/i386-pc"
ROM = "genroms/linuxboot_dma.bin=/usr/share/qemu/linuxboot_dma.bin"  # QEMU's: boots the kernel in fw_cfg


@pytest.fixture
def boot_sector(vmm, scratch):
    disk = scratch / "disk.img"
    disk.write_bytes(vmm.guest("boot_sector").read_bytes().ljust(1 << 20, b"\0"))
    return disk


def firmware(vmm, *args):
    return vmm.run(LAST, "--bios", *args)


def test_an_image_of_our_own(vmm):
    """The state at the reset vector, checked by an image of this project."""
    result = firmware(vmm, vmm.guest("firmware"), "-m", "32M")
    assert (result.status, result.out) == (33, b"32 bits\n32 MB\nPCI host\nROM and RAM\n"), result


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
                        ([SEABIOS % "bios", "-p"], "remove --real-mode, -p or -l"),
                        ([SEABIOS % "bios", "--initrd", odd], "needs a kernel"),
                        ([SEABIOS % "bios", boot_sector], "only Linux kernels (bzImage)"),
                        ([SEABIOS % "bios", "-m", "1M"], "at least 16M")]:
        result = firmware(vmm, *args)
        assert result.status == 125 and words in result.err and len(result.err.splitlines()) == 1, result


def test_qboot_starts_linux(vmm, linux):  # noqa: F811
    """With two vCPUs and power-off, both from the ACPI tables."""
    command = linux.command("cloud", "--bios", "/usr/share/qemu/qboot.rom", "-c", "2", run="nproc")
    result = vmm.run(*command[1:])
    assert result.status == 0 and b"\n2\r\ninit: status 0" in result.out and b"Power down" in result.out, result


@pytest.mark.full("GRUB for a BIOS")
@pytest.mark.parametrize("image, pause", [("bios", "sleep 1\n"), ("bios-microvm", "")])
def test_a_disk_with_grub(vmm, scratch, image, pause):
    """Debian's bios-microvm has no hardware interrupts, so its clock does not advance."""
    core = grub(scratch, "i386-pc", BY_SERIAL + "echo GRUB runs\n" + pause + "reboot\n", "biosdisk", "serial",
                "terminal", "echo", "sleep", "reboot")
    with open(GRUB + "/boot.img", "rb") as file:
        disk = bytearray(file.read(510) + b"\x55\xaa" + core.read_bytes())
    sectors = (len(disk) - 1024 + 511) // 512  # as grub-bios-setup writes it: the place of the rest of the core
    struct.pack_into("<QHH", disk, 512 + 0x1f4, 2, sectors, 0x820)
    (scratch / "disk.img").write_bytes(disk.ljust(2 << 20, b"\0"))
    result = firmware(vmm, SEABIOS % image, "--disk", scratch / "disk.img")
    assert result.status == 0 and b"GRUB runs" in result.out, result


@pytest.mark.full("GRUB's rescue disk from Debian's archive")
def test_grub_rescue(vmm, scratch):
    """GRUB reaches its menu, which it prints through the BIOS."""
    image = unpacked(scratch, "grub-rescue-pc") / "usr/lib/grub-rescue/grub-rescue-cdrom.iso"
    reaches(vmm, "--bios", SEABIOS % "bios-256k", "--disk", "%s,ro" % image, words=["Welcome to GRUB!", "GNU/Linux"])


@pytest.mark.full("iPXE from Debian's archive")
def test_ipxe(vmm, scratch):
    """iPXE from a disk image by ISOLINUX, and as a kernel by QEMU's option ROM: both find the network card and get a
    lease."""
    root = unpacked(scratch, "ipxe")
    for more in (["--disk", "%s,ro" % (root / "usr/lib/ipxe/ipxe.iso")], ["--fw-cfg", ROM, root / "boot/ipxe.lkrn"]):
        reaches(vmm, "--bios", SEABIOS % "bios-256k", "--net", "user", *more, words=[
            "iPXE initialising devices", "using virtio-net on 0000:00:0", "net0: 10.0.2.15/255.255.255.0"])


@pytest.mark.full("memdisk from Debian's archive")
def test_memdisk(vmm, scratch):
    """A kernel with an old boot protocol makes a floppy disk from its ramdisk, and boots it."""
    floppy = scratch / "floppy.img"
    floppy.write_bytes(vmm.guest("boot_sector").read_bytes().ljust(1440 << 10, b"\0"))
    image = unpacked(scratch, "syslinux-common") / "usr/lib/syslinux/memdisk"
    result = firmware(vmm, SEABIOS % "bios-256k", "--fw-cfg", ROM, "--initrd", floppy, image)
    assert result.status == 0 and b"by int 0x10, 0x0000" in result.out, result
    result = vmm.run(image)
    assert result.status == 125 and "boot protocol 2.03" in result.err, result


@pytest.mark.full("memtest86+ from Debian's archive")
@pytest.mark.parametrize("name", ["x64", "ia32"])
def test_memtest(vmm, scratch, name):
    """It tests the memory: started as a kernel it prints on the serial port, from its disk on the screen."""
    root = unpacked(scratch, "memtest86+")
    reaches(vmm, "-m", "64M", "--append", "console=ttyS0,115200", root / ("boot/memtest86+%s.bin" % name),
            words=["Memtest86+", "Testing"])
    shows(vmm, "-m", "64M", "--bios", SEABIOS % "bios-256k", "--disk",
          "%s,ro" % (root / ("usr/lib/memtest86+/memtest86+%s.iso" % name)), word="Status: Testing")
