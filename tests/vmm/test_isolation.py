"""A guest can access only its own window, not its neighbours or the VMM."""
import re

import pytest


@pytest.mark.parametrize("guest, address", [
    ("probe_read", "0xcf010"), ("probe_write", "0xcf010"), ("probe_fetch", "0xcf010"),
])
@pytest.mark.parametrize("window", [0, 1, 2])
def test_outside_is_the_end(vmm, guest, address, window):
    """Also if the address belongs to a neighbour: guest 3 runs in the tested window."""
    guests = ["@hello"] * 4
    guests[window] = "@" + guest
    result = vmm.run(*guests)
    assert result.status == 126, result
    assert result.out.count(b"Hello, KVM!\n") == 3 and b"written" not in result.out, result
    assert re.search(r"\b0x0*%s\b" % address[2:], result.err), result
    assert re.search(r"\b(guest|vcpu|vm) ?%d\b" % window, result.err, re.I), result


def test_the_fourth_window_is_where_the_document_puts_it(vmm):
    """For guest 3 the same write is inside its window."""
    result = vmm.run("@hello", "@hello", "@hello", "@probe_write")
    assert result.status == 0 and b"written\n" in result.out, result


def test_reads_may_be_ignored(vmm):
    result = vmm.run("--mmio=ignore", "@probe_read")
    assert (result.status, result.out) == (0, b"read 0xff\n"), result


@pytest.mark.parametrize("window", range(4))
def test_where_a_guest_starts(vmm, window):
    guests = ["@hello"] * window + ["@segments"]
    result = vmm.run(*guests)
    state = b"%04x %04x %04x %04x fffe " % ((window * 0x4000,) * 4)
    assert result.status == 0 and state in result.out.splitlines(), result


@pytest.mark.parametrize("window", [0, 1, 2])
def test_the_edge_of_the_window(vmm, window):
    result = vmm.run(*["@hello"] * window, "@probe_end")
    assert result.status == 126 and b"inside\n" in result.out and b"outside" not in result.out, result
    assert re.search(r"\b0x0*%x\b" % ((window + 1) * 0x40000), result.err), result


def test_a_32_bit_guest_is_fenced_in(vmm):
    """Its page tables map only RAM, and it has no IDT for the page fault."""
    result = vmm.run("-p", "@memory_32")
    assert (result.status, result.out) == (126, b">\n"), result
    assert "triple fault" in result.err, result
