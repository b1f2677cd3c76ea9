"""Boot loaders as guests, unmodified: Debian's U-Boot in S-mode, and from it GRUB for EFI and Debian's kernel."""
import os
import struct
import subprocess

import pytest

from hvmachine import MODERN, QEMU12, TOP, command, cpio, ends_well, qemu13, spawn
from test_linux import linux  # noqa: F401

pytestmark = pytest.mark.full("U-Boot and GRUB from Debian's archive")

MANIFEST = "vm uboot cpus={cpus} mem=384M kernel=u-boot.bin base=0x80000000 load=0x80200000 entry=0x80200000 {more}\n"
START = 1 << 20  # of the partition
CHAIN = """set timeout=0
menuentry debian {
    linux /vmlinuz console=ttyS0 panic=-1 quiet test=cpus
    initrd /initrd
}
"""


def host():
    """Debian's name for this machine's architecture."""
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def unpacked(folder, suite, architecture, package):
    """A package of Debian's, unpacked."""
    deb = subprocess.run([TOP / "tools/fetch-deb", suite, architecture, package], check=True, capture_output=True,
                         text=True, stdin=subprocess.DEVNULL).stdout.split()[-1]
    subprocess.run(["dpkg-deb", "-x", deb, folder / package], check=True)
    return folder / package


@pytest.fixture(scope="module", params=["2023.01", "2025.01"])
def uboot(request, tmp_path_factory):
    """A version of U-Boot, its binary, and the emulator of the same Debian release."""
    suite, qemu = {"2023.01": ("bookworm", QEMU12), "2025.01": ("trixie", qemu13())}[request.param]
    root = unpacked(tmp_path_factory.mktemp("u-boot"), suite, host(), "u-boot-qemu")
    return request.param, root / "usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin", qemu


def test_uboot(hypervisor, uboot, tmp_path):
    """U-Boot starts, finds its devices, and powers the machine off."""
    version, binary, qemu = uboot
    initrd = cpio(tmp_path / "i", {"manifest": MANIFEST.format(cpus=1, more=""), "u-boot.bin": binary})
    child = spawn(command(qemu, hypervisor, initrd))
    child.expect(f"U-Boot {version}.*Model: mini-kvm guest\\s+DRAM:  384 MiB")
    child.expect("stop autoboot")
    child.send("\r")
    child.expect("=> ")
    child.send("fdt addr $fdtcontroladdr; fdt get value kind /soc/serial@10000000 compatible; echo it is $kind\r")
    child.expect(r"it is ns16550a\s")
    child.send("poweroff\r")
    ends_well(child)


def grub_disk(folder, menu, files):
    """A disk with one FAT partition: GRUB at EFI's default path, its menu, and files for it: name -> Path."""
    grub = unpacked(folder, "trixie", "riscv64", "grub-efi-riscv64-unsigned")
    image, size, text = folder / "disk", 64 << 20, folder / "grub.cfg"
    text.write_text(menu)
    with open(image, "wb") as out:
        out.truncate(size)
        out.seek(446)  # the first entry of the partition table: a system partition of EFI
        out.write(struct.pack("<B3sB3sII", 0x80, b"", 0xef, b"", START // 512, (size - START) // 512))
        out.seek(510)
        out.write(b"\x55\xaa")
    subprocess.run(["mkfs.vfat", "-F", "32", "--offset", str(START // 512), image, str((size - START) // 1024)],
                   check=True, stdout=subprocess.DEVNULL)
    files = {"EFI/BOOT/BOOTRISCV64.EFI": grub / "usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi",
             "EFI/debian/grub.cfg": text, **files}
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(["mmd", "-i", f"{image}@@{START}", "::EFI", "::EFI/BOOT", "::EFI/debian"], check=True, env=env)
    for name, source in files.items():
        subprocess.run(["mcopy", "-i", f"{image}@@{START}", source, f"::{name}"], check=True, env=env)
    return image


@pytest.mark.parametrize("cpus", [1, 2])
def test_uboot_grub_debian(hypervisor, uboot, linux, tmp_path, cpus):  # noqa: F811
    _, binary, qemu = uboot
    disk = grub_disk(tmp_path, CHAIN, {"vmlinuz": linux / "Image", "initrd": linux / "initrd"})
    initrd = cpio(tmp_path / "i", {"manifest": MANIFEST.format(cpus=cpus, more="disk=host:0"), "u-boot.bin": binary})
    child = spawn(command(qemu, hypervisor, initrd, harts=cpus, memory="1G", more=[
        *MODERN, "-drive", f"file={disk},format=raw,if=none,id=d",
        "-device", "virtio-blk-device,drive=d"]))
    child.expect("Hit any key to stop autoboot")
    child.expect("Booting .debian.")
    child.expect(f"cpus: nproc {cpus}\\s")
    ends_well(child)
