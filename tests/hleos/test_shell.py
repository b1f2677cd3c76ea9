"""The shell, by serial line and by keyboard, and the screen."""
import re
import time

import pexpect
import pytest

from tests.hleos.machines import LIMIT, PANIC, Screen, nmi_in_abuse, qemu_command, stop_at, stop_in_program, vga

PROMPT = "hleos>\x1b\\[0m "


@pytest.fixture
def machine(image, sockets):
    """machine(QEMU's options) -> (a pexpect of the serial line, the monitor)."""
    started = []

    def start(*extra, command_line="", prompt=PROMPT):
        monitor = sockets / ("monitor%d" % len(started))
        more = ("-monitor", "unix:%s,server=on,wait=off" % monitor, *extra)
        command = qemu_command(image(command_line), "stdio", extra=more)
        serial = pexpect.spawn(command[0], [str(c) for c in command[1:]], timeout=LIMIT, encoding="utf-8")
        started.append(serial)
        serial.expect(prompt)
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
    names = "help threads cpus mem irq pci date uptime demo programs run init test panic reboot halt".split()
    names += "write rm mkdir fsync df".split()
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
    assert re.search(r"^  hello +\d+ bytes", run(serial, "programs"), re.M)
    assert "selftest: 8 passed, 0 failed" in run(serial, "test heap")


def test_line_editing_and_history(machine):
    serial, _ = machine()
    assert "selftest: 8 passed" in run(serial, "tesst\x1b[D\x1b[D\b\x1b[F heap")
    assert "selftest: 8 passed" in run(serial, "\x1b[A")


def test_demonstration(machine):
    """It runs on command: keys typed before and during its start are not lost."""
    serial, _ = machine()
    text = serial.before
    assert "clock: TSC" in text and "Hello!" not in text
    text = run(serial, "demo")
    assert text.count("Hello!") == 16 and text.count("Hi!") == 16
    assert "C job: 2262 primes below 20000" in text and "echo: " in text
    assert text.index("Hi!") < text.rindex("Hello!")


def test_programs(machine):
    """Programs are started by name; their status is printed. A fault is explained and ends only its program."""
    serial, _ = machine()
    text = run(serial, "hello a b")
    assert "Hello from ring 3, process 1: hello a b" in text and "hello: status 3" in text
    text = run(serial, "abuse 2")
    assert "page fault" in text and "in program abuse at 0x4" in text
    assert "write to ffff800000100000: not allowed there" in text and "thread abuse is ended" in text
    assert "process 3: hello" in run(serial, "hello")


def test_the_programs_shell(machine):
    """Pipes, redirection, background jobs, input for a program, and the return to the kernel's shell."""
    serial, _ = machine()

    def say(line, prompt="\\$ "):
        serial.send(line + "\r")
        serial.expect(prompt)
        return serial.before.replace("\r", "")

    assert "no such command" not in say("sh")
    assert re.search(r"^1 2 8$", say("echo one two | cat | wc"), re.M)
    assert re.search(r"^file +\d+ +1 +\d+  sh$", say("ls /bin | grep 'sh$'"), re.M)
    assert re.search(r"^one$", say("echo one > /f; cat < /f; rm /f"), re.M)
    assert "cat: /f: cannot be opened" in say("cat /f")
    assert re.search(r"^file +\d+ +1 +2  x$", say("mkdir /d; cd /d; echo x > x; ls"), re.M)
    assert re.search(r"^file +\d+ +1 +\d+  //bin//cat$", say("rm x; cd /; rm d; ls //bin//cat"), re.M)
    assert "sh: nothing: no such program" in say("nothing")
    process = re.search(r"\[(\d+)\]", say("sleep 1000000 &"))[1]
    assert re.search(r"^ *%s .* sleep$" % process, say("ps"), re.M)
    assert not re.search(r"^ *%s .*there +sleep$" % process, say("kill %s; ps" % process), re.M)
    assert "write to ffff800000100000: not allowed there" in say("abuse 2")
    serial.send("cat | wc\rtwo words\r\x04")
    serial.expect("1 2 10")
    serial.expect("\\$ ")
    assert "sh: status 5" in say("exit 5", PROMPT)
    assert "idle" in run(serial, "threads")


def test_init(machine):
    """init starts shells, and is the parent of orphans; /proc shows them. If it is killed, all other programs end
    too."""
    serial, _ = machine("-smp", "2", command_line="init", prompt="sh\\$ ")

    def say(line):
        serial.send(line + "\r")
        serial.expect("sh\\$ ")
        return serial.before.replace("\r", "")

    text = say("ps")
    init, shell = (re.search(r"^ +(\d+) .* %s$" % name, text, re.M)[1] for name in ("init", "sh"))
    sleeper = re.search(r"\[(\d+)\]", say("sleep 1000000 &"))[1]
    assert re.search(r"^ +%s +%s .* sleep$" % (sleeper, shell), say("ps"), re.M)
    assert "init: the shell has ended with status 3" in say("exit 3")
    assert re.search(r"^ +%s +%s .*there +sleep$" % (sleeper, init), say("cat /proc/processes"), re.M)
    say("kill %s" % sleeper)
    end = time.monotonic() + LIMIT
    while re.search(r"^ +%s " % sleeper, say("ps"), re.M):   # it ends when it is woken; then init reaps it
        assert time.monotonic() < end
    assert re.search(r"^ +lock \w+ +rank \d+ +taken \d+ times", say("cat /proc/locks"), re.M)
    listing = say("ls /proc/")
    names = set(re.findall(r"^file +\d+ +1 +[1-9]\d*  (\w+)$", listing, re.M))
    assert "cannot be opened" not in listing + say("ls /proc") + say("ls /dev") + say("ls /bin")
    assert names == set("processes threads processors locks memory interrupts".split())
    assert " idle " in say("grep idle /proc/threads")
    serial.send("kill %s\r" % init)
    serial.expect("init has ended with status 0x200\r")
    serial.expect(PROMPT)
    assert " sh\n" not in run(serial, "ps") and "usable" in run(serial, "mem")
    serial.send("init\r")
    serial.expect("sh\\$ ")


