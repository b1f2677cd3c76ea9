"""Counts exits, which does not depend on time: a guest that prints by PUTCHAR makes one for each byte, and one more to
end."""
import re

import pytest

from tests.support import TOP

GUESTS = TOP / "kvm-vmm-x86/guest"


def exits(result):
    return int(re.search(r"vCPU 0: (\d+) exits", result.err).group(1))


@pytest.mark.parametrize("name", ["minimal", "hello", "counter", "multiplication", "fibonacci", "matrix"])
def test_one_exit_a_byte(vmm, name):
    result = vmm.run("--stats", "@" + name)
    assert result.status == 0, result
    assert exits(result) == len((GUESTS / (name + ".expected")).read_bytes()) + 1


def test_verbose_numbers_each_exit(vmm):
    """A line for each exit, with the count of its kind, the port and its device; the guest's output is separate."""
    result = vmm.run("-v", "@hello")
    numbers = [int(n) for n in re.findall(r"exit (\d+): io \1, rip 0x[0-9a-f]+, out port 0x500 hypercall", result.err)]
    assert result.out == b"Hello, KVM!\n"
    assert numbers == list(range(1, len(result.out) + 2))


def test_a_bulk_write_costs_one_exit(vmm):
    """hctest prints one of its lines by WRITE: fewer exits than bytes. It also reads the received byte again, by
    `in`."""
    result = vmm.run("--stats", "@hctest", stdin=b"x")
    expected = (GUESTS / "hctest.expected").read_bytes()
    assert result.status == 0, result
    assert exits(result) < len(expected)
    assert re.search(r"device hypercall +1 read +%d written" % (exits(result) - 1), result.err)


def test_time_is_divided_between_guest_and_vmm(vmm):
    result = vmm.run("--stats", "@multiplication")
    shares = [float(share) for share in re.findall(r"time in (?:guest|VMM) .* ([0-9.]+) %", result.err)]
    assert len(shares) == 2 and abs(sum(shares) - 100) < 0.2, result
