"""The three modes, the options for each, and the address of an image in each."""
import subprocess

import pytest

from tests.support import SHADOW, TOP

PMODE, LONG = b"PMODE\n", b"Hello, KVM, in 64 bits!\n"


@pytest.fixture
def flat(scratch, vmm):
    """flat(guest): its ELF file as a flat image."""
    def flatten(guest):
        image = scratch / (guest + ".flat")
        subprocess.run(["objcopy", "-O", "binary", vmm.guest(guest), image], check=True)
        return image
    return flatten


@pytest.mark.parametrize("flags", [["-p"], ["--paging"], ["--protected"]])
def test_protected_mode_by_its_names(vmm, flags):
    result = vmm.run(*flags, "@pmode_test")
    assert (result.status, result.out) == (0, PMODE), result


@pytest.mark.full("another machine of the lab")
def test_long_mode_enabled_before_pae(vmm):
    result = vmm.run("-p", "--no-paging", "@lme_before_pae", env=SHADOW)
    assert (result.status, result.out) == (0, b"2"), result


@pytest.mark.parametrize("flags", [["-l"], ["--long-mode"]])
def test_long_mode_by_its_names(vmm, flags):
    result = vmm.run(*flags, "@hello_64")
    assert (result.status, result.out) == (0, LONG), result


def test_a_flat_image_in_long_mode(vmm, flat):
    """It is loaded and entered at 1 MB, the address in the ELF file."""
    result = vmm.run("-l", flat("hello_64"))
    assert (result.status, result.out) == (0, LONG), result


@pytest.mark.parametrize("memory", ["8M", "64M", "1G", "3G", "5G"])
def test_long_mode_tables_overlap_nothing(vmm, memory):
    """The guest reads its 2.5 MB again after using 128 KB of stack."""
    result = vmm.run("-l", "-m", memory, "@long_check")
    assert result.status == 0 and result.out == (TOP / "kvm-vmm-x86/guest/long_check.expected").read_bytes(), result


@pytest.mark.parametrize("guests", [["@pmode_test"] * 2, ["@pmode_test"] * 4])
def test_protected_mode_guests_side_by_side(vmm, guests):
    result = vmm.run("-p", *guests)
    assert (result.status, result.out) == (0, PMODE * len(guests)), result


def test_long_mode_guests_side_by_side(vmm):
    result = vmm.run("-l", "@hello_64", "@hello_64")
    assert (result.status, result.out) == (0, LONG * 2), result


# A 32-bit flat image that checks its address: 21 by the debug-exit port if it is the expected one.
WHERE = """
    .code32
    call 1f
1:  pop %%eax
    cmp $%#x, %%eax
    jne 2f
    mov $21, %%al
    out %%al, $0xf4
2:  mov $1, %%al
    out %%al, $0xf4
"""


@pytest.mark.parametrize("flags, address", [
    (["-p"], 0x80001000),
    (["-p", "--entry", "0x1000"], 0x1000),
    (["-p", "--load", "0x5000", "--entry", "0x80005000"], 0x80005000),
    (["-p", "--load=0x5000", "--entry=0x5000"], 0x5000),
    (["-p", "--no-paging", "--entry", "0x1000"], 0x1000),
    (["-p", "--no-paging", "--load", "0x200000", "--entry", "0x200000"], 0x200000),
])
def test_load_and_entry(vmm, scratch, flags, address):
    (scratch / "where.s").write_text(WHERE % (address + 5))
    subprocess.run("gcc -m32 -c where.s -o where.o && objcopy -O binary where.o where.bin",
                   shell=True, check=True, cwd=scratch)
    result = vmm.run(*flags, scratch / "where.bin")
    assert result.status == 43, result


def test_no_paging_leaves_the_bit_clear(vmm):
    """pmode_test requires paging: its check 2 must fail."""
    result = vmm.run("-p", "--no-paging", "--load", "0x1000", "--entry", "0x1000", "@pmode_test")
    assert result.status not in (0, 124, 125), result


@pytest.mark.parametrize("flags, word", [
    (["--load", "0x7fffffff"], "load|fit"), (["--load", "banana"], "banana"), (["--entry", ""], "entry"),
])
def test_nonsense_addresses(vmm, flags, word):
    result = vmm.run("-p", *flags, "@pmode_test")
    assert result.status in (2, 125) and word.split("|")[0] in result.err.lower(), result
