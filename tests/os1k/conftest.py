"""The 1K OS on two independent machines: the VMM, and QEMU, which starts kernel.elf."""
import os
import subprocess
import threading

import pexpect
import pytest

from tests.support import LIMIT, PATIENT, TOP, Result, finish, lab_run, lab_terminal

FOLDER = TOP / "kvm-vmm-x86/os-1k"
VMM = TOP / "kvm-vmm-x86/kvm-vmm"
PROMPT = b"1k> "
CTRL_D = b"\x04"


class OnVmm:
    """kernel.bin in the VMM, which passes the end of input to the guest."""

    name = "vmm"

    def command(self, options=(), append=None):
        return [VMM, "-p", *options, *(["--append", append] if append else []), FOLDER / "kernel.bin"]

    def run(self, text, limit=LIMIT, **options):
        return lab_run(*self.command(**options), stdin=text, limit=limit)

    def terminal(self, **options):
        return lab_terminal(*self.command(**options), env=PATIENT)


class OnQemu:
    """kernel.elf in QEMU, emulated. QEMU does not pass on a pipe's end, so an end character is typed."""

    name = "qemu"

    def command(self, cpu="max", append=None, monitor=None):
        return ["qemu-system-i386", "-cpu", cpu, "-m", "64", "-nodefaults", "-display", "none", "-no-reboot",
                "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
                "-device", "isa-debug-exit,iobase=0xf4", "-kernel", str(FOLDER / "kernel.elf"),
                *(["-append", append] if append else []),
                *(["-monitor", "unix:%s,server=on,wait=off" % monitor] if monitor else [])]

    def run(self, text, limit=LIMIT, **options):
        process = subprocess.Popen(self.command(**options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        limit_of_all = threading.Timer(limit, process.kill)  # until_prompt() has no limit
        limit_of_all.start()
        try:
            seen = self.until_prompt(process)  # input before the UART is set up would be lost
            out, err = process.communicate(text + CTRL_D + CTRL_D)
        finally:
            limit_of_all.cancel()
            process.kill()
        return Result(subprocess.CompletedProcess([], process.returncode, seen + out, err))

    @staticmethod
    def until_prompt(process):
        seen = b""
        while not seen.endswith(PROMPT):
            some = os.read(process.stdout.fileno(), 4096)
            if not some:
                break
            seen += some
        return seen

    def terminal(self, **options):
        return pexpect.spawn(self.command(**options)[0], self.command(**options)[1:], timeout=LIMIT / 2)


@pytest.fixture(scope="session", autouse=True)
def built():
    subprocess.run(["make", "-s", "-C", FOLDER], check=True, stdin=subprocess.DEVNULL)
    subprocess.run(["make", "-s", "-C", VMM.parent, "vmm"], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session", params=[OnVmm, OnQemu], ids=lambda kind: kind.name)
def machine(request):
    return request.param()


@pytest.fixture(scope="session")
def qemu():
    return OnQemu()


@pytest.fixture(scope="session")
def on_vmm():
    return OnVmm()


@pytest.fixture
def terminal(machine):
    """A session at the first prompt. The test ends it with `leave`."""
    session = machine.terminal()
    session.expect_exact(PROMPT)
    yield session
    session.close(force=True)


def leave(session):
    session.send(CTRL_D)
    return finish(session)
