"""Breakpoints, watchpoints and steps, by the methods that this KVM supports: `monitor info` lists them."""
import re

import pytest

from tests.gdb.conftest import batch, value

LEAVE = ["delete", "set var *(int*)&stop = 1", "continue"]


def run(guest, symbols, *commands):
    """Debugs the guest that tries to detect a debugger. It must end with success."""
    g = guest("@debuggee")
    text = batch(g.remote(), *commands, *LEAVE, symbols=symbols("debuggee"))
    assert "exited normally" in text, text
    assert g.end()[0] == 0, text
    return text


@pytest.mark.parametrize("kind", ["break", "hbreak"])
def test_every_pass_is_seen(guest, symbols, kind):
    """The counter grows by one from stop to stop, and the backtrace shows the caller."""
    text = run(guest, symbols, kind + " *bump", "continue", "print *(long*)&counter", "continue",
               "print *(long*)&counter", "continue 3", "print *(long*)&counter", "backtrace 1", "x/a $rsp")
    assert [int(n) for n in re.findall(r"\$\d+ = (\d+)", text)] == [0, 1, 4]
    assert "<rounds+5>" in text


def test_neighbours(guest, symbols):
    """Breakpoints on an instruction of one byte and on the next: only a breakpoint of one byte fits there."""
    text = run(guest, symbols, "break *(bump + 1)", "break *bump", "continue", "continue", "continue",
               "print *(long*)&counter")
    assert re.findall(r"^Breakpoint (\d), ", text, re.M) == ["2", "1", "2"] and "$1 = 1" in text


def test_condition_and_commands(guest, symbols):
    text = run(guest, symbols, "break bump if *(long*)&counter == 5", "continue", "print *(long*)&counter")
    assert "$1 = 5" in text


def test_memory_shows_no_breakpoint(guest, symbols):
    """Code with breakpoints is read without them."""
    before = batch("x/8xb bump", symbols=symbols("debuggee"))
    text = run(guest, symbols, "set breakpoint always-inserted on", "break *bump", "break *(bump+1)", "continue",
               "monitor info", "x/8xb bump")
    assert re.findall(r"0x[0-9a-f]{2}\b", before) == re.findall(r"0x[0-9a-f]{2}\b", text.split("x/8xb")[-1])[-8:]
    assert len(re.findall(r"  breakpoint 0x\w+: \w+", text)) == 2


def test_watchpoint(guest, symbols):
    text = run(guest, symbols, "watch *(long*)&counter", "continue", "info symbol $pc", "continue", "backtrace 1")
    assert re.search(r"Old value = 0\s+New value = 1\b", text) and re.search(r"Old value = 1\s+New value = 2\b", text)
    assert "bump + 11 in section" in text


def test_watchpoint_on_a_part(guest, symbols):
    """Three bytes at an odd address: no debug register can watch exactly these."""
    text = run(guest, symbols, "watch *(char(*)[3])((char*)&counter + 1)", "tbreak rounds", "continue",
               "set var *(long*)&counter = 0xff", "continue", "print *(long*)&counter")
    assert "$1 = 256" in text


def test_access_watchpoint(guest, symbols):
    """A read stops it too."""
    text = run(guest, symbols, "awatch *(long*)&constant", "continue", "x/i $pc", "print/x $rbx")
    assert "= 0x1122334455667788" in text and "pushf" in text


def test_read_watchpoint(guest, symbols):
    text = run(guest, symbols, "rwatch *(long*)&constant", "continue", "continue", "print *(long*)&counter")
    assert text.count("Value = 1234605616436508552") == 2


def test_step_enters_a_software_interrupt(guest, symbols):
    """The processor clears the trap flag on its way into a handler; the step ends at its first instruction."""
    text = run(guest, symbols, "break *(rounds + 21)", "continue", "x/i $pc", "stepi", "x/i $pc",
               "info symbol $pc", "stepi", "info symbol $pc", "tbreak *(rounds + 23)", "continue",
               "print *(long*)&interrupts")
    assert "int    $0x80" in text and re.search(r"^on_interrupt in section", text, re.M), text
    assert "$1 = 1" in text


def test_steps_leave_no_trace(guest, symbols):
    """Sixty single steps over PUSHF and INT: the guest checks the saved flags for the trap flag."""
    text = run(guest, symbols, *["stepi 20"] * 3, "info registers eflags", "print *(long*)&interrupts")
    assert re.search(r"^eflags .*\[ [A-Z ]*\]", text, re.M) and " TF " not in text.split("eflags")[-1]
    assert value(text, "$1") >= 3


def test_steps_and_breakpoints_agree(guest, symbols):
    """A watchpoint by any method, a breakpoint in the handler, and steps in between."""
    text = run(guest, symbols, "watch *(long*)&interrupts", "break *on_interrupt", "continue", "stepi 2", "continue",
               "print *(long*)&interrupts")
    assert "on_interrupt" in text and "$1 = 1" in text
