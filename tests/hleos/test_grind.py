"""Random operations of a program, on three machines at the same time, each with a disk: for 15 s, with FULL=1 for a
minute, in soak for ten."""
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import FULL
from tests.hleos.machines import BUILD, FS_SIZE, GOOD, LIMIT, TOP, qemu_command
from tests.support import lab_run


def test_grind(image, bochs, vmm, scratch, soak):
    """QEMU has two processors, and so has our VMM."""
    seconds = soak(60 if FULL else 15, 600)
    limit = LIMIT + 10 * seconds
    command_line = "test=user.random_operations_break_nothing grind=%d" % seconds
    disk = image(command_line)
    shutil.copy(disk, scratch / "qemu.img")
    disks = {"QEMU": scratch / "qemu.img", "Bochs": disk, "VMM": scratch / "vmm.img"}
    subprocess.run([BUILD / "mkimage", "--fs", str(FS_SIZE), "--out", disks["VMM"]], check=True,
                   stdout=subprocess.DEVNULL)

    def on_qemu():
        serial = scratch / "qemu.txt"
        command = qemu_command(disks["QEMU"], "file:%s" % serial, extra=("-smp", "2"))
        status = subprocess.run(command, timeout=limit, stdin=subprocess.DEVNULL, check=False).returncode
        return status, serial.read_text(errors="replace")

    def on_bochs():
        return GOOD, bochs(disk, limit=4 * limit)

    def on_our_vmm():
        result = lab_run(TOP / "kvm-vmm-x86/kvm-vmm", "-m", "64M", "-c", "2", "--disk", disks["VMM"],
                         "--append", command_line, BUILD / "hleos.elf", limit=limit)
        return result.status, result.out.decode(errors="replace")

    with ThreadPoolExecutor() as pool:
        runs = {name: pool.submit(run) for name, run in (("QEMU", on_qemu), ("Bochs", on_bochs), ("VMM", on_our_vmm))}
        for name, run in runs.items():
            status, text = run.result()
            assert status == GOOD and "selftest: 1 passed, 0 failed" in text, "%s:\n%s" % (name, text)
            assert len(re.findall(r"grind: \d+ operations\r?$", text, re.M)) == 2, "%s:\n%s" % (name, text)
            whole = subprocess.run([BUILD / "fsck", disks[name]], capture_output=True, text=True, check=False)
            assert whole.returncode == 0 and ": whole: 0 files, 1 directories, 0 devices, 0 without" in whole.stdout, \
                "%s: %s%s" % (name, whole.stdout, whole.stderr)
