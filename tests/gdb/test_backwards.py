"""Reverse execution: steps, breakpoints and watchpoints, and the guest's state afterwards."""
import re
from itertools import groupby

from tests.gdb.conftest import batch
from tests.support import TOP

HISTORY_ENDS = re.compile("No more reverse-execution history|Reached end of recorded history")  # gdb 13, gdb 16
EVAL = 'eval "monitor who-wrote %%p 8", &%s'


def test_steps_and_watchpoints(guest, symbols):
    """The guest ends with success, so it did not notice the steps. Its path is deterministic, in memory and in code."""
    g = guest("@debuggee")
    text = batch(g.remote(), "break bump if *(long*)&counter == 4", "continue", "delete", "reverse-stepi", "x/i $pc",
                 "reverse-stepi", "x/i $pc", "watch *(long*)&counter", "reverse-continue", "x/i $pc",
                 "reverse-continue",
                 "print *(long*)&interrupts", EVAL % "interrupts", "print *(long*)&interrupts", "delete",
                 "hbreak on_interrupt", "reverse-continue", "print *(long*)&interrupts", "reverse-finish", "x/i $pc",
                 "delete", "reverse-continue", "x/i $pc", "break bump if *(long*)&counter == 6", "continue",
                 "print *(long*)&interrupts", "set var *(int*)&stop = 1", "delete", "continue",
                 symbols=symbols("debuggee"))
    at = re.findall(r"^=> 0x\w+ <([^>]+)>", text, re.M)
    assert at == ["rounds", "rounds+30", "bump+4", "rounds+21", "image"], text
    assert re.search(r"Old value = 4\s+New value = 3\b.*Old value = 3\s+New value = 2\b", text, re.S), text
    assert re.findall(r"\$\d+ = (\d+)", text) == ["2", "2", "1", "6"], text
    assert re.search(r"last at 0x\w+ <on_interrupt\+0x7>, after exit 0 and \d+ instructions: 0x1 -> 0x2", text), text
    assert HISTORY_ENDS.search(text) and "exited normally" in text, text
    assert g.end()[0] == 0, text


def test_input_is_given_again(guest, symbols, tmp_path):
    """The guest's output is not printed twice, and its input is not read twice."""
    keys = tmp_path / "keys"
    keys.write_bytes(b"abc")
    with open(keys, "rb") as stdin:
        g = guest("@outside", stdin=stdin)
    text = batch("set architecture i8086", g.remote(), "hbreak *crash", "continue", EVAL % "count", "hbreak next",
                 "reverse-continue", "x/dh &count", "reverse-continue", "x/dh &count", "reverse-continue",
                 "reverse-continue", "delete", "continue", symbols=symbols("outside"))
    assert re.search(r"was written last at .*, after exit 10 and 2 instructions: 0x2 -> 0x3", text), text
    assert re.findall(r"<count>:\s+(\d+)", text) == ["2", "1"] and HISTORY_ENDS.search(text), text
    status, out, err = g.end()
    assert status == 126 and re.fullmatch(rb"\d\d\nabc", out) and "hypercall 0x77" in err, (out, err)


def test_back_from_a_triple_fault(guest, vmm):
    """On AMD the registers of the crash are lost, but not those of the instruction before."""
    g = guest("@triple")
    text = batch("set architecture i8086", g.remote(), "continue", "reverse-stepi", "reverse-stepi", "continue",
                 "reverse-stepi", "continue", "continue")
    stops = re.findall(r"^(?:Program received signal (SIG\w+)|0x([0-9a-f]+) in)", text, re.M)
    places = [int(place, 16) for _, place in stops if place]
    assert [name for name, _ in stops if name] == ["SIGSEGV"] * 3, text
    assert places[1:] and places[2] == places[-2] and places[3] < places[2], text
    assert g.end()[0] == 126, text


def test_across_interrupts(guest, symbols, tmp_path):
    """Backwards into a handler and out of it, to the instruction that the tick interrupted; and to the HLT."""
    keys = tmp_path / "keys"
    keys.write_bytes(b"abq")
    with open(keys, "rb") as stdin:
        g = guest("--irqchip", "vmm", "@ticks", stdin=stdin)
    text = batch("set architecture i8086", g.remote(), "hbreak *after", "continue", "watch *(short*)&ticks",
                 "reverse-continue", "x/i $pc", "delete", "reverse-stepi", "x/i $pc", "reverse-stepi", "x/i $pc",
                 "hbreak *on_tick", *["reverse-continue"] * 5, "print *(short*)&ticks", "reverse-stepi", "x/i $pc",
                 "delete", "continue", symbols=symbols("ticks"))
    assert re.search(r"Old value = 6\s+New value = 5\b", text), text
    at = re.findall(r"^=> 0x\w+ <([^>]+)>", text, re.M)
    assert at[:2] == ["on_tick+1", "on_tick"] and at[2].startswith("dots") and at[3] == "halted+2", text
    assert re.findall(r"\$\d+ = (\d+)", text) == ["0"], text
    status, out, err = g.end()
    assert status == 0 and re.fullmatch(rb"3 halts\n\.+\n\d+\nabq\n", out), (out, err)


