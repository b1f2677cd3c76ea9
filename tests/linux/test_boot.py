"""Debian's kernels boot to init on 1, 2 and 4 vCPUs with small and large memory, and find the given hardware.

Each kernel has a row with small and one with large memory, and one to four vCPUs.
"""
import re

import pytest

from tests.conftest import SOAK
from tests.support import lab_run

MB = 1024  # kilobytes
HOLE = 3072 * MB  # start of the hole in RAM below 4 GB

ROWS = [
    # kernel, vCPUs, memory in MB
    ("cloud", 1, 96), ("cloud", 2, 5120),
    ("cloud.elf", 1, 5120), ("cloud.elf", 4, 96),
    ("generic", 1, 192), ("generic", 4, 5120), ("generic.elf", 2, 192),
    ("debian13", 2, 128), ("debian13", 4, 5120),
    ("i686", 1, 96), ("i686", 4, 5120),
    pytest.param("cloud", 64, 512, marks=pytest.mark.full("minutes for 64 vCPUs")),
]


def facts_of(text):
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[a-z]+=", line))


def interrupts(text, name):
    """The counts of a line in /proc/interrupts, for each CPU."""
    row = re.search(r"^ *%s:((?: +\d+)+)" % name, text, re.M)
    return [int(count) for count in row.group(1).split()] if row else []


@pytest.mark.parametrize("name, cpus, memory", ROWS, ids=lambda value: str(value))
def test_boot(linux, name, cpus, memory):
    ask = "facts; nproc; cat /proc/interrupts; ! dmesg | grep 'cut [h]ere'"  # the beginning of the kernel's warnings
    result = linux.boot(name, "-c", cpus, memory="%dM" % memory, run=ask)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    facts = facts_of(text)
    assert result.status == 0, result
    assert "init: status 0" in text and "\ninit: Linux" in "\n" + text, result
    assert facts["cpus"] == str(cpus) and "\n%d\n" % cpus in text, result
    assert facts["ran"] == ",".join(map(str, range(cpus))), result
    assert facts["clocksource"] == "kvm-clock", result
    check_memory(int(facts["memory"]), memory * MB, name)
    check_interrupts(text, cpus)


def check_memory(found, given, name):
    """A kernel reserves some memory, and a 32-bit one without PAE uses none above 4 GB."""
    if name == "i686" and given > HOLE:
        given = HOLE
    assert given - 64 * MB - given // 20 < found < given


def check_interrupts(text, cpus):
    assert len(interrupts(text, "LOC")) == cpus and all(interrupts(text, "LOC"))
    assert sum(interrupts(text, "4")) > 0, "the serial port raised no interrupt"
    assert sum(interrupts(text, "9")) == 0, "ACPI raised an interrupt"


def test_ramdisks_are_joined(linux, scratch):
    """A second ramdisk adds its files to the first: here, a script for test=."""
    (scratch / "tests").mkdir()
    (scratch / "tests/joined").write_text("echo from the second ramdisk\n", encoding="utf-8")
    with open(scratch / "second.cpio", "wb") as archive:
        assert lab_run("sh", "-c", "cd %s && find tests | cpio --quiet -o -H newc > second.cpio" % scratch).status == 0
        assert archive.name
    result = linux.boot("cloud", "--initrd", scratch / "second.cpio", append="quiet test=joined")
    assert result.status == 0, result
    assert b"from the second ramdisk" in result.out


def test_clock(linux):
    """The guest's clock is the host's from the start: it is read between two readings of the host's. The tolerance is
    large, as the lab's machine measures its clock badly on a busy host; a clock that was never set is years off, one of
    another time zone at least a quarter of an hour. The kernel starts by its PVH entry, which no other test of check
    uses."""
    boot = linux.command("cloud", "--kernel-entry", "pvh", run="facts")
    result = lab_run("sh", "-c", 'date +before=%s; "$@"; date +after=%s', "sh", *boot)
    facts = facts_of(result.out.decode("utf-8", "replace").replace("\r", ""))
    assert int(facts["before"]) - 300 <= int(facts["time"]) <= int(facts["after"]) + 300, result


@pytest.mark.skipif(not SOAK, reason="a hundred boots: make soak")
def test_a_hundred_boots_in_a_row(linux):
    for number in range(100):
        result = linux.boot("cloud", "-c", 2, run="nproc")
        assert result.status == 0 and b"init: status 0" in result.out, "boot %d\n%r" % (number, result)
