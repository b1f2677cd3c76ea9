"""libkvmvmm: machines in other programs. tests/vmm/library/machines.c tests its functions and errors."""
import re
import subprocess

import pytest

from tests.linux.conftest import kernel, ramdisk  # noqa: F401  (fixtures)
from tests.support import TOP, lab_run

LIB = TOP / "build/kvm-vmm-x86/lib"
GUESTS = TOP / "kvm-vmm-x86/guest"


@pytest.fixture(scope="module", autouse=True)
def built(vmm):
    subprocess.run(["make", "-s", "-C", "kvm-vmm-x86", "lib", "test-guests"], check=True, cwd=TOP,
                   stdin=subprocess.DEVNULL, capture_output=True)


def test_machines():
    result = lab_run(LIB / "machines", GUESTS)
    assert result.status == 0 and result.out.splitlines() == [
        b"modes", b"ends", b"limits", b"input", b"resets", b"middles", b"breakpoints", b"goes on", b"steps",
        b"refusals", b"several"], result


def test_linux(kernel, ramdisk):  # noqa: F811
    result = lab_run(LIB / "machines", kernel("cloud"), ramdisk())
    assert result.status == 0 and result.out == b"linux\n", result


def test_example():
    """It is linked with the shared library. Only the run from 0 reaches its limit."""
    result = lab_run(LIB / "grade", 200, GUESTS / "test/library/collatz.elf", 1, 27, 6)
    assert result.status == 0 and result.out == b"1: 0\n27: 111\n6: 8\n", result
    result = lab_run(LIB / "grade", 1, GUESTS / "test/library/collatz.elf", 0)
    assert result.status == 0 and result.out == b"0: no answer in 1 s\n", result
    result = lab_run(LIB / "grade", 1, GUESTS / "hello.bin", 1)
    assert result.status == 1 and "asks for no number" in result.err, result


def test_resets_are_measured():
    result = lab_run(LIB / "resets", GUESTS / "test/library/dirty.elf", 50, 1)
    assert result.status == 0 and re.match(rb"\d+ resets/s, [\d.]+ us a reset of 5\d pages, ", result.out), result


def test_what_it_shows():
    """The library exports only the names of its header, and uses no function that prints or ends the process."""
    header = (TOP / "kvm-vmm-x86/src/kvmvmm/kvmvmm.h").read_text()
    wanted = set(re.findall(r"\b(kvmvmm_\w+)\(", header))
    for options, file in ([], "libkvmvmm.a"), (["-D"], "libkvmvmm.so"):
        names = subprocess.run(["nm", *options, "-g", "--defined-only", LIB / file], check=True, capture_output=True,
                               text=True).stdout
        assert set(re.findall(r" [A-Z] (\w+)", names)) == wanted
    used = subprocess.run(["nm", "-u", LIB / "libkvmvmm.a"], check=True, capture_output=True, text=True).stdout.split()
    assert not set("printf fprintf vfprintf puts fputs perror exit _exit abort stderr stdout".split()) & set(used)


def test_install(tmp_path):
    subprocess.run(["make", "-s", "-C", "kvm-vmm-x86", "install-lib", "PREFIX=/usr", "DESTDIR=%s" % tmp_path],
                   check=True, cwd=TOP, stdin=subprocess.DEVNULL)
    usr, program = tmp_path / "usr", tmp_path / "grade"
    subprocess.run(["gcc", TOP / "kvm-vmm-x86/example/grade.c", "-I", usr / "include", "-L", usr / "lib", "-lkvmvmm",
                    "-o", program], check=True)
    done = subprocess.run([program, "1", "no such guest"], env={"LD_LIBRARY_PATH": str(usr / "lib")}, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 1 and "no such guest" in done.stderr