def test_out_of_an_interrupt_of_the_1k_os(guest, tmp_path):
    """With paging: from the third tick back to the interrupted instruction of the kernel, forward again, and to the
    end. Each tick has a checkpoint: ticks are half a second apart, and the guest's input has ended meanwhile."""
    keys = tmp_path / "keys"
    keys.write_bytes(b"counter 3 50 &\nsleep 400\nps\n")
    with open(keys, "rb") as stdin:
        g = guest("-p", "--irqchip", "vmm", TOP / "kvm-vmm-x86/os-1k/kernel.bin", stdin=stdin)
    text = batch(g.remote(), "break clock_tick", *["shell sleep 1", "continue"] * 3, "delete", "print milliseconds",
                 *["reverse-stepi", "x/i $pc"] * 45, "print milliseconds", "break clock_tick", "continue",
                 "print milliseconds", "delete", "continue", symbols=TOP / "build/os-1k/flat.elf")
    way = [name for name, _ in groupby(re.findall(r"^=> 0x\w+ <(\w+)(?:\+\d+)?>", text, re.M))]
    back = ["clock_interrupt", "trap_handle", "trap_common", "load_flat_segments", "trap_common", "trap_stubs",
            "process_next"]
    assert way[:len(back)] == back, text
    assert re.findall(r"\$\d+ = (\d+)", text) == ["109"] * 3 and "exited normally" in text, text
    status, out, err = g.end()
    assert status == 0 and out.count(b"[2] done, status 0") == 1 and b"shel" in out, (out, err)


def test_from_tick_to_tick_of_the_1k_os(guest, tmp_path):
    """Back at full speed, in the kernel and in a program that computes; as often as forward, with more breakpoints
    than there are debug registers."""
    keys = tmp_path / "keys"
    keys.write_bytes(b"counter 3 50 &\nprimes\nsleep 400\n")
    with open(keys, "rb") as stdin:
        g = guest("-p", "--irqchip", "vmm", TOP / "kvm-vmm-x86/os-1k/kernel.bin", stdin=stdin)
    where = ["print $pc", "print milliseconds"]
    text = batch(g.remote(), "break clock_tick", "break *((char*)process_next+1)", *["continue", *where] * 12,
                 *["reverse-continue", *where] * 11, *["continue", *where] * 11,
                 "break trap_handle", "break clock_interrupt", "break syscall_handle", *["reverse-continue"] * 7,
                 "delete", "continue", symbols=TOP / "build/os-1k/flat.elf")
    stops = re.findall(r"\$\d+ = .*?(<.*>).*\n(?:.*\n)*?\$\d+ = (\d+)", text)
    assert stops[12:23] == stops[:11][::-1] and stops[23:] == stops[1:12], text
    assert len(set(stops)) > 3 and text.count("Breakpoint ") >= 12 + 11 + 11 + 7 + 5, text
    status, out, err = g.end()
    assert status == 0 and b"97" in out, (out, err)


def test_code_that_is_written_over(guest, symbols):
    """A trap would be lost without an exit; what was counted then is counted again in single steps."""
    g = guest("@rewrite")
    text = batch("set architecture i8086", g.remote(), "hbreak *finish", "continue", "delete", "hbreak *spot",
                 *["reverse-continue", "print *(short*)&count"] * 10, "delete", "continue", symbols=symbols("rewrite"))
    counts = re.findall(r"\$\d+ = (\d+)", text)
    assert counts[:9] == ["53", "37", "36", "35", "19", "18", "17", "1", "0"] and HISTORY_ENDS.search(text), text
    status, out, err = g.end()
    assert (status, out) == (0, b"...\n"), (out, err)


def test_a_guest_that_depends_on_the_time(guest):
    """The way back from its crash leads elsewhere, and so does the way to the crash: there is no state to go on from.
    One run in 256 is like the one before."""
    for _ in range(3):
        g = guest("@unlike")
        text = batch("set architecture i8086", g.remote(), "continue", "reverse-stepi")
        status, _, err = g.end()
        if status == 125:
            break
    assert "SIGSEGV" in text and status == 125, (text, err)
    assert "its state before the search cannot be restored: the guest did something else" in err, err


def test_refused(guest):
    """With two vCPUs, or much memory, gdb gets the reason, and the session continues."""
    for option, value, why in (("-c", "2", "several vCPUs never runs the same way twice"),
                               ("-m", "1G", "more than 512 MB of memory")):
        g = guest("-l", option, value, TOP / "kvm-vmm-x86/guest/hello_64.elf")
        text = batch(g.remote(), "reverse-stepi", "monitor who-wrote 2000", "continue")
        assert "does not support this command" in text and why in text, text
        assert g.end()[0] == 0
