"""HLeOs on the VMM's text display, checked from the master side of its terminal.

The lab connects terminals, so the one to check is inside the lab: test_display.py runs this file where KVM is complete,
with the name of a check. Each ends with status 0, or with a traceback.
"""
import re
import signal
import sys
import termios
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
LIMIT = 540  # seconds; the lab gives it 600
PIECE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|(.)", re.S)


class Display:
    """kvm-vmm on its own terminal, with a model of the ECMA-48 sequences that the display may send."""

    def __init__(self, command_line, rows=25, options=()):
        self.rows, self.raw, self.other, self.left = rows, "", False, ""
        self.clear()
        self.child = pexpect.spawn(str(TOP / "kvm-vmm-x86/kvm-vmm"),
                                   [*options, "--display", "text", "--append", command_line,
                                    str(TOP / "build/hleos/hleos.elf")],
                                   timeout=LIMIT, dimensions=(rows, 80), encoding="utf-8")

    def clear(self):
        self.cells, self.row, self.column, self.cursor = {}, 0, 0, True

    def control(self, private, numbers, letter):
        values = [int(n or 0) for n in numbers.split(";")]
        if private and letter in "hl":
            if values == [1049]:
                self.other = letter == "h"
            elif values == [25]:
                self.cursor = letter == "h"
        elif letter == "H":
            self.row, self.column = values[0] - 1, values[1] - 1
        elif letter == "J":
            self.clear()
        else:
            assert letter in "mK", "an unknown sequence: %r" % letter

    def read(self):
        """Processes new output. False at the end."""
        try:
            self.raw += self.child.read_nonblocking(65536, timeout=1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        whole = len(self.raw)
        tail = self.raw.rfind("\x1b")
        if tail >= 0 and not re.match(r"\x1b\[\??[0-9;]*[A-Za-z]", self.raw[tail:]):
            whole = tail  # a sequence cut in two
        for private, numbers, letter, plain in PIECE.findall(self.raw[:whole]):
            if letter:
                self.control(private, numbers, letter)
            elif self.other:
                assert 0 <= self.row < self.rows and 0 <= self.column < 80, "drawn outside the terminal"
                self.cells[self.row, self.column] = plain
                self.column += 1
            else:
                self.left += plain
        self.raw = self.raw[whole:]
        return True

    def lines(self):
        return ["".join(self.cells.get((r, c), " ") for c in range(80)).rstrip() for r in range(self.rows)]

    def until(self, condition):
        """Waits until the condition is true, however long that takes."""
        end = time.monotonic() + LIMIT
        while not condition(self.lines()):
            assert time.monotonic() < end and self.read(), "it never came to be:\n" + "\n".join(self.lines())

    def at_prompt(self):
        self.until(lambda lines: any(line == PROMPT for line in lines))
        self.until(lambda lines: self.cursor and lines[self.row] == PROMPT)

    def status(self):
        while self.read():
            pass
        self.child.close()
        assert not self.other, "the terminal was not given back"
        return self.child.exitstatus


PROMPT = "hleos>"


def check_a_command_is_typed_and_answered():
    display = Display("")
    display.at_prompt()
    display.child.send("run x\177c\r")
    display.until(lambda lines: "C job: 2262 primes below 20000" in lines)
    assert any(line.endswith("run c") for line in display.lines())  # the deleted letter is gone from the page
    display.at_prompt()
    display.child.send("HALT, no!\177\177\033[5~")  # shift, and a key with an escape sequence
    display.until(lambda lines: lines[display.row].endswith("HALT, n"))
    display.child.send("\177" * 7 + "panic\r")
    assert display.status() == 37
    assert "KERNEL PANIC" in display.left and "\x1b" not in display.left  # the page stays, as text


def check_a_small_terminal_shows_the_prompt():
    display = Display("", rows=10)
    display.at_prompt()
    display.child.send("help\r")
    display.until(lambda lines: not any("loaded by kvm-vmm" in line for line in lines))
    display.at_prompt()  # now below the tenth line of the page
    display.child.send("reboot\r")
    assert display.status() == 0


def check_it_leaves_the_terminal_as_it_was():
    display = Display("")
    display.at_prompt()
    assert not termios.tcgetattr(display.child.child_fd)[3] & (termios.ICANON | termios.ISIG | termios.ECHO)
    display.child.send("\x01h")
    display.until(lambda lines: any("Ctrl-A x leaves" in line for line in lines))
    display.child.send("\x01x")
    assert display.status() == 0
    display = Display("")
    display.at_prompt()
    display.child.kill(signal.SIGTSTP)
    display.until(lambda lines: not display.other)
    display.clear()
    display.child.kill(signal.SIGCONT)
    display.at_prompt()  # all of the page is drawn again
    display.child.kill(signal.SIGTERM)
    assert display.status() == 128 + signal.SIGTERM


def check_its_own_words_are_not_drawn_over():
    display = Display("", options=["-v"])
    assert display.status() == 125
    assert "send standard error to a file" in display.left


if __name__ == "__main__":
    globals()["check_" + sys.argv[1]]()
