"""Debian's kernels from 5.10 to the newest: cloud, generic, real time. FULL=1 boots each; `make soak` with one and two
vCPUs and each entry. Also kexec and suspend."""
import re
import shlex
import subprocess

import pytest

from tests.conftest import SOAK
from tests.support import SHADOW, TOP, lab_run

KERNELS = ["debian11", "debian11-generic", "rt", "backports", "debian13-generic", "newest", "i686-pae"]
ENTRIES = {"own": [], "decompressor": ["--kernel-entry", "32"], "pvh": ["--kernel-entry", "pvh"]}
MATRIX = [(name, cpus, entry) for name in KERNELS + ["cloud", "generic", "debian13", "i686"] for cpus in (1, 2)
          for entry in ENTRIES if (name, entry) != ("i686", "pvh")]  # Debian built this one without PVH

ONCE = [(name, 1 if name == "i686-pae" else 2, "own") for name in KERNELS]  # without nested paging two are slow

# Status 0 if the kernel printed no warning. A 32-bit kernel clears a part of XCR0, which QEMU's SVM does not report to
# KVM (docs/lab.md).
NO_WARNING = "! dmesg | grep 'cut [h]ere'"
NO_WARNING_32 = "! dmesg | grep -A1 'cut [h]ere' | grep -v -e 'cut [h]ere' -e '^--$' -e 'XSAVE consistency problem'"


@pytest.mark.full("kernels of four releases")
@pytest.mark.parametrize("name, cpus, entry", MATRIX if SOAK else ONCE)
def test_a_kernel(linux, name, cpus, entry):
    """It idles for a while and powers off. A 32-bit kernel with PAE runs in a machine of the lab that supports it."""
    env = SHADOW if name == "i686-pae" else None
    command = linux.command(name, "-c", cpus, "--timeout=800", *ENTRIES[entry], memory="512M",
                            run="nproc; sleep 1; " + (NO_WARNING_32 if name.startswith("i686") else NO_WARNING))
    result = lab_run(*command, limit=900, env=env)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and re.search(r"^%d$" % cpus, text, re.M) and "init: status 0" in text, result


@pytest.fixture
def second(linux, scratch):
    """second(RUN): an option that adds a kernel that kexec.c starts, with a command for its init."""
    def make(run, more=""):
        root = scratch / "root"
        root.mkdir()
        subprocess.run(["gcc", "-static", "-O1", "-o", root / "kexec", TOP / "tests/linux/kexec.c"], check=True)
        (root / "kernel").write_bytes(linux.kernel("cloud").read_bytes())
        (root / "ramdisk").write_bytes(linux.ramdisk().read_bytes())
        (root / "line").write_text('quiet console=ttyS0 %s run="%s"' % (more, run))
        subprocess.run("find . | cpio --quiet -o -H newc > ../second.cpio", shell=True, cwd=root, check=True)
        return "--initrd", scratch / "second.cpio"
    return make


@pytest.mark.full("a kernel that starts another")
def test_kexec(linux, second):
    result = linux.boot("cloud", "-c", 2, *second("echo the sec'on'd of $(nproc)"), memory="512M", run="/kexec")
    assert result.status == 0 and b"\nthe second of 2\r\n" in result.out and b"init: status 0" in result.out, result


@pytest.mark.full("a kernel that starts another")
def test_kdump(linux, second):
    """The kernel panics, and the crash kernel finds the memory of the first. The second kernel uses one CPU: if it
    started the other, its INIT could reset the CPU on which it runs."""
    look = second("head -c 4 /proc/vmcore | tail -c 3; echo ' is there'", "nr_cpus=1")
    result = linux.boot("cloud", "-c", 2, *look, memory="768M", append="quiet crashkernel=256M",
                        run="/kexec -p && echo c > /proc/sysrq-trigger")
    assert result.status == 0 and b"ELF is there\r\n" in result.out and b"init: status 0" in result.out, result


@pytest.mark.full("a kernel that sleeps")
def test_suspend(linux, scratch):
    """Suspend to RAM, with two vCPUs; the power button wakes it, and the shell continues."""
    command = linux.command("cloud", "-c", 2, run="echo mem > /sys/power/state; nproc; facts")
    script = ("%s > said 2>&1 < /dev/null & vmm=$!; "
              "until grep -q 'sleeps (S3)' said || ! kill -0 $vmm; do sleep 0.1; done; "
              "kill -PWR $vmm; wait $vmm; status=$?; cat said; exit $status" % shlex.join(map(str, command)))
    result = lab_run("sh", "-c", script, cwd=scratch)
    assert result.status == 0 and b"\n2\r\n" in result.out and b"ran=0,1" in result.out, result
