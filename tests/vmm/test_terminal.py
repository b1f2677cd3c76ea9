"""At a terminal: prompts, colours, Ctrl-C and the Ctrl-A keys."""
import signal

from tests.support import PATIENT, finish


def test_a_prompt_comes_at_once(vmm):
    """The prompt has no newline, and is printed before any input."""
    session = vmm.terminal("@name")
    session.expect_exact(b"name? ")
    session.send(b"Ada\r")
    session.expect_exact(b"hello, Ada")
    assert finish(session) == 0


def test_ctrl_c_ends_a_guest_that_does_not_read(vmm):
    session = vmm.terminal("@spin", env=PATIENT)
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


def test_colours_on_a_terminal_when_there_are_several(vmm):
    session = vmm.terminal("@hello", "@counter")
    assert finish(session) == 0
    assert b"\033[31m" in session.before and b"\033[32m" in session.before
    session = vmm.terminal("@hello")
    assert finish(session) == 0
    assert session.before.replace(b"\r\n", b"\n") == b"Hello, KVM!\n"
