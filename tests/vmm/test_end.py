"""The ends of a run: its status, and the reason on standard error."""
import re
import subprocess

import pytest

from tests.support import lab_run, with_time

# end: (arguments, status, standard output, pattern for standard error; without one it must be empty)
ENDS = {
    "all well": (["@hello"], 0, b"Hello, KVM!\n", []),
    "well, with rubbish in BL": (["@dirty_exit"], 0, b"", []),
    "halted for good": (["@hlt"], 0, b"h\n", []),
    "halted, and nothing to wake it": (["@hlt_sti"], 0, b"h\n", []),
    "the guest's own code": (["@debug_exit"], 43, b"d\n", None),
    "a triple fault": (["@triple"], 126, b"3\n", ["triple fault|shutdown|shut down"]),
    "an unknown hypercall": (["@unknown_call"], 126, b"", ["0x77", "0x0*10[012]|:0*10[012]"]),
    "a call of the BIOS": (["@bios_call"], 126, b"", [r"int 0x10 at 0x7c1\w: this machine has no BIOS"]),
    "input asked for too often": (["@eof_forever"], 126, b"." * 15, ["input"]),
    "too many exits": (["--max-exits", "1000", "@storm"], 124, b"", ["1,?000", "exits"]),
    "too long, with exits": (["--timeout", "1", "@storm"], 124, b"", ["1 s|time"]),
}


@pytest.mark.parametrize("what", ENDS)
def test_end(vmm, what):
    args, status, out, reasons = ENDS[what]
    result = vmm.run(*args)
    assert (result.status, result.out) == (status, out), result
    if reasons is not None:
        assert bool(reasons) == bool(result.err), result
        assert all(re.search(reason, result.err, re.I) for reason in reasons), result


def test_too_long_without_exits(vmm):
    result = with_time(lambda seconds: vmm.run("--timeout", seconds, "@spin"), lambda result: result.out == b".\n")
    assert (result.status, result.out) == (124, b".\n") and "stopped by --timeout" in result.err, result


def test_an_exception_without_a_handler(vmm):
    result = vmm.run("@hello", "@bios_call", "--input", "1", stdin=b"d")
    assert result.status == 126 and re.search("interrupt or exception 0 at 0x47c", result.err), result


def test_ports_that_reset(vmm):
    """Three ports that reset a PC; each ends the guest, or with --reboot starts it again."""
    for way in b"c", b"a", b"k":
        assert vmm.run("@reset_ports", stdin=way).out == way
    result = vmm.run("--reboot", "@reset_ports", stdin=b"cakacq")
    assert (result.status, result.out) == (0, b"cakacq"), result


KVM_BEFORE_5_14 = r"""
#include <dlfcn.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
int ioctl(int fd, unsigned long request, ...)
{
    int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym((void *)-1L, "ioctl");
    va_list args;
    void *p;

    va_start(args, request);
    p = va_arg(args, void *);
    va_end(args);
    if (request != KVM_GET_STATS_FD)
        return next(fd, request, p);
    errno = ENOTTY;
    return -1;
}
"""


def test_a_late_halt_is_found_where_kvm_counts_none(vmm, scratch):
    (scratch / "old.c").write_text(KVM_BEFORE_5_14, encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", scratch / "old.so", scratch / "old.c"], check=True)
    command = vmm.command("-l", "--timeout", "200", "@late_halt")
    for env in [], ["env", "LD_PRELOAD=%s" % (scratch / "old.so")]:
        result = lab_run(*env, *command)
        assert (result.status, result.err) == (0, ""), result


def test_the_first_vcpu_ends_before_the_last_begins(vmm, soak):
    """A guest ends while the threads of its other vCPUs still start: none of them may sleep for ever.

    This is a race, since the host decides which threads exist by then, so it runs several times.
    """
    for _ in range(soak(4, 50)):
        result = vmm.run("--timeout", "200", "-c", "64", "@hello_64")
        assert (result.status, result.out) == (0, b"Hello, KVM, in 64 bits!\n"), result


@pytest.mark.parametrize("guests, status, named", [
    (["@hello", "@debug_exit", "@unknown_call"], 43, [1, 2]),
    (["@hello", "@unknown_call", "@debug_exit"], 126, [1, 2]),
    (["@unknown_call", "@hello", "@hello", "@hello"], 126, [0]),
    (["@hello", "@counter"], 0, []),
])
def test_the_lowest_that_did_not_end_well_decides(vmm, guests, status, named):
    result = vmm.run(*guests)
    assert result.status == status, result
    for number in range(len(guests)):
        told = re.search(r"\b(guest|vcpu|vm) ?%d\b" % number, result.err, re.I)
        assert bool(told) == (number in named), result


def test_one_crash_leaves_the_others_alone(vmm):
    result = vmm.run("@triple", "@multiplication", "@unknown_call", "@counter")
    lines = result.out.splitlines()
    assert result.status == 126 and b"9 x 9 = 81" in lines and b"0123456789" in lines, result
