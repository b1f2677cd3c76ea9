"""Every prompt is printed before a key is typed. These tests do not depend on time: each blocks until it reads the
prompt, which must come by itself, and then sends the next line. A prompt that waits for a key would never come."""
import os
import subprocess

from tests.os1k.conftest import PROMPT, OnQemu, leave
from tests.support import LAB, LIMIT, finish

LEFT = b"\x1b[D"

DIALOGUE = [  # the system's output, and then the typed input
    (PROMPT, b"3"),
    (b"> ", b"some words"),
    (b"some words\r\n> ", b""),
    (PROMPT, b"6"),
    (b"calc> ", b"6*7"),
    (b"= 42\r\ncalc> ", b""),
    (PROMPT, b"8"),
    (b"first number: ", b"12"),
    (b"second number: ", b"18"),
    (b"gcd(12, 18) = 6\r\n" + PROMPT, b"write note"),
    (b"> ", b"a line"),
    (b"> ", b""),
    (b"7 bytes in note\r\n" + PROMPT, b"counter 1000000 60000 &"),
    (b"] started\r\n" + PROMPT, b"preempt count &"),  # an endless loop beside the shell
    (b"] started\r\n" + PROMPT, b"echo still here"),
    (b"still here\r\n" + PROMPT, b"nonsense"),
    (b"no such command (try `help`)\r\n" + PROMPT, b"0"),
]


def test_at_a_terminal(machine):
    session = machine.terminal()
    session.delaybeforesend = None
    for shown, typed in DIALOGUE:
        session.expect_exact(shown)
        session.send(typed + b"\r")
    assert finish(session) == 0


def test_on_a_pipe(machine):
    command = machine.command() if isinstance(machine, OnQemu) else [LAB, "run", *machine.command()]
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    seen = b""
    for shown, typed in DIALOGUE:
        while shown not in seen.replace(b"\r", b"").replace(b"\n", b"\r\n"):
            some = os.read(process.stdout.fileno(), 4096)
            assert some, "ended before %r: %r" % (shown, seen)
            seen += some
        seen = b""
        process.stdin.write(typed + b"\n")
        process.stdin.flush()
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0


def test_each_key_is_shown_before_the_next(machine):
    session = machine.terminal()
    session.delaybeforesend = None
    session.expect_exact(PROMPT)
    for key, shown in [(b"h", b"h"), (b"a", b"a"), (b"l", b"l"), (LEFT, b"\b"), (b"l", b"ll\b"), (b"\x03", PROMPT)]:
        session.send(key)
        session.expect_exact(shown)
    assert leave(session) == 0
