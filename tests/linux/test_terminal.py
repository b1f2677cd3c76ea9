"""The console of a Linux guest: a person at a shell with job control, and commands that come by a pipe."""
import hashlib

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


SLEEPER = """sh -c 'echo run""ning; exec sleep 100000'"""


def start_sleeper(session):
    """A key that comes before the program has the terminal would be the shell's."""
    session.sendline(SLEEPER)
    session.expect_exact(b"running")


def test_shell(shell):
    ask(shell, "tty", rb"/dev/ttyS0")
    ask(shell, "echo $((6 * 7))", rb"\n42\r")
    ask(shell, "nproc", rb"\n2\r")
    start_sleeper(shell)
    shell.send("\x03")  # ends a program of the guest, and neither its shell nor the VMM
    shell.expect_exact(b"guest# ")
    ask(shell, "echo alive", rb"\nalive\r")
    shell.sendline("poweroff -f")
    assert finish(shell) == 0


def test_job_control(shell):
    start_sleeper(shell)
    shell.send("\x1a")
    shell.expect(rb"Stopped")
    shell.expect_exact(b"guest# ")
    ask(shell, "jobs", rb"Stopped +sh -c")
    ask(shell, "kill %1", rb"\n")
    ask(shell, "fg", rb"Terminated")  # in the foreground it goes on, and finds the signal
    shell.sendline("exit")  # the shell's end is the machine's
    assert finish(shell) == 0


def test_end_of_input_is_the_shells_end(shell):
    shell.send("\x04")
    assert finish(shell) == 0


@pytest.mark.parametrize("name", ["cloud", "debian13", "i686"])
def test_piped_commands_arrive_whole(linux, name):
    """They are there before the guest is: its driver for the serial port must not get hold of them while it starts.

    What the terminal shows of them may be torn by the guest's own words; a sum over them may not.
    """
    lines = "".join("line %d\n" % number for number in range(400))
    commands = "echo $((6 * 7)) from a pipe\ncat > /got << END\n%sEND\nmd5sum /got\npoweroff -f\n" % lines
    result = linux.boot(name, "-c", 2, stdin=commands.encode())
    assert result.status == 0, result
    assert b"\n42 from a pipe\r" in result.out, result
    assert hashlib.md5(lines.encode()).hexdigest().encode() + b"  /got" in result.out, result


@pytest.mark.parametrize("commands, said", [(b"", b""), (b"sleep 1; echo $((6 * 7)) slept\n", b"\n42 slept\r")])
def test_the_end_of_piped_input_ends_it(linux, commands, said):
    """No command switches the machine off: the shell finds the end of its input, however late it begins to read."""
    result = linux.boot("cloud", stdin=commands)
    assert result.status == 0 and said in result.out and b"guest# " in result.out, result
