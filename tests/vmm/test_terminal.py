"""At a terminal: raw while a guest reads, as it was afterwards, and the Ctrl-A keys."""
import os
import pty
import signal
import subprocess
import termios
import tty

import pytest

from tests.support import finish, lab_run


def settings(fd):
    return termios.tcgetattr(fd)[:6] + [termios.tcgetattr(fd)[6][:termios.VMIN]]


def test_a_prompt_comes_at_once(vmm):
    """It has no end of line, and is there before any input is."""
    session = vmm.terminal("@name")
    session.expect_exact(b"name? ")
    session.send(b"Ada\r")
    session.expect_exact(b"hello, Ada")
    assert finish(session) == 0


def test_ctrl_c_goes_to_a_guest_that_reads(vmm):
    session = vmm.terminal("@echo")
    session.send(b"a\x03b")
    session.expect_exact(b"a\x03b")
    session.send(b"\x01x")
    assert finish(session) == 0


def test_ctrl_c_ends_a_guest_that_does_not_read(vmm):
    session = vmm.terminal("@spin")
    session.expect_exact(b".")
    session.sendintr()
    assert finish(session) == 128 + signal.SIGINT


def test_ctrl_a_x_leaves(vmm):
    session = vmm.terminal("@name")
    session.expect_exact(b"name? ")
    session.send(b"\x01x")
    assert finish(session) == 0


def test_ctrl_a_h_helps(vmm):
    session = vmm.terminal("@name")
    session.expect_exact(b"name? ")
    session.send(b"\x01h")
    session.expect(b"[Cc]trl-A x")
    session.send(b"Ada\r")
    session.expect_exact(b"hello, Ada")
    assert finish(session) == 0


def test_ctrl_a_twice_is_one_ctrl_a(vmm):
    session = vmm.terminal("@echo")
    session.send(b"<\x01\x01>")
    session.expect_exact(b"<\x01>")
    session.send(b"\x01x")
    assert finish(session) == 0


def test_ctrl_a_n_moves_the_input(vmm):
    session = vmm.terminal("--color=never", "@uart_until_q", "@uart_until_q")
    session.send(b"first\r")
    session.expect_exact(b"first")
    session.send(b"\x01n")
    session.expect_exact(b"guest 1")
    session.send(b"second\rq")  # ends guest 1, and the input goes on to the one that is left
    session.expect_exact(b"second")
    session.send(b"\x01n")
    session.expect_exact(b"guest 0")
    session.send(b"third\rq")
    session.expect_exact(b"third")
    assert finish(session) == 0


def test_colours_on_a_terminal_when_there_are_several(vmm):
    session = vmm.terminal("@hello", "@counter")
    assert finish(session) == 0
    assert b"\033[31m" in session.before and b"\033[32m" in session.before
    session = vmm.terminal("@hello")
    assert finish(session) == 0
    assert session.before.replace(b"\r\n", b"\n") == b"Hello, KVM!\n"


class Terminal:
    """A pseudo-terminal whose inner end stays open here, so that its settings can be read when the VMM is gone."""

    def __init__(self, command):
        self.outer, self.inner = pty.openpty()
        self.before = settings(self.inner)
        self.process = subprocess.Popen(command, stdin=self.inner, stdout=self.inner, stderr=self.inner,
                                        start_new_session=True)

    def read_until(self, text):
        seen = b""
        while text not in seen:
            seen += os.read(self.outer, 1000)

    def is_raw(self):
        return not settings(self.inner)[tty.LFLAG] & termios.ICANON

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        os.close(self.outer)
        os.close(self.inner)


@pytest.fixture
def session(vmm, scratch):
    """session(guest): at a terminal, under a name of its own, by which its processes are found."""
    opened = []

    def start(guest):
        image = scratch / ("%s-%d.bin" % (guest, os.getpid()))
        image.write_bytes(vmm.guest(guest).read_bytes())
        opened.append(Terminal(["lab/lab", "run", *map(str, vmm.command(image))]))
        opened[-1].image = image
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def still_running(image):
    """Processes whose command line holds the image's path, here or in the lab (the search's own aside)."""
    pattern = str(image)[:-1] + "[%s]" % str(image)[-1]
    found = lab_run("/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o '%s'" % pattern)
    return found.out.decode().split()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_leaves_the_terminal_sane_and_nothing_behind(session, number):
    terminal = session("name")
    terminal.read_until(b"name? ")
    assert terminal.is_raw()
    terminal.process.send_signal(number)
    status = terminal.process.wait(timeout=30)
    assert status in (128 + number, -number)
    assert settings(terminal.inner) == terminal.before
    assert still_running(terminal.image) == []


@pytest.mark.parametrize("keys, status", [(b"Ada\r", 0), (b"\x01x", 0)])
def test_the_terminal_is_as_it_was(session, keys, status):
    terminal = session("name")
    terminal.read_until(b"name? ")
    os.write(terminal.outer, keys)
    assert terminal.process.wait(timeout=30) == status
    assert settings(terminal.inner) == terminal.before


def test_a_guest_that_does_not_read_leaves_the_terminal_alone(session):
    terminal = session("spin")
    terminal.read_until(b".")
    assert not terminal.is_raw()
    terminal.process.terminate()
    assert terminal.process.wait(timeout=30) in (128 + signal.SIGTERM, -signal.SIGTERM)
    assert settings(terminal.inner) == terminal.before
