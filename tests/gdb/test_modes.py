"""gdb in each mode in which a guest starts: the reported architecture, registers read and written, code, steps."""
import re

import pytest

from tests.gdb.conftest import batch, value


def test_real_mode(guest):
    """Without an ELF file: gdb would take the architecture i386 from the file, and not the one that the VMM reports."""
    g = guest("@counter")
    text = batch(g.remote(), "show architecture", "x/3i $pc", "stepi", "stepi", "info registers eip ebx edx cs",
                 "print $cr0", "break *7", "continue", "info registers ebx", "set $ds = 0x1234", "print/x $ds_base",
                 "delete", "continue")
    assert '"i8086"' in text
    assert "mov    $0x30,%bl" in text and "mov    $0x500,%dx" in text
    assert value(text, "eip") == 5 and value(text, "edx") & 0xffff == 0x500 and value(text, "cs") == 0
    assert re.search(r"\$1 = \[ ET [A-Z ]*\]", text) and " PE " not in text and " PG " not in text, text
    assert "= 0x12340" in text
    assert "exited normally" in text
    status, out, _ = g.end()
    assert (status, out) == (0, b"0123456789\n")


def test_protected_mode_with_paging(guest, symbols):
    g = guest("-p", "@pmode_test")
    text = batch(g.remote(), "show architecture", "x/2i $pc", "stepi", "print $cr0", "monitor walk $pc",
                 "monitor walk 80001000", "info registers eip esp", "info threads", "x/wx 0x80001000",
                 "print *(int*)0x80001000 == *(int*)0x1000", "continue", symbols=symbols("pmode_test"))
    assert "PE" in text and "PG" in text and '"i386"' in text
    assert "32-bit paging" in text and "a page of 4 MB" in text
    assert value(text, "eip") == 0x80001005 or value(text, "eip") > 0x80001000
    assert "vCPU 0, protected mode, 32-bit code" in text
    assert "$2 = 1" in text  # the same page at both of its addresses
    assert g.end()[0] == 0


def test_long_mode(guest, symbols):
    g = guest("@hello_64")
    text = batch(g.remote(), "show architecture", "x/2i $pc", "stepi", "info registers rip rsi", "print $efer",
                 "info symbol $rsi", "x/s $rsi", "monitor regs", "continue", symbols=symbols("hello_64"))
    assert '"i386:x86-64"' in text
    assert "[ LME LMA ]" in text
    assert "greeting in section" in text and "Hello, KVM, in 64 bits!" in text
    assert value(text, "rip") == 0x100007
    assert "long mode, 64-bit code, privilege level 0, 4-level paging" in text
    assert g.end()[1] == b"Hello, KVM, in 64 bits!\n"


WRITES = [
    ("$rax", "0x123456789abcdef0", "print/x $rax", "0x123456789abcdef0"),
    ("$eflags", "0x8d7 & ~0x100", "print $eflags", "CF PF AF ZF SF OF"),
    ("$xmm3.v4_int32[2]", "0x5eedf00d", "print/x $xmm3.v4_int32", "{0x0, 0x0, 0x5eedf00d, 0x0}"),
    ("$mxcsr", "0x1f00", "print/x $mxcsr", "0x1f00"),
    ("$st0", "2.5", "print $st0", "2.5"),
    ("$fctrl", "0x27f", "print/x $fctrl", "0x27f"),
    ("$gs_base", "0x7000", "print/x $gs_base", "0x7000"),
    ("$cr2", "0xdead000", "print/x $cr2", "0xdead000"),
    ("{char[4]}$rsp", '"abc"', "x/s $rsp", '"abc"'),
]


@pytest.mark.parametrize("image", ["@debuggee"])
def test_what_is_written_is_read_back(guest, image):
    """Values come from the guest, not from gdb's cache: a step and `maintenance flush` come in between."""
    g = guest(image)
    text = batch(g.remote(), *["set var %s = %s" % (what, to) for what, to, _, _ in WRITES],
                 "maintenance flush register-cache", *[show for _, _, show, _ in WRITES], "kill")
    for what, _, _, expected in WRITES:
        assert expected in text, (what, text)


def test_what_kvm_refuses_is_an_error(guest):
    """Paging without protected mode is not valid: an error, and the guest continues unchanged."""
    g = guest("@hello_64")
    text = batch(g.remote(), "set $cr0 = (long) 0x80000000", "continue")
    assert "Could not write register" in text, text
    assert g.end()[:2] == (0, b"Hello, KVM, in 64 bits!\n")
