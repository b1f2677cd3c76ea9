"""A person at the console of a Linux guest: a shell with job control on a pseudo-terminal."""
import pytest

from tests.support import finish


@pytest.fixture
def shell(linux):
    session = linux.terminal("cloud", "-c", 2)
    session.expect_exact(b"guest# ")
    yield session
    session.close(force=True)


def ask(session, command, *answers):
    session.sendline(command)
    session.expect_exact(command.encode())
    for answer in answers:
        session.expect(answer)
    session.expect_exact(b"guest# ")


def test_shell(shell):
    ask(shell, "tty", rb"/dev/ttyS0")
    ask(shell, "echo $((6 * 7))", rb"\n42\r")
    ask(shell, "nproc", rb"\n2\r")
    shell.sendline("exit")  # the shell's end is the machine's
    assert finish(shell) == 0


def test_interrupt_reaches_the_guest(shell):
    """Ctrl-C ends a program of the guest and neither its shell nor the VMM."""
    shell.sendline("sleep 1000; echo status=$?")
    shell.expect_exact(b"status=$?")
    shell.sendline("typed ahead")  # comes back from the terminal's driver: sleep has the terminal now
    shell.expect_exact(b"typed ahead")
    shell.send("\x03")
    shell.expect_exact(b"guest# ")
    ask(shell, "echo alive", rb"\nalive\r")
    shell.sendline("poweroff -f")
    assert finish(shell) == 0


def test_job_control(shell):
    shell.sendline("sleep 1000")
    shell.expect_exact(b"sleep 1000")
    shell.send("\x1a")
    shell.expect(rb"Stopped")
    shell.expect_exact(b"guest# ")
    ask(shell, "jobs", rb"Stopped +sleep 1000")
    ask(shell, "kill %1", rb"\n")
    ask(shell, "fg", rb"Terminated")  # in the foreground it goes on, and finds the signal
    shell.sendline("exit")
    assert finish(shell) == 0


def test_end_of_input_is_the_shells_end(shell):
    shell.send("\x04")
    assert finish(shell) == 0
