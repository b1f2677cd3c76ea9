"""What comes to a program's mind, for a minute and, in soak, for ten, on three machines at once."""
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.hleos.machines import BUILD, GOOD, TOP, qemu_command
from tests.support import lab_run


def test_grind(image, bochs, vmm, scratch, soak):
    """QEMU has two processors, and so has our VMM."""
    seconds = soak(60, 600)
    limit = 600 + 10 * seconds
    command_line = "test=user.random_deeds_break_nothing grind=%d" % seconds
    disk = image(command_line)
    shutil.copy(disk, scratch / "qemu.img")

    def on_qemu():
        serial = scratch / "qemu.txt"
        command = qemu_command(scratch / "qemu.img", "file:%s" % serial, extra=("-smp", "2"))
        status = subprocess.run(command, timeout=limit, stdin=subprocess.DEVNULL, check=False).returncode
        return status, serial.read_text(errors="replace")

    def on_bochs():
        return GOOD, bochs(disk, limit=limit)

    def on_our_vmm():
        result = lab_run(TOP / "kvm-vmm-x86/kvm-vmm", "-m", "64M", "-c", "2", "--append", command_line,
                         BUILD / "hleos.elf", limit=limit)
        return result.status, result.out.decode(errors="replace")

    with ThreadPoolExecutor() as pool:
        runs = {name: pool.submit(run) for name, run in (("QEMU", on_qemu), ("Bochs", on_bochs), ("VMM", on_our_vmm))}
        for name, run in runs.items():
            status, text = run.result()
            assert status == GOOD and "selftest: 1 passed, 0 failed" in text, "%s:\n%s" % (name, text)
            assert text.count(" deeds") == 2, "%s:\n%s" % (name, text)
