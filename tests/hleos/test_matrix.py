"""The kernel's own tests on every machine, booted from a disk, a floppy or the kernel's file."""
import subprocess

import pytest

from tests.hleos.machines import BUILD, FS_SIZE, GOOD, PANIC, qemu_command
from tests.support import TOP, lab_run

TESTS = 65       # the kernel's tests
OF_DISKS = 4     # those that need a disk with a file system
OF_SEVERAL = 3   # those that need several processors
MANY, FEW = 30000, 10000   # operations of the stress
APIC = ["interrupts: APIC", "by the HPET, tick by the local APIC"]
PIC = ["acpi: no tables", "interrupts: PIC", "by the PIT, tick by the PIT"]
VMM = ["loaded by kvm-vmm", "interrupts: APIC", "by the PIT, tick by the local APIC"]   # it has no HPET
FLOPPY = 1474560

# Each machine's options, and what the kernel must print about it.
QEMU = {
    "QEMU, 32 MB": ({"memory": "32M"}, APIC),
    "QEMU, 512 MB and 2 CPUs": ({"memory": "512M", "extra": ("-smp", "2")}, APIC),
    "QEMU, 5 GB and 4 CPUs": ({"memory": "5G", "extra": ("-smp", "4")}, APIC),
    "QEMU, 64 GB": ({"memory": "64G"}, APIC),
    "QEMU, q35": ({"extra": ("-machine", "q35")}, APIC),
    "QEMU without ACPI and HPET": ({"extra": ("-machine", "pc,acpi=off,hpet=off")}, PIC),
    "QEMU without NX": ({"cpu": "max,-nx"}, APIC),
}
# The number of tests that do not apply: without NX, without SMEP and SMAP, with ticks from the reference timer, with an
# AHCI disk.
LEFT_OUT = {"QEMU, q35": OF_DISKS, "QEMU without ACPI and HPET": 1, "QEMU without NX": 1, "Bochs": 1}
SEVERAL = {"QEMU, 512 MB and 2 CPUs": 2, "QEMU, 5 GB and 4 CPUs": 4, "Bochs": 2, "kvm-vmm, 5 GB, 4 vCPUs and a disk": 4}
BOCHS = "cpu: count=2, model=corei5_lynnfield_750, ips=50000000"
OURS = {"kvm-vmm": [], "kvm-vmm, 5 GB, 4 vCPUs and a disk": ["-m", "5G", "-c", "4"]}
# From a disk on each machine with a BIOS; from a floppy, which is read by CHS, on two machines, as memory and
# processors make no difference (q35 has no floppy controller); the kernel's file on the VMM, the only machine that
# loads one.
SLOW = pytest.mark.full("minutes on a slow machine")
CELLS = [*(("disk", machine) for machine in QEMU), pytest.param("disk", "QEMU on KVM", marks=SLOW),
         pytest.param("disk", "Bochs", marks=SLOW),
         ("floppy", "QEMU, 32 MB"), ("floppy", "QEMU without ACPI and HPET"),
         *(("kernel file", machine) for machine in OURS)]


def judge(text, found, left_out=0):
    """Checks that every test has passed, that only those that do not apply were skipped, and that the machine is the
    intended one."""
    failed = [line for line in text.splitlines() if "FAILED" in line or "does not hold" in line]
    assert not failed, text
    rest = ", %d left out" % left_out if left_out else ""
    assert text.strip().splitlines()[-1] == "selftest: %d passed, 0 failed%s" % (TESTS - left_out, rest), text
    assert all(words in text for words in found), text


def empty_disk(scratch):
    subprocess.run([BUILD / "mkimage", "--fs", str(FS_SIZE), "--out", scratch / "disk.img"], check=True,
                   stdout=subprocess.DEVNULL)
    return scratch / "disk.img"


