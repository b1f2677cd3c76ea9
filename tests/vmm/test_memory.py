"""Guest memory: the dirty log lists exactly the written pages, for each kind of memory: tests/vmm/wrapped/pages.c."""
import re
import subprocess

import pytest

from tests.support import TOP, lab_run

PAGES = TOP / "build/kvm-vmm-x86/pages"
GUESTS = TOP / "kvm-vmm-x86/guest/test/memory"
WRITTEN = GUESTS / "written.bin"
KIB = 1024


@pytest.fixture(scope="module", autouse=True)
def built(vmm):
    subprocess.run(["make", "-s", "-C", "kvm-vmm-x86", "pages", "test-guests"], check=True, cwd=TOP,
                   stdin=subprocess.DEVNULL, capture_output=True)


def logs(result):
    """The result of each TAKE, by slot: {first page: pages}."""
    return [(int(slot), {int(gpa, 16): int(count) for gpa, count in re.findall(r"(0x[0-9a-f]+|0)\+(\d+)", runs)})
            for slot, runs in re.findall(r"^slot (\d):(.*)$", result.err, re.M)]


EXPECTED = [(0, {0x8000: 1, 0xa000: 2}), (0, {}), (0, {0x13000: 2, 0x30000: 1}), (0, {})]


def test_anonymous():
    result = lab_run(PAGES, WRITTEN)
    assert (result.status, logs(result)) == (1, EXPECTED), result
    assert "another process" not in result.err


def test_shared_with_another_process():
    result = lab_run("env", "BACKING=shared", PAGES, WRITTEN)
    assert (result.status, logs(result)) == (1, EXPECTED), result
    assert "another process sees 0x5a" in result.err


def test_a_private_file(tmp_path):
    """The file's contents are in guest memory; the guest's writes do not change the file."""
    file = tmp_path / "memory"
    before = bytes([0x15]) * (256 * KIB)
    file.write_bytes(before)
    result = lab_run("env", "BACKING=%s" % file, PAGES, WRITTEN)
    assert (result.status, logs(result)) == (2 * 0x15 + 1, EXPECTED), result
    assert file.read_bytes() == before
    file.write_bytes(before[:-1])
    result = lab_run("env", "BACKING=%s" % file, PAGES, WRITTEN)
    assert result.status == 125 and "%s: not a file that holds 256 KiB of guest memory" % file in result.err, result


def test_read_only():
    result = lab_run("env", "READ_ONLY=1", PAGES, WRITTEN)
    assert result.status == 126 and "write at 0x6000, which is read-only memory, rip 0x" in result.err, result
    result = lab_run("env", "READ_ONLY=1", PAGES, "--mmio=ignore", WRITTEN)
    assert result.status == 1 and "pages: not written" in result.err, result
    assert logs(result) == [(0, {})] * 4, result


def test_two_slots():
    """Above the hole only the guest's writes; below it the processor also writes to the page tables."""
    result = lab_run(PAGES, "-m", "4G", "-l", GUESTS / "written_high.elf")
    said = logs(result)
    assert result.status == 0 and [slot for slot, _ in said] == [0, 1] * 3, result
    tables = 0xc0000000 - 0x10000
    below = [{gpa: count for gpa, count in runs.items() if gpa < tables} for slot, runs in said if slot == 0]
    assert below == [{0x300000: 1}, {}, {}], result
    assert [runs for slot, runs in said if slot == 1] == [{0x100003000: 2}, {0x100100000: 1}, {}], result


def test_more_than_the_processor_has_addresses_for():
    """The hole below 4 GB uses 1 GB of the 36-bit address space of an old processor."""
    result = lab_run(PAGES, "-l", "-m", "64G", WRITTEN, env={"ADDRESS_BITS": "36"})
    assert result.status == 125 and "65536M of memory do not fit in the 36 bits" in result.err, result


@pytest.mark.parametrize("key", [b"r", b"w"])
def test_a_page_that_is_lost(scratch, key):
    """If the file behind a guest's memory is truncated, this guest ends at any access to the lost page; the other
    continues."""
    backing = scratch / "ram"
    backing.write_bytes(bytes(2048 * KIB))
    script = """
import os, subprocess, sys
vmm = subprocess.Popen([*sys.argv[2:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       env={**os.environ, 'BACKING': sys.argv[1]})
seen = b''
while seen.count(b'?') < 2:
    seen += os.read(vmm.stdout.fileno(), 100)
os.truncate(sys.argv[1], 4096)
vmm.stdin.write(sys.stdin.buffer.read())
vmm.stdin.close()
sys.stdout.buffer.write(seen + vmm.stdout.read())
sys.exit(vmm.wait())
"""
    lost = GUESTS / "lost.bin"
    result = lab_run("python3", "-c", script, backing, PAGES, "--timeout=200", lost, lost, stdin=key)
    assert result.status == 125, result
    assert re.search(r"guest 0 \(.*\): its memory (at 0x8000|from 0x1000 on) is lost", result.err), result
    assert "guest 1" not in result.err, result
