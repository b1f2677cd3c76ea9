"""Fixtures of the tests that boot Linux in the VMM: kernels, the ramdisk of initramfs/, and a boot of both."""
import subprocess
from pathlib import Path

import pytest

from tests.support import LIMIT, TOP, lab_run, lab_terminal

RAMDISKS = TOP / "build/initramfs"


def last(limit=LIMIT):
    """The option that ends a guest that hangs with status 124, before the time limit of the whole run."""
    return "--timeout=%d" % (limit - 60)


LAST = last()


@pytest.fixture(scope="session")
def kernel():
    """kernel(NAME): the path of a kernel; NAME.elf is the vmlinux inside. Skips the test if the mirror does not have
    it."""
    def get(name):
        done = subprocess.run([TOP / "tools/kernels", name], check=False, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)
        if done.returncode:
            pytest.skip(done.stderr.strip())
        return Path(done.stdout.strip())
    return get


@pytest.fixture(scope="session")
def ramdisk():
    """ramdisk(ARCHITECTURE): the path of the initial ramdisk, built."""
    def get(architecture="amd64"):
        done = subprocess.run(["make", "-s", "-C", TOP / "initramfs", "ARCH=" + architecture], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode and architecture != "amd64":
            pytest.skip("no ramdisk for %s: %s" % (architecture, done.stderr.strip().splitlines()[0]))
        assert done.returncode == 0, done.stderr
        return RAMDISKS / architecture / "initramfs.cpio"
    return get


class Linux:
    """Boots kernels in the VMM. `run` is a command for the guest's shell; without it there is a shell to type at."""

    def __init__(self, vmm, kernel, ramdisk):
        self.vmm, self.kernel, self.ramdisk = vmm, kernel, ramdisk

    def command(self, name="cloud", *options, run=None, append="quiet", memory="256M", limit=LIMIT):
        initrd = self.ramdisk("i386" if name.startswith("i686") else "amd64")
        line = append + (' run="%s"' % run if run else "")
        return [self.vmm.program, last(limit), "-m", memory, "--initrd", initrd, "--append", line, *options,
                self.kernel(name)]

    def boot(self, *args, stdin=b"", **named):
        return lab_run(*self.command(*args, **named), stdin=stdin)

    def terminal(self, *args, env=None, **named):
        return lab_terminal(*self.command(*args, **named), env=env)


@pytest.fixture(scope="session")
def linux(vmm, kernel, ramdisk):
    return Linux(vmm, kernel, ramdisk)
