"""The hypervisor with other boot loaders than OpenSBI, and on other boards than QEMU's virt."""
import subprocess

import pytest

from hvmachine import MODERN, OUT, archive_of, command, cpio, ends_well, is_old, qemu13, run, spawn
from test_boot_loaders import grub_disk, host, unpacked, uboot  # noqa: F401
from test_demo import LINES
from test_linux import BASE, linux  # noqa: F401
from tests.conftest import SOAK


def demo_ran(status, output):
    assert status == 0 and [line for line in output.splitlines() if line in LINES] == LINES, output[-1500:]


@pytest.mark.parametrize("at", [0x84000000, 0x8a345000])
def test_anywhere_in_memory(hypervisor, qemu, tmp_path, at):
    """The flat image runs at any page; code at the usual address jumps there."""
    (tmp_path / "jump.S").write_text(f".globl _start\n_start: li t0, {at:#x}\n jr t0\n")
    subprocess.run(["clang", "--target=riscv64-unknown-elf", "-march=rv64ima", "-nostdlib", "-fuse-ld=lld",
                    "-Wl,-N", "-Wl,-Ttext=0x80200000", tmp_path / "jump.S", "-o", tmp_path / "jump"], check=True)
    more = ["-device", f"loader,file={OUT / 'Image'},addr={at:#x},force-raw=on"]
    demo_ran(*run(command(qemu, tmp_path / "jump", OUT / "demo.cpio", harts=2, more=more)))


def spike(qemu, initrd, hypervisor, **options):
    """No PLIC, ns16550, virtio, clock or seed; OpenSBI 1.6 assumes Sstc unless the device tree says otherwise."""
    line = command(qemu, hypervisor, initrd, cpu="rv64" if is_old(qemu) else "rv64,sstc=off", **options)
    line[line.index("virt")] = "spike"
    return line


def test_spike(hypervisor, qemu, tmp_path):
    """Input and output by the firmware's console. OpenSBI 1.1 cannot power off through QEMU 7.2's HTIF."""
    guests = {"far": ("far", {"START": "0x80400000ul", "END": "0x80800000ul", "STEP": "0x10000ul", "TREE": "0x8000ul"},
                      {"mem": "8M", "cpus": 2})}
    child = spawn(spike(qemu, archive_of(tmp_path, guests), hypervisor, harts=2))
    child.expect(r"far: \d+ marks from")
    child.send("x")  # the guest waits for it
    child.expect(r"far: done: \d+ met, 0 missed")
    if is_old(qemu):
        child.close(force=True)
    else:
        ends_well(child)


@pytest.mark.skipif(not SOAK, reason="minutes, for the firmware's console is slow: make soak")
def test_spike_with_linux(hypervisor, linux, qemu, tmp_path):  # noqa: F811
    manifest = f'vm linux cpus=2 mem=192M kernel=Image initrd=initrd args="{BASE} test=cpus"\n'
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "Image": linux / "Image", "initrd": linux / "initrd"})
    child = spawn(spike(qemu, initrd, hypervisor, harts=2))
    child.expect("cpus: nproc 2\\s", timeout=3000)
    child.close(force=True)


def demo_by_loader(child):
    child.expect("hv: 2 harts")
    child.expect("guest page fault on a store by 'sd t2")
    ends_well(child)


@pytest.mark.full("U-Boot from Debian's archive")
@pytest.mark.parametrize("how", ["booti", "bootefi"])
def test_by_u_boot(hypervisor, uboot, how):  # noqa: F811
    """booti loads the flat image like Linux's, with an initrd, arguments, and its own device tree; bootefi loads it as
    an EFI application."""
    _, binary, qemu = uboot
    initrd, image = OUT / "demo.cpio", OUT / "Image"
    files = [f"loader,file={image},addr=0x84000000,force-raw=on",
             f"loader,file={initrd},addr=0x88000000,force-raw=on"]
    child = spawn(command(qemu, binary, harts=2, more=[word for file in files for word in ("-device", file)]))
    child.expect("stop autoboot")
    child.send("\r")
    size = initrd.stat().st_size
    commands = {"booti": [f"booti 0x84000000 0x88000000:{size:x} $fdtcontroladdr"],
                "bootefi": ["fdt move $fdtcontroladdr $fdt_addr_r 0x10000",
                            "fdt set /chosen linux,initrd-start <0x88000000>",
                            f"fdt set /chosen linux,initrd-end <0x{0x88000000 + size:x}>",
                            f"bootefi 0x84000000:{image.stat().st_size:x} $fdt_addr_r"]}
    for line in ["setenv bootargs log=trap", *commands[how]]:
        child.expect("=> ")
        child.send(f"{line}\r")
    demo_by_loader(child)


MENU = """set timeout=0
menuentry hypervisor {
    linux /Image log=trap
    initrd /guests.cpio
}
"""


@pytest.mark.full("U-Boot and GRUB from Debian's archive")
def test_by_grub(hypervisor, uboot, tmp_path):  # noqa: F811
    """EFI loads GRUB, and GRUB the hypervisor with its archive."""
    _, binary, qemu = uboot
    disk = grub_disk(tmp_path, MENU, {"Image": OUT / "Image", "guests.cpio": OUT / "demo.cpio"})
    child = spawn(command(qemu, binary, harts=2, more=[*MODERN, "-drive", f"file={disk},format=raw,if=none,id=d",
                                                       "-device", "virtio-blk-device,drive=d"]))
    child.expect("Booting .hypervisor.")
    demo_by_loader(child)


@pytest.mark.full("EDK2 from Debian's archive")
def test_by_edk2(hypervisor, tmp_path):
    """The machine's firmware is EDK2, which loads the files of `-kernel` and `-initrd`."""
    firmware = unpacked(tmp_path, "trixie", host(), "qemu-efi-riscv64") / "usr/share/qemu-efi-riscv64"
    line = command(qemu13(), OUT / "Image", OUT / "demo.cpio", "log=trap", harts=2)
    line[line.index("virt")] = "virt,acpi=off,pflash0=code,pflash1=vars"
    for name in ("code", "vars"):
        line += ["-blockdev", f"node-name={name},driver=file,filename={firmware}/RISCV_VIRT_{name.upper()}.fd," +
                 f"read-only={'on' if name == 'code' else 'off'}"]
    demo_by_loader(spawn(line))
