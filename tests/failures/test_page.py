"""The page of a diagnosis: when it is printed, what it contains without a second run, and how bad input affects it."""
import os
import struct
import subprocess

import pytest

from tests.failures.broken import SOURCES, Broken, build, run
from tests.support import TOP, lab_run, with_time


def broken(name):
    build()
    return Broken(SOURCES / (name + ".S"))


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
    ends = [line for line in result.err.splitlines() if ": shutdown, rip " in line]
    is_amd = b" svm" in lab_run("cat", "/proc/cpuinfo").out  # there KVM has reset the vCPU
    assert len(ends) == 1 and ends[0].endswith("rip 0xfff0 (the reset CPU's)") == is_amd, ends
    assert "guest 0" in result.err and "guest 2" in result.err and "guest 1" not in result.err, result


def test_an_elf_image_names_its_own_addresses(vmm):
    result = vmm.run("-l", broken("long/bad_iret").elf)
    assert "<broken>" in result.err.splitlines()[0] and "  |      broken:\n" in result.err, result


def test_an_image_from_a_pipe_cannot_be_run_again(vmm):
    """On AMD the page has less then; on Intel the registers are still there. In both cases it has the guest's end."""
    image = broken("protected/no_idt").flat
    result = lab_run("sh", "-c", "cat %s | %s -p /dev/stdin" % (image, vmm.program))
    assert result.status == 126 and "triple fault" in result.err.splitlines()[0], result
    assert "page fault at 0x4000000" in result.err or "not a file that can be read again" in result.err, result
    assert "last exits" in result.err and "eip" in result.err, result


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="this machine has no /dev/kvm to use")
@pytest.mark.parametrize("name", ["no_idt", "non_canonical", "read_only", "bad_iret", "stack_guard"])
def test_on_this_machines_own_kvm(vmm, name):
    """The lab's KVM is AMD's, which loses the registers. On this machine's own, of either kind, the diagnosis is the
    same."""
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
    """The guest's input decides where it crashes: the second run must read the same bytes."""
    (scratch / "read.S").write_text(READS)
    run("gcc", "-m32", "-c", "-D__ASSEMBLY__", "-I", TOP, "-I", SOURCES.parent, "read.S", "-o", "read.o", cwd=scratch)
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


@pytest.fixture
def waits(scratch):
    """A guest that reads a key: r resets the machine, w makes a write, any other key makes it crash."""
    (scratch / "waits.S").write_text(WAITS)
    run("gcc", "-m32", "-c", "-D__ASSEMBLY__", "-I", TOP, "-I", SOURCES.parent, "waits.S", "-o", "waits.o", cwd=scratch)
    run("objcopy", "-O", "binary", "-j", ".text", "waits.o", "waits.bin", cwd=scratch)
    return scratch / "waits.bin"


WAITS = """
#include "guest.inc"
    .code16
    lidt 3f
    mov $'?', %bl
    putchar
    getchar
    cmp $'r', %al
    jne 2f
    mov $0xfe, %al
    out %al, $0x64
2:  xor %bx, %bx
    div %bl
3:  .word 0
    .long 0
"""
DIVIDED = "triple fault: divide error (division by zero)"


def test_a_guest_that_started_again_is_explained(vmm, waits):
    """The second run repeats the guest's run since its last reset."""
    result = vmm.run("--reboot", waits, stdin=b"rrx")
    assert (result.status, result.out) == (126, b"???"), result
    assert DIVIDED in result.err.splitlines()[0], result


@pytest.mark.parametrize("change, line", [
    ("rm {0}", DIVIDED),
    ("mv {0} {0}.old; echo another > {0}", DIVIDED),
    ("cp {0} {0}.old; cat {0}.old {0}.old > {0}", "triple fault"),
])
def test_the_image_is_not_opened_again(vmm, waits, change, line):
    """The second run uses the file that the guest was loaded from, even if its path has another file now."""
    script = "(while ! grep -q '?' {0}.out; do sleep 0.1; done 2> /dev/null; %s; echo x) | %s {0} > {0}.out" % (
        change, vmm.program)
    result = lab_run("sh", "-c", script.format(waits))
    assert result.status == 126 and line in result.err.splitlines()[0], result
    assert DIVIDED in result.err or "its image was changed during the run" in result.err, result


