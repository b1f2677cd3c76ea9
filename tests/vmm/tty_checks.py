"""The effects of the VMM on its terminal, checked from the master side of that terminal.

The lab connects terminals, so the one to check is inside the lab: test_tty.py runs this file where KVM is complete,
with the name of a check. Each ends with status 0, or with a traceback.
"""
import os
import signal
import sys
import termios
import time
from pathlib import Path

import pexpect

HERE = Path(__file__).resolve().parents[2] / "kvm-vmm-x86"
LIMIT = 200


def start(*guests, options=()):
    images = [str(next(HERE.glob("guest/test/*/%s.bin" % name))) for name in guests]
    session = pexpect.spawn(str(HERE / "kvm-vmm"), [*options, *images], timeout=LIMIT)
    session.delaybeforesend = None  # of 50 ms for each line
    return session


def is_raw(session):
    return not termios.tcgetattr(session.child_fd)[3] & (termios.ICANON | termios.ISIG | termios.ECHO)


def becomes(condition):
    """Waits until the condition is true, however long that takes."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def status(session):
    session.expect(pexpect.EOF)
    session.close()
    return session.exitstatus


def reading():
    """A guest at its prompt: the terminal is raw by then, since input is not echoed twice."""
    session = start("name")
    session.expect_exact(b"name? ")
    becomes(lambda: is_raw(session))
    return session


def check_raw_only_while_a_guest_reads():
    session = start("spin")
    session.expect_exact(b".")
    assert not is_raw(session)
    session.sendintr()
    assert status(session) == 128 + signal.SIGINT
    session = reading()
    before = session.child_fd
    session.send(b"Ada\r")
    session.expect_exact(b"hello, Ada")
    becomes(lambda: not session.isalive() or not is_raw(session))
    assert before >= 0 and status(session) == 0


def check_ctrl_c_reaches_a_guest_that_reads():
    session = start("echo")
    session.send(b"")
    becomes(lambda: is_raw(session))
    session.send(b"a\x03b")
    session.expect_exact(b"a\x03b")
    session.send(b"\x01x")
    assert status(session) == 0


def check_the_input_moves_on():
    """Ctrl-A n moves the input to the next guest; the guest that had it reads the end of input. Ctrl-C while a guest
    does not read ends the run."""
    session = start("echo", "spin", "echo")
    session.expect_exact(b".")
    becomes(lambda: is_raw(session))
    session.send(b"0\r")
    session.expect_exact(b"\x1b[31m0")
    session.send(b"\x01n")
    session.expect_exact(b"guest 1")
    session.send(b"\x03")
    assert status(session) == 128 + signal.SIGINT


def check_signals():
    """For each signal that ends it: the terminal is restored, and no process is left. The status is 128 + N; a crash
    ends it by its signal."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGSEGV, signal.SIGBUS):
        crash = number in (signal.SIGSEGV, signal.SIGBUS)
        master, slave = os.openpty()
        before = termios.tcgetattr(slave)
        child = os.fork()
        if child == 0:
            os.login_tty(slave)
            image = str(next(HERE.glob("guest/test/*/echo.bin")))
            os.execv(str(HERE / "kvm-vmm"), ["kvm-vmm", image])
        becomes(lambda: not termios.tcgetattr(slave)[3] & termios.ICANON)
        os.kill(child, number)
        _, how = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(how) == (-number if crash else 128 + number), (number, how)
        assert termios.tcgetattr(slave) == before, number
        assert not list(Path("/proc").glob("[0-9]*/task/%d" % child)), "somebody is left"
        os.close(master)
        os.close(slave)


def check_suspended_and_continued():
    """SIGTSTP restores the terminal; SIGCONT makes it raw again, and the guest continues to read."""
    session = reading()
    session.kill(signal.SIGTSTP)
    becomes(lambda: not is_raw(session))
    becomes(lambda: Path("/proc/%d/stat" % session.pid).read_text().rsplit(")", 1)[1].split()[0] == "T")
    session.kill(signal.SIGCONT)
    becomes(lambda: is_raw(session))
    session.send(b"Eve\r")
    session.expect_exact(b"hello, Eve")
    assert status(session) == 0


def check_keys_behind_much_typed():
    """More is typed than the guest's queue holds: Ctrl-C and Ctrl-A x still work."""
    for keys, expected in ((b"\x03", 128 + signal.SIGINT), (b"\x01x", 0)):
        session = start("reads_once")
        session.expect_exact(b"?")
        becomes(lambda: is_raw(session))
        session.send(b"a")
        session.expect_exact(b"!")
        for _ in range(100):  # the terminal takes a few thousand bytes at once, and blocks until they are read
            session.send(b"a" * 1000)
        session.send(keys)
        assert status(session) == expected


def check_the_focus_comes_back():
    """Of two guests that read, the one that had the input has it again after its restart."""
    session = start("restart", "echo", options=["--reboot"])
    becomes(lambda: is_raw(session))
    for key in b"abc":
        session.send(bytes([key]))
        session.expect_exact(b"\x1b[31m%c" % key)
    session.send(b"\x01x")
    assert status(session) == 0


def check_the_display_starts_again():
    """A guest with a text page resets its machine again and again, and has new memory each time."""
    session = start("reset_forever", options=["--reboot", "-m", "1M", "--display", "text"])
    session.expect_exact(b"\x1b[?1049h")
    time.sleep(1)
    session.kill(signal.SIGTERM)
    session.expect_exact(b"\x1b[?1049l")
    assert status(session) == 128 + signal.SIGTERM


if __name__ == "__main__":
    globals()["check_" + sys.argv[1]]()