def run_disk(machine, disk, floppy, fixtures):
    qemu, bochs, scratch = fixtures
    if machine == "Bochs":
        return GOOD, bochs(disk, lines=(BOCHS,)), ["interrupts: APIC"]
    if machine == "QEMU on KVM":
        serial = scratch / "serial.txt"
        # A virtio disk: with an ATA disk each word is an exit, which takes minutes on an emulated KVM.
        command = qemu_command(disk, "file:%s" % serial, accelerator="kvm", interface="virtio")
        return lab_run(*command, limit=3600).status, serial.read_text(errors="replace"), ["interrupts: APIC"]
    options, found = QEMU[machine]
    if floppy:
        options = {**options, "extra": (*options.get("extra", ()), "-fda", disk)}
    return *qemu(disk, **options), found


@pytest.mark.parametrize("kind, machine", CELLS)
def test_matrix(kind, machine, image, qemu, bochs, scratch, request):
    if kind == "kernel file":
        request.getfixturevalue("vmm")
        more = [] if machine == "kvm-vmm" else ["--disk", empty_disk(scratch)]
        result = lab_run(TOP / "kvm-vmm-x86/kvm-vmm", *OURS[machine], *more, "--append",
                         "test=all stress=%d disktests=quick" % FEW, BUILD / "hleos.elf", limit=3600)
        status, text, found = result.status, result.out.decode(errors="replace"), VMM
    else:
        count = FEW if machine in ("Bochs", "QEMU on KVM") else MANY
        disk = image("test=all stress=%d" % count, FLOPPY if kind == "floppy" else 0)
        status, text, found = run_disk(machine, disk, kind == "floppy", (qemu, bochs, scratch))
        found = [*found, "disk: CHS" if kind == "floppy" else "disk: EDD", "crc ok"]
    found = [*found, "processors: %d" % SEVERAL.get(machine, 1)]
    judge(text, found, LEFT_OUT.get(machine, 0) + (0 if kind == "disk" or "a disk" in machine else OF_DISKS) +
          (0 if machine in SEVERAL else OF_SEVERAL))
    assert status == GOOD


def test_sixteen_processors(image, qemu):
    """One processor more than the maximum: it is not started."""
    status, text = qemu(image("test=processors"), extra=("-smp", "17"))
    assert "processors: 16\n" in text and "selftest: 4 passed, 0 failed" in text and status == GOOD, text


@pytest.mark.full("minutes of Bochs with eight processors, its most")
def test_eight_processors_on_bochs(image, bochs):
    text = bochs(image("test=processors"), lines=("cpu: count=8, model=corei5_lynnfield_750, ips=50000000",))
    assert "processors: 8\n" in text.replace("\r", "") and "selftest: 4 passed, 0 failed" in text, text


def test_no_more_processors_than_asked_for(image, qemu):
    status, text = qemu(image("test=processors cpus=2"), extra=("-smp", "4"))
    assert "processors: 2\n" in text and "selftest: 4 passed, 0 failed" in text and status == GOOD, text


def test_sleep_is_exact_in_virtual_time(image, qemu):
    status, text = qemu(image("test=time time=exact"), extra=("-icount", "shift=0,sleep=off"))
    assert "selftest: 5 passed, 0 failed" in text and status == GOOD


def test_firmware_that_leaves_the_x2apic_on(image, bochs, roms):
    """An option ROM turns the x2APIC on, as the firmware of large machines does. Then the registers are MSRs."""
    rom = roms("x2apic-on")[1]
    text = bochs(image("test=time"), lines=("cpu: model=corei7_haswell_4770, ips=50000000",
                                            "optromimage1: file=%s, address=0xd0000" % rom))
    assert "interrupts: APIC (x2APIC and I/O)" in text and "tick by the local APIC" in text, text
    assert "selftest: 5 passed, 0 failed" in text, text


def test_a_million_operations(image, qemu, soak):
    status, text = qemu(image("test=stress stress=%d" % soak(1000000, 10000000)))
    assert "selftest: 1 passed, 0 failed" in text and status == GOOD


def test_a_test_that_does_not_exist_fails(image, qemu):
    status, text = qemu(image("test=nonsense"))
    assert "selftest: 0 passed, 0 failed" in text
    assert status == 35
    assert status != PANIC