def test_nmi_in_a_program(machine):
    """The NMI comes while GS is the program's: the kernel must load its own."""
    serial, screen = machine()
    serial.send("abuse 17\r")
    serial.expect("abuse 17")
    stop_in_program(screen)
    nmi_in_abuse(serial, screen)


def test_locks_in_the_wrong_order(machine):
    """On four processors: the panic names both locks, and the other three say nothing more."""
    serial, _ = machine("-smp", "4")
    assert len(re.findall(r"^  cpu \d+ +APIC \d+", run(serial, "cpus"), re.M)) == 4
    serial.send("panic order\r")
    serial.expect("lock outer \\(rank 1\\) is taken while lock inner \\(rank 10\\) is held")
    serial.expect("panic_now\\+0x")
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == PANIC


def test_halt_panic_and_status(machine):
    serial, _ = machine()
    serial.send("halt\r")
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == 33
    serial, _ = machine()
    serial.send("panic\r")
    serial.expect("KERNEL PANIC.*requested at the prompt")
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
    stop_at(screen, "HLT=1")   # else it may still run in the shell's thread
    screen.do(order)
    screen.send("cont")
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
    for key, shown in [("shift-h", "H"), ("e", "e"), ("l", "l"), ("p", "p"), ("backspace", "\b"), ("x", "x"),
                       ("shift-1", "!"), ("1", "1"), ("ret", "\r")]:
        screen.do("sendkey " + key)
        serial.expect_exact(shown)   # the keyboard's queue has room for 16 bytes
    serial.expect_exact("\nHelx!1: no such command")
    serial.expect(PROMPT)
    lines = screen.lines(scratch / "page")
    assert any("Helx!1: no such command" in line for line in lines)
    for _ in range(3):   # more than the half screen by which the view moves
        run(serial, "help")
    before = screen.lines(scratch / "page")
    screen.do("sendkey pgup")
    assert screen.shows(scratch / "page", lambda lines: lines[12:] == before[:13])[12:] == before[:13]


def test_a_line_longer_than_the_screen(machine, scratch):
    """The line stays in its row, also on the screen, with all editing keys."""
    serial, screen = machine()
    serial.send("0123456789" * 11)
    for _ in range(5):
        serial.send("\x1b[H" + "\x1b[C" * 3 + "\x1b[F" + "\b" * 30 + "y" * 30)
    serial.send("\x15" + "uptime")
    serial.expect("u\x1b?.*p.*t.*i.*m.*e")
    page = screen.shows(scratch / "page", lambda lines: [line for line in lines if line.startswith("hleos>")] ==
                        ["hleos> uptime"])
    assert [line for line in page if line.startswith("hleos>")] == ["hleos> uptime"]
    assert not any("0123456789" in line for line in page)
    assert "s, " in run(serial, "")


def test_the_date_leaves_nmi_open(machine, scratch):
    """Checks the last write to bit 7 of port 70h."""
    trace = scratch / "trace"
    serial, screen = machine("-D", str(trace))
    screen.do("trace-event memory_region_ops_write on")
    run(serial, "date")
    screen.do("trace-event memory_region_ops_write off")
    written = re.findall(r"addr 0x70 value 0x(\w+)", trace.read_text(errors="replace"))
    assert len(written) > 6 and int(written[-1], 16) & 0x80 == 0, written


def test_what_is_drawn_is_what_the_page_says(machine, scratch):
    """Compares QEMU's picture with the text page in memory: a cell that is not blank has its foreground colour, and no
    cell has other colours."""
    serial, screen = machine()
    run(serial, "demo")
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


def test_the_editor(machine):
    serial, _ = machine()

    def say(line, expected):
        serial.send(line + "\r")
        serial.expect(expected)

    say("sh", "\\$ ")
    say("ed /letter", "\n0 lines\r")
    for line in ("a", "one", "two", "three", "."):
        say(line, line + "\r")
    say("2s/two/2nd/", "\n2nd\r")
    say("1d", "1d\r")
    say(",n", "    1  2nd\r+\n    2  three\r")
    say("5p", "there is no such line\r")
    say("s/nothing/x/", "nothing was changed\r")
    say("q", "there are changes")
    say("w", "\n10\r")
    say("q", "\\$ ")
    say("ed /letter", "\n2 lines\r")
    for line in ("1i", "zero", "."):
        say(line, line + "\r")
    say("w", "\n15\r")
    say("q", "\\$ ")
    say("cat /letter; ed /bin; rm /letter", "\nzero\r+\n2nd\r+\nthree\r+\ned: the file cannot be read\r")
    serial.expect("\\$ ")
