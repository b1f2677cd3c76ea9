"""The guest in the document, built and run by the documented commands."""
import subprocess

import pytest

from hvmachine import HV, OUT, QEMU12, command, cpio, run

LINES = ["ABC: hello from VS-mode",
         "memory appears where it is touched: written and read back at 0x300000",
         "an illegal instruction came back to my own trap handler",
         "a load from 0x40000000, where nothing is, did too",
         "and so did a store to my own code, which is read-only",
         "done: switching off"]


@pytest.mark.parametrize("script", ["build.sh", "run.sh"])
def test_documented_scripts(hypervisor, script):
    done = subprocess.run([str(HV / script)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=600)
    output = done.stdout.replace("\r", "").splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in output if line in LINES] == LINES


def test_demo_on_each_emulator(hypervisor, qemu):
    status, output = run(command(qemu, hypervisor, OUT / "demo.cpio"))
    assert status == 0
    assert [line for line in output.splitlines() if line in LINES] == LINES


def test_demo_without_sstc(hypervisor):
    status, output = run(command(QEMU12, hypervisor, OUT / "demo.cpio", cpu="rv64,sstc=off"))
    assert status == 0
    assert [line for line in output.splitlines() if line in LINES] == LINES


def test_traps_are_told(hypervisor, qemu):
    status, output = run(command(qemu, hypervisor, OUT / "demo.cpio", "log=trap"))
    assert status == 0
    assert "guest page fault on a store by 'sd t2, 0(t1)', gva 0x300000 gpa 0x300000 (RAM)" in output
    assert "guest page fault on a load by 'ld t3, 0(t1)', gva 0x40000000 gpa 0x40000000 (nothing)" \
        in output
    assert "call from VS-mode, SBI DBCN function 2, a0 0x41" in output


def test_manual_build_of_the_document(hypervisor, tmp_path):
    """Runs the document's compiler command, and the image that it makes."""
    elf = tmp_path / "guest.elf"
    subprocess.run(["clang", "--target=riscv64-unknown-elf", "-ffreestanding", "-nostdlib",
                    "-fuse-ld=lld", "-Wl,-eguest_boot", "-Wl,-Ttext=0x100000",
                    str(HV / "guest.S"), "-o", str(elf)], check=True)
    archive = cpio(tmp_path / "initrd", {"manifest": "vm g mem=8M kernel=guest.elf", "guest.elf": elf})
    status, output = run(command(["qemu-system-riscv64"], hypervisor, archive))
    assert status == 0 and LINES[-1] in output


DEFECTS = ["htinst is 0", "hlvx of an unmapped", "an access that PMP forbids", "a timer interrupt set in hvip",
           "hvip reads bits", "a fault in the page walk", "a hart sets A in a page"]


@pytest.mark.parametrize("version,shown", [("7.2", {0, 2, 3, 5, 6}), ("10.0", {1, 4, 6})])
def test_probe_tells_the_defects_of_this_version(hypervisor, qemu, version, shown):
    """The defects of each version were found with other programs than this."""
    told = subprocess.run([*qemu, "--version"], capture_output=True, text=True, check=True).stdout
    if f"version {version}." not in told:
        pytest.skip(told.splitlines()[0])
    status, output = run(command(qemu, hypervisor, args="--probe"))
    assert status == 0, output[-1000:]
    for number, text in enumerate(DEFECTS):
        assert f"hv:  {'shown' if number in shown else 'not shown':9}  {text}" in output, output[-1000:]
