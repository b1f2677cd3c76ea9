"""The shell, by serial line and by keyboard, and what is on the screen."""
import re

import pexpect
import pytest

from tests.hleos.machines import LIMIT, PANIC, Screen, qemu_command, vga

PROMPT = "hleos>\x1b\\[0m "


@pytest.fixture
def machine(image, sockets):
    """machine(command_line) -> (a pexpect of the serial line, the monitor)."""
    started = []

    def start(command_line="demo=no"):
        monitor = sockets / ("monitor%d" % len(started))
        command = qemu_command(image(command_line), "stdio",
                               extra=("-monitor", "unix:%s,server=on,wait=off" % monitor))
        serial = pexpect.spawn(command[0], [str(c) for c in command[1:]], timeout=LIMIT, encoding="utf-8")
        started.append(serial)
        serial.expect(PROMPT)
        return serial, Screen(monitor)

    yield start
    for serial in started:
        serial.close(force=True)


def run(serial, line):
    serial.send(line + "\r")
    serial.expect(PROMPT)
    return serial.before.replace("\r", "")


def test_commands(machine):
    serial, _ = machine()
    names = "help threads mem irq pci date uptime run test panic reboot halt".split()
    assert all(re.search(r"^  %s " % n, run(serial, "help"), re.M) for n in names)
    assert "idle" in run(serial, "threads") and "user" in run(serial, "threads")
    assert "usable" in run(serial, "mem") and "heap:" in run(serial, "mem")
    assert "keyboard" in run(serial, "irq")
    assert "host bridge" in run(serial, "pci")
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", run(serial, "date"))
    assert re.search(r"up \d+\.\d\d\d s", run(serial, "uptime"))
    assert "C job: 2262 primes below 20000" in run(serial, "run c")
    assert "no such job" in run(serial, "run nothing")
    assert "no such command" in run(serial, "frobnicate")
    assert "selftest: 4 passed, 0 failed" in run(serial, "test heap")


def test_line_editing_and_history(machine):
    serial, _ = machine()
    assert "selftest: 4 passed" in run(serial, "tesst\x1b[D\x1b[D\b\x1b[F heap")
    assert "selftest: 4 passed" in run(serial, "\x1b[A")


def test_demonstration(machine):
    serial, _ = machine("")
    text = serial.before
    assert text.count("Hello!") == 16 and text.count("Hi!") == 16
    assert "C job: 2262 primes below 20000" in text and "echo: " in text
    assert text.index("Hi!") < text.rindex("Hello!")


def test_halt_panic_and_status(machine):
    serial, _ = machine()
    serial.send("halt\r")
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == 33
    serial, _ = machine()
    serial.send("panic\r")
    serial.expect("KERNEL PANIC.*as you wish")
    serial.expect("panic_now\\+0x")
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == PANIC


@pytest.mark.parametrize("order, words", [
    ("nmi", ["non-maskable interrupt", "in thread idle", "KERNEL PANIC"]),
    ("mce 0 1 0xb600000000000000 0x5 0xabcd000 0", ["machine check", "bank 1: status b6000000", "address abcd000",
                                                    "KERNEL PANIC"]),
])
def test_what_the_machine_cannot_go_on_from(machine, order, words):
    serial, screen = machine()
    screen.send(order)
    for word in words:
        serial.expect(word)
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == PANIC


def test_reboot(machine):
    serial, _ = machine()
    serial.send("reboot\r")   # QEMU has -no-reboot: it ends
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == 0


def test_keyboard_and_screen(machine, scratch):
    serial, screen = machine()
    for key in ["shift-h", "e", "l", "p", "backspace", "x", "shift-1", "1", "ret"]:
        screen.do("sendkey " + key)
    serial.expect("Helx!1: no such command")
    serial.expect(PROMPT)
    lines = screen.lines(scratch / "page")
    assert any("Helx!1: no such command" in line for line in lines)
    for _ in range(3):   # more than the half screen that a step of the view is
        run(serial, "help")
    before = screen.lines(scratch / "page")
    screen.do("sendkey pgup")
    for _ in range(100):
        after = screen.lines(scratch / "page")
        if after[12:] == before[:13]:   # it is drawn row by row
            break
    assert after[12:] == before[:13]


def test_what_is_drawn_is_what_the_page_says(machine, scratch):
    """QEMU's picture against the page in memory: a cell that is not blank shows its ink, and no cell another colour."""
    serial, screen = machine("")
    run(serial, "help")
    screen.do("stop")   # nothing changes between the two
    cells, drawn = screen.page(scratch / "page"), screen.colours(scratch / "screen.ppm")
    cursor = max(i for i, (character, _) in enumerate(cells) if character != 0x20) + 2   # behind "hleos> "
    seen = set()
    for i, ((character, attribute), colours) in enumerate(zip(cells, drawn)):
        ink, paper = vga(attribute & 15), vga(attribute >> 4 & 7)
        assert colours <= {ink, paper}, (i, character, attribute, colours)
        if i != cursor:
            assert (ink in colours) == (character != 0x20), (i, character, attribute, colours)
        if character != 0x20:
            seen.add(attribute & 15)
    assert seen >= {2, 5, 7, 10}   # Hello!, Hi!, text, the prompt: the jobs have scrolled, and are still there
