"""The page beside the diagnosis: when it comes, what it says without a second run, and what bad input does to it."""
import os
import subprocess

import pytest

from tests.failures.broken import GUEST, HERE, Broken, run
from tests.support import TOP, lab_run


def broken(name):
    guest = Broken(HERE / (name + ".S"))
    guest.build()
    return guest


PARTS = ["where", "code", "registers", "segments", "stack", "last exits"]


def has_page(text):
    return all("\n  | %s\n" % part in text for part in PARTS)


def test_explain_at_a_good_end(vmm):
    result = vmm.run("--explain", "@hello")
    assert (result.status, result.out) == (0, b"Hello, KVM!\n") and result.err.startswith("  | where\n"), result
    assert has_page("\n" + result.err) and "hypercall.EXIT" in result.err.splitlines()[-1], result


def test_no_page_unasked_at_a_good_end_or_a_limit(vmm):
    assert vmm.run("@hello").err == ""
    result = vmm.run("--max-exits", "500", "@storm")
    assert result.status == 124 and len(result.err.splitlines()) == 1, result


def test_a_page_for_each_that_crashed_and_only_for_those(vmm):
    result = vmm.run("@triple", "@hello", "@unknown_call")
    assert result.status == 126 and result.err.count("  | where\n") == 2, result
    assert "guest 0" in result.err and "guest 2" in result.err and "guest 1" not in result.err, result


def test_an_elf_image_names_its_own_addresses(vmm):
    result = vmm.run("-l", broken("long/bad_iret").elf)
    assert "<broken>" in result.err.splitlines()[0] and "  |      broken:\n" in result.err, result


def test_an_image_from_a_pipe_cannot_be_run_again(vmm):
    """On AMD that leaves less to tell; on Intel the registers are still there. Either way the guest's end is told."""
    image = broken("protected/no_idt").flat
    result = lab_run("sh", "-c", "cat %s | %s -p /dev/stdin" % (image, vmm.program))
    assert result.status == 126 and "triple fault" in result.err.splitlines()[0], result
    assert "page fault at 0x4000000" in result.err or "not a file that can be read again" in result.err, result
    assert "last exits" in result.err and "eip" in result.err, result


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="this machine has no /dev/kvm to use")
@pytest.mark.parametrize("name", ["no_idt", "non_canonical", "read_only", "bad_iret", "stack_guard"])
def test_on_this_machines_own_kvm(vmm, name):
    """The lab's is AMD's, which forgets the registers. Wherever this one comes from, the diagnosis is the same."""
    guest = broken("long/" + name)
    result = vmm.run(*guest.command(), env={"KVM": "host"})
    line = result.err.splitlines()[0]
    assert result.status == 126 and all(phrase in line for phrase in guest.says), result
    assert line.endswith(", at %#x <broken>" % guest.place()[0]), result


@pytest.mark.parametrize("content, word", [
    (None, "No such file"), (b"", "empty"), (b"text\n", "not an ELF"), (b"\x7fELF\2\1\1" + bytes(57), "another kind"),
])
def test_symbols_that_do_not_fit(vmm, scratch, content, word):
    path = scratch / "symbols"
    if content is not None:
        path.write_bytes(content)
    result = vmm.run("--symbols", path, "@hello")
    assert len(result.err.splitlines()) == 1 and word in result.err and result.status == 125, result


def test_symbols_without_any(vmm, scratch):
    stripped = scratch / "stripped.elf"
    subprocess.run(["strip", "-o", stripped, broken("long/no_idt").elf], check=True)
    result = vmm.run("--symbols", stripped, "@hello")
    assert len(result.err.splitlines()) == 1 and "no symbols" in result.err, result


def test_what_a_guest_read_is_given_to_it_again(vmm, scratch):
    """Its input decides where it crashes: the second run must read the same bytes."""
    (scratch / "read.S").write_text(READS)
    run("gcc", "-m32", "-c", "-D__ASSEMBLY__", "-I", TOP, "-I", GUEST, "read.S", "-o", "read.o", cwd=scratch)
    run("objcopy", "-O", "binary", "-j", ".text", "read.o", "read.bin", cwd=scratch)
    for key, line in ((b"1", "IDT limit 0"), (b"2", "divide error (division by zero)")):
        result = vmm.run(scratch / "read.bin", stdin=key)
        assert result.status == 126 and line in result.err.splitlines()[0], result
    assert "invalid opcode" in vmm.run(scratch / "read.bin", stdin=b"1").err.splitlines()[0]


READS = """
#include "guest.inc"
    .code16
    lidt 3f
    getchar
    cmp $'1', %al
    je 2f
1:  xor %bl, %bl
    div %bl
2:  ud2
3:  .word 0
    .long 0
"""
