"""--timeout and signals end a run even if the other side hangs: runs limit_checks.py where KVM is complete."""
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import TOP, lab_run

CHECKS = Path(__file__).with_name("limit_checks.py")


# SIGINT has the same code as SIGTERM: it is tested once.
@pytest.mark.parametrize("check, how", [(check, how) for how in ("timeout", "SIGTERM") for check in (
    "output", "prompt", "end", "words", "log", "image", "display", "reset")] + [("output", "SIGINT")])
def test_it_ends(vmm, check, how):
    result = lab_run("/usr/bin/python3", CHECKS, check, how)
    assert result.status == 0, result


# A disk that hangs at open number HANGS_AT of the file, counted from 0. Each of two guests opens it once; one that
# starts again makes the third open.
SLOW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    static unsigned opened;
    va_list args;
    va_start(args, flags);
    int mode = va_arg(args, int);
    va_end(args);
    if (!real)
        real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    if (strstr(path, "late_halt") && opened++ == (getenv("HANGS_AT") ? atoi(getenv("HANGS_AT")) : 2)) {
        (void)!write(2, "hangs\\n", 6);
        for (;;)
            pause();
    }
    return real(path, flags, mode);
}
"""


@pytest.mark.parametrize("how", ["timeout", "SIGTERM"])
@pytest.mark.parametrize("check", ["slow_start", "slow_restart"])
def test_a_disk_that_hangs(scratch, check, how):
    (scratch / "slow.c").write_text(SLOW)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", scratch / "slow.so", scratch / "slow.c"], check=True)
    result = lab_run("/usr/bin/python3", CHECKS, check, how, env={"SLOW": str(scratch / "slow.so")})
    assert result.status == 0, result


# Truncates a file right after it was mapped, while it is read.
CUT = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    struct stat st;
    if (!real)
        real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    void *bytes = real(at, size, rights, flags, fd, offset);
    char path[64], name[256] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && readlink(path, name, sizeof name - 1) > 0 && strstr(name, "cut.img") && truncate(name, 4096) < 0)
        _exit(99);
    return bytes;
}
"""


def test_an_image_that_is_cut_short(scratch):
    """One clear error, and no end by SIGBUS."""
    (scratch / "cut.c").write_text("#include <stdio.h>\n#include <string.h>\n" + CUT)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", scratch / "cut.so", scratch / "cut.c"], check=True)
    (scratch / "cut.img").write_bytes(b"\xf4" * (2 << 20))
    result = lab_run("env", "LD_PRELOAD=%s" % (scratch / "cut.so"), TOP / "kvm-vmm-x86/kvm-vmm", "-p", "-m", "8M",
                     "--timeout", "200", scratch / "cut.img")
    assert result.status == 125 and "cut.img was written to while it was read" in result.err, result


def test_a_neighbour_has_its_turn(vmm):
    result = lab_run("/usr/bin/python3", CHECKS, "neighbour", "SIGTERM")
    assert result.status == 0, result


def test_exits_are_counted_over_restarts(vmm):
    result = vmm.run("--reboot", "--max-exits", "3", "@reset_forever")
    assert result.status == 124 and "after 3 exits" in result.err, result


@pytest.mark.parametrize("value, status", [(62, 125), (71, 143), (1, 3)])
def test_whose_status_it_is(vmm, value, status):
    """A message says so if a guest's own status could be the VMM's."""
    result = vmm.run("@own_status", stdin=bytes([value]))
    assert result.status == status, result
    assert ("exited with %d" % status in result.err) == (status != 3), result


@pytest.mark.parametrize("time", ["1ns", "300000us", "1e-9", "0.005m"])
def test_units_of_time(vmm, time):
    result = vmm.run("--timeout", time, "@spin")
    assert result.status == 124 and "stopped by --timeout" in result.err, result


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_cannot_be_written(vmm, option):
    result = lab_run("sh", "-c", "%s %s > /dev/full" % (vmm.program, option))
    assert result.status == 125 and "No space left" in result.err, result


def test_a_file_that_may_not_grow(vmm, scratch):
    """RLIMIT_FSIZE: an error as for a full disk, and no end by SIGXFSZ."""
    line = "ulimit -f 8; %s --log log.json %s" % tuple(vmm.command("@exits"))
    result = lab_run("bash", "-c", line, cwd=scratch)
    assert result.status == 125 and "cannot write log.json: File too large" in result.err, result


def test_threads_have_names(vmm):
    """Memory has its flags too: a guest's memory is not in core dumps (dd), the VMM's own variables get no large pages
    (nh)."""
    line = ("%s -c 2 -m 28M -l %s & vmm=$!; for name in guest0/vcpu0 guest0/vcpu1; do "
            "until grep -qx $name /proc/$vmm/task/*/comm || ! kill -0 $vmm; do sleep 0.1; done; done 2> /dev/null; "
            "awk '/^Size:/ { size = $2 } /^VmFlags:/ { print size, $0 }' /proc/$vmm/smaps; kill $vmm; wait $vmm")
    result = lab_run("sh", "-c", line % (vmm.program, vmm.guest("idle")))
    assert result.status == 128 + 15, result
    memory = re.findall(rb"^28672 VmFlags:(.*)", result.out, re.M)
    assert memory and all(b" dd" in flags for flags in memory) and b" nh" in result.out, result
