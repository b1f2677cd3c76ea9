"""Debian 13's unmodified kernel as a guest. Results are read from the guest's output."""
import re
import shutil

import pytest

from hvmachine import MODERN, OUT, QEMU12, command, cpio, make, run

BASE = "console=ttyS0 panic=-1 quiet"


@pytest.fixture(scope="session")
def linux(hypervisor):
    """The folder with Image and initrd; skipped without Debian's archive or the cross compiler."""
    if shutil.which("riscv64-linux-gnu-gcc") is None:
        pytest.skip("no riscv64-linux-gnu-gcc for the guest's init")
    try:
        make(str(OUT / "linux-1.cpio"), "CPUS=1")
    except AssertionError as error:
        if "cannot fetch a kernel for riscv64" in str(error):
            pytest.skip(f"no Debian kernel: {str(error)[-200:]}")
        raise
    return OUT / "linux"


@pytest.fixture(scope="session")
def linux_disk(linux):
    """The same, if the kernel has its disk driver; guests/disk.c tests disks without Linux too."""
    if "virtio_blk.ko" not in (linux / "parts/order").read_text():
        pytest.skip("the installer's kernel has no virtio_blk, and the mirror's riscv64 lists were not in order")
    return linux


def archive(path, linux, manifest, **files):
    return cpio(path, {"manifest": manifest, "Image": linux / "Image", "initrd": linux / "initrd", **files})


def guest(name, args, cpus=1, more=""):
    return f'vm {name} cpus={cpus} mem=192M kernel=Image initrd=initrd args="{BASE} {args}" {more}\n'


# test_boots_in_a_row() has two vCPUs on two harts, test_fair.py four on one and on two harts.
@pytest.mark.parametrize("cpus,harts", [(1, 1), (4, 4), (2, 1)])
def test_cpus(hypervisor, linux, tmp_path, cpus, harts):
    initrd = archive(tmp_path / "i", linux, guest("linux", "test=cpus", cpus))
    status, output = run(command(QEMU12, hypervisor, initrd, harts=harts, memory="512M"))
    assert status == 0, output[-2000:]
    assert f"cpus: nproc {cpus}\n" in output
    assert "cpus: ran %s\n" % ",".join(map(str, range(cpus))) in output
    timers = re.search(r"^ *\d+: +(.*?) +RISC-V INTC", output, re.M).group(1).split()
    assert len(timers) == cpus and all(int(t) > 0 for t in timers)


def test_with_a_vector_unit(hypervisor, linux, tmp_path):
    """Two vCPUs on one hart whose vector registers are saved and loaded at each switch."""
    initrd = archive(tmp_path / "i", linux, guest("linux", "test=cpus", 2))
    status, output = run(command(QEMU12, hypervisor, initrd, cpu="rv64,v=true"))
    assert status == 0 and "cpus: nproc 2\n" in output, output[-2000:]


def test_reboots(hypervisor, linux_disk, tmp_path):
    """A guest that reboots until the counter on its disk, which is kept over reboots, is three."""
    initrd = archive(tmp_path / "i", linux_disk, guest("linux", "test=reboot", 1, "disk=count"), count=bytes(512))
    status, output = run(command(QEMU12, hypervisor, initrd))
    assert status == 0, output[-2000:]
    assert re.findall(r"^reboot: boot (\d+)$", output, re.M) == ["1", "2", "3"], output[-2000:]


def test_boots_in_a_row(hypervisor, linux, tmp_path, soak):
    initrd = archive(tmp_path / "i", linux, guest("linux", "test=cpus", 2))
    for _ in range(soak(1, 50)):
        status, output = run(command(QEMU12, hypervisor, initrd, harts=2, memory="512M"))
        assert status == 0 and "cpus: nproc 2\n" in output, output[-2000:]


def test_disk_survives_a_boot(hypervisor, linux_disk, tmp_path):
    """Written by a legacy device, read by a modern one."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    initrd = archive(tmp_path / "i", linux_disk, guest("linux", "test=disk", 1, "disk=host:0"))
    more = ["-drive", f"file={disk},format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]
    status, first = run(command(QEMU12, hypervisor, initrd, memory="512M", more=more))
    assert status == 0 and "disk: 2048 sectors, found" in first, first[-2000:]
    assert "found written-once" not in first
    assert disk.read_bytes()[3 * 512:][:12] == b"written-once"
    status, second = run(command(QEMU12, hypervisor, initrd, memory="512M", more=[*MODERN, *more]))
    assert status == 0 and "disk: 2048 sectors, found written-once" in second, second[-2000:]


def test_two_guests_talk(hypervisor, linux, tmp_path):
    manifest = guest("one", "test=net host=1", 1, "net=lan") + guest("two", "test=net host=2", 1, "net=lan")
    initrd = archive(tmp_path / "i", linux, manifest)
    status, output = run(command(QEMU12, hypervisor, initrd, "mux=lines", harts=2, memory="768M"))
    assert status == 0, output[-3000:]
    for name in ("one", "two"):
        assert re.search(rf"^{name}: net: 3 packets transmitted, 3 packets received", output, re.M), output[-3000:]
        assert f"{name}: net: got 1000000 bytes, right" in output
