"""The console of a Linux guest: a shell with job control at a terminal, and commands from a pipe."""
import hashlib

import pytest

from tests.support import PATIENT, finish


@pytest.fixture
def shell(linux):
    session = linux.terminal("cloud", "-c", 2, env=PATIENT)
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
    """A key before the program has the terminal would go to the shell."""
    session.sendline(SLEEPER)
    session.expect_exact(b"running")


def test_shell(shell):
    ask(shell, "tty", rb"/dev/ttyS0")
    ask(shell, "echo $((6 * 7))", rb"\n42\r")
    ask(shell, "nproc", rb"\n2\r")
    start_sleeper(shell)
    shell.send("\x03")  # ends a program of the guest, but not its shell or the VMM
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
    ask(shell, "fg", rb"Terminated")  # it continues in the foreground, and gets the signal
    shell.sendline("exit")  # the machine ends with the shell
    assert finish(shell) == 0


def test_end_of_input_is_the_shells_end(shell):
    shell.send("\x04")
    assert finish(shell) == 0


@pytest.mark.parametrize("name", ["cloud", "debian13", "i686"])
def test_piped_commands_arrive_whole(linux, name):
    """The commands are there before the guest starts: its serial driver must not discard them.

    Their echo on the terminal may be mixed with the guest's messages, so a checksum of them is compared.
    """
    lines = "".join("line %d\n" % number for number in range(400))
    commands = "echo $((6 * 7)) from a pipe\ncat > /got << END\n%sEND\nmd5sum /got\npoweroff -f\n" % lines
    result = linux.boot(name, "-c", 2, stdin=commands.encode())
    assert result.status == 0, result
    assert b"\n42 from a pipe\r" in result.out, result
    assert hashlib.md5(lines.encode()).hexdigest().encode() + b"  /got" in result.out, result


@pytest.mark.parametrize("commands, said", [(b"", b""), (b"sleep 1; echo $((6 * 7)) slept\n", b"\n42 slept\r")])
def test_the_end_of_piped_input_ends_it(linux, commands, said):
    """No command powers the machine off: the shell reads the end of its input, however late it starts to read."""
    result = linux.boot("cloud", stdin=commands)
    assert result.status == 0 and said in result.out and b"guest# " in result.out, result