def elf_with_symbols(path, count, name_bytes):
    """An ELF file that crashes at once, and has `count` symbols with one name of that many bytes."""
    code, names = b"\x0f\x0b".ljust(16, b"\xf4"), b"\0" + b"A" * (name_bytes - 2) + b"\0"
    symbols = struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x100000, 0) * count
    symbols_at, names_at = 8192, 8192 + len(symbols)
    sections_at = (names_at + len(names) + 7) & ~7
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x100000, 64, sections_at, 0,
                         64, 56, 1, 64, 4, 3)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 4096, 0x100000, 0x100000, 16, 16, 4096)
    sections = b"".join(struct.pack("<IIQQQQIIQQ", 0, *s) for s in (
        (0, 0, 0, 0, 0, 0, 0, 0, 0), (1, 2, 0x100000, 4096, 16, 0, 0, 1, 0),
        (2, 0, 0, symbols_at, len(symbols), 3, 0, 1, 24), (3, 0, 0, names_at, len(names), 0, 0, 1, 0)))
    with open(path, "wb") as file:
        for at, content in ((0, header), (64, segment), (4096, code), (symbols_at, symbols), (names_at, names),
                            (sections_at, sections)):
            file.seek(at)
            file.write(content)


@pytest.mark.parametrize("count, named", [(400000, True), (524288, True), (524289, False)])
def test_many_symbols(vmm, scratch, count, named):
    """A symbol table as large as a kernel's is read; a larger one is not, and a message says so."""
    elf_with_symbols(scratch / "big.elf", count, 8000000)
    result = vmm.run("--timeout", "200", scratch / "big.elf")
    first = result.err.splitlines()[0]
    assert result.status == 126 and "invalid opcode" in first, result
    assert ("<AAAA" in first) == named, result
    many = "without names: %s: its symbol table has 524289 entries" % (scratch / "big.elf")
    assert named or many in result.err, result


LONG_WAY = """
#include "guest.inc"
    .code16
    lidt 3f
    mov $'.', %bl
    putchar
    mov $200, %dx
1:  xor %cx, %cx
2:  loop 2b
    dec %dx
    jnz 1b
    ud2
3:  .word 0
    .long 0
"""


# Until the VMM has made its second machine, or has ended.
SECOND = ("until [ $(ls -l /proc/$vmm/fd 2>/dev/null | grep -c 'kvm-vm$') = 2 ] || ! kill -0 $vmm 2>/dev/null || "
          "grep -q 'State:.Z' /proc/$vmm/status; do sleep 0.1; done; kill -TERM $vmm")


@pytest.mark.parametrize("option, end, status", [("", SECOND, 143), ("--timeout %d", "true", 124)])
def test_a_second_run_does_not_hold_the_vmm(vmm, scratch, option, end, status):
    """Thirteen million steps take minutes: a signal or --timeout ends them early."""
    (scratch / "way.S").write_text(LONG_WAY)
    run("gcc", "-m32", "-c", "-D__ASSEMBLY__", "-I", TOP, "-I", SOURCES.parent, "way.S", "-o", "way.o", cwd=scratch)
    run("objcopy", "-O", "binary", "-j", ".text", "way.o", "way.bin", cwd=scratch)
    line = "cd %s; %s %s way.bin 2> err & vmm=$!; %s; wait $vmm; echo $?; cat err" % (scratch, vmm.program, option, end)
    result = with_time(lambda seconds: lab_run("sh", "-c", line.replace("%d", str(seconds))),
                       lambda result: not option or b"triple fault" in result.out)
    said, *rest = result.out.decode().lstrip(".\n").split("\n")
    if "ud2" in "".join(rest) and "a second run was stopped" not in "".join(rest):
        pytest.skip("this KVM keeps the registers: there is no second run")
    assert int(said) == status, result
    assert "triple fault" in rest[0] and "a second run was stopped" in "".join(rest), result
