"""The kernel of KPTI=1, whose programs run on page tables without the kernel's memory."""
import re
import subprocess

import pexpect
import pytest

from tests.hleos.machines import BUILD, FS_SIZE, GOOD, HLEOS, LIMIT, Screen, nmi_in_abuse, qemu_command, stop_in_program
from tests.support import TOP, lab_run

SECRET = "0xffff800000100000"   # the address of the byte at 1 MB in the direct map
PROGRAMS = "test=user.system_calls_do_what_they_say"


@pytest.fixture(scope="module")
def kernels(built):
    """The files of both kernels, with and without KPTI."""
    subprocess.run(["make", "-s", "-C", HLEOS, "KPTI=1", "all"], check=True, stdin=subprocess.DEVNULL)
    return {kind: (BUILD / ("hleos%s-stripped.elf" % kind)).read_bytes() for kind in ("", "-kpti")}


def good(text, of_disks=14):
    passed = ("usertests: 20 passed", "filetests: 14 passed", "disktests: %d passed" % of_disks, "selftest: 1 passed")
    return all(words + ", 0 failed" in text for words in passed) and "lost:" not in text


def test_programs_on_several_processors(kernels, image, qemu):
    status, text = qemu(image("test=user", kernel=kernels["-kpti"]), extra=("-smp", "2"))
    assert status == GOOD and "selftest: 11 passed, 0 failed" in text and "processors: 2" in text, text


def test_programs_on_our_vmm(kernels, vmm, scratch):
    subprocess.run([BUILD / "mkimage", "--fs", str(FS_SIZE), "--out", scratch / "disk.img"], check=True,
                   stdout=subprocess.DEVNULL)
    result = lab_run(TOP / "kvm-vmm-x86/kvm-vmm", "--disk", scratch / "disk.img", "--append",
                     PROGRAMS + " disktests=quick", BUILD / "hleos-kpti.elf", limit=3600)
    assert result.status == GOOD and good(result.out.decode(errors="replace"), 13), result.out


@pytest.mark.full("a minute of Bochs")
def test_programs_on_bochs(kernels, image, bochs):
    text = bochs(image(PROGRAMS, kernel=kernels["-kpti"]))
    assert good(text), text


@pytest.mark.parametrize("kind, answer", [("", r"gpa: 0x100000\b"), ("-kpti", "Unmapped")])
def test_what_a_program_could_reach(kind, answer, kernels, image, sockets):
    """While a program computes in ring 3, the monitor looks up the kernel's memory in its page tables. An NMI still
    runs on the kernel's tables."""
    monitor = sockets / "monitor"
    command = qemu_command(image(kernel=kernels[kind]), "stdio",
                           extra=("-monitor", "unix:%s,server=on,wait=off" % monitor))
    serial = pexpect.spawn(command[0], [str(c) for c in command[1:]], timeout=LIMIT, encoding="utf-8")
    try:
        serial.expect("hleos>\x1b\\[0m ")
        screen = Screen(monitor)
        serial.send("abuse 17\r")
        stop_in_program(screen)
        assert re.search(answer, screen.do("gva2gpa " + SECRET))
        nmi_in_abuse(serial, screen)
    finally:
        serial.close(force=True)
