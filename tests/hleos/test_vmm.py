"""The shell in the VMM, without a BIOS and a disk: where KVM is complete, or in the lab. test_matrix.py runs the
kernel's tests there.
"""
import subprocess

from tests.hleos.machines import GOOD, PANIC, TOP


def run(command_line, typed=""):
    result = subprocess.run(["lab/lab", "run", "kvm-vmm-x86/kvm-vmm", "--append", command_line,
                             "build/hleos/hleos.elf"],
                            cwd=TOP, input=typed, capture_output=True, text=True, errors="replace", timeout=300)
    return result.returncode, result.stdout


def test_shell_by_pipe(built, vmm):
    status, text = run("", "run c\nhalt\n")
    assert "C job: 2262 primes below 20000" in text and "halting" in text
    assert status == GOOD


def test_panic_has_its_status(built, vmm):
    status, text = run("", "panic\n")
    assert "KERNEL PANIC" in text and "requested at the prompt" in text
    assert status == PANIC


def test_reboot_ends_it_well(built, vmm):
    """Resets through the keyboard controller. If that failed, a triple fault would follow: status 126."""
    status, text = run("", "reboot\n")
    assert status == 0, text
