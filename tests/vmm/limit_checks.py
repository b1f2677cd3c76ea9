"""The other side does not read, or does not write: a time limit or a signal still ends the run.

Run by test_limits.py where KVM is complete, as `limit_checks.py CHECK HOW`: HOW is `timeout`, or the name of a signal.
Ends with status 0, or with a traceback.
"""
import array
import fcntl
import os
import pty
import signal
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / "kvm-vmm-x86"
LIMIT = 200
PAGE = 4096


def guest(name):
    return next(path for path in HERE.glob("guest/test/*/%s.*" % name) if path.suffix in (".bin", ".elf"))


def waiting(fd):
    """The number of unread bytes."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


class TooSlow(Exception):
    """The time limit came before the expected state: tried again with a longer one."""


def sleeps(run):
    """True if each thread of the VMM is blocked: on a busy machine a runnable thread may not run."""
    states = set()
    for task in Path("/proc/%d/task" % run.process.pid).glob("*/stat"):
        with suppress(OSError):  # a thread that has ended since
            states.add(task.read_text().rsplit(")", 1)[1].split()[0])
    return states == {"S"}


def stalls(run, fd, begun=0):
    """Waits until the VMM has written more than `begun` bytes there and has stopped. (A page may be full before its
    last byte.) If a guest runs that does not write, it waits for 3 s without a change.

    A write that is larger than the rest of a pipe's page waits completely: after a long time without a change, the page
    is read, and fills again."""
    before, since = begun, time.monotonic()
    while run.process.poll() is None:
        patience = 0.3 if sleeps(run) else 3
        now = waiting(fd)
        if now != before:
            before, since = now, time.monotonic()
        elif now > begun and time.monotonic() - since > patience:
            return
        elif begun and time.monotonic() - since > 10:
            os.read(fd, begun)
            begun = before = 0
        time.sleep(0.1)
    raise TooSlow


def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    return reader, writer


class Run:
    """The VMM, which HOW ends; its standard error goes to a file unless given."""

    seconds = 2

    def __init__(self, how, *arguments, **streams):
        options = ["--timeout", str(Run.seconds)] if how == "timeout" else []
        self.how, self.words = how, tempfile.TemporaryFile()
        self.process = subprocess.Popen([HERE / "kvm-vmm", *options, *map(str, arguments)],
                                        **{"stdin": subprocess.DEVNULL, "stderr": self.words, **streams})

    def says(self, text):
        """Waits for a text on its standard error."""
        while text.encode() not in os.pread(self.words.fileno(), 1 << 20, 0):
            if self.process.poll() is not None:
                raise TooSlow
            time.sleep(0.1)

    def has_guest(self):
        """Waits for the thread of a vCPU."""
        tasks = Path("/proc/%d/task" % self.process.pid)
        while self.process.poll() is None:
            for task in tasks.glob("*/comm"):
                with suppress(OSError):  # a thread that has ended since
                    if "vcpu" in task.read_text():
                        return
            time.sleep(0.1)
        raise TooSlow

    def end(self):
        """Ends it. Returns its standard error."""
        expected = 124
        if self.how != "timeout":
            number = getattr(signal, self.how)
            expected = 128 + number
            self.process.send_signal(number)
        status = self.process.wait(LIMIT)
        assert status == expected, status
        self.words.seek(0)
        return self.words.read().decode()


def check_output(how):
    """Standard output is not read while input arrives. The pipe is nearly full at the start: slow machines need longer
    than the limit to fill a page byte by byte."""
    reader, writer = small_pipe()
    begun = os.write(writer, bytes(PAGE - 64))
    end, start = os.pipe()
    run = Run(how, guest("flood"), stdin=end, stdout=writer)
    stalls(run, reader, begun)
    os.write(start, b"hello\n")
    time.sleep(0.2)
    assert "were not read" in run.end()


def check_prompt(how):
    """The pipe is full, and an incomplete line must be shown."""
    reader, writer = small_pipe()
    run = Run(how, guest("page_prompt"), stdout=writer)
    stalls(run, reader)
    assert "bytes of output were not read" in run.end()


def check_end(how):
    """The guest has ended, and there is no room for its last line."""
    reader, writer = small_pipe()
    run = Run(how, guest("page_end"), stdout=writer)
    stalls(run, reader)
    words = run.end()
    assert "bytes of output were not read" in words
    assert ("stopped by --timeout" if how == "timeout" else how) in words


def check_words(how):
    """The messages about each exit are not read."""
    reader, writer = small_pipe()
    run = Run(how, "-v", guest("storm"), stderr=writer)
    stalls(run, reader)
    run.end()


def check_log(how):
    """The log, which is written when the guest has ended, is not read."""
    fifo = tempfile.mkdtemp(dir="/var/tmp") + "/log"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PAGE)
    run = Run(how, "--log", fifo, "--max-exits", "10000", guest("storm"))
    stalls(run, reader)
    assert fifo in run.end()


def check_image(how):
    """The image is a pipe that is never written to."""
    fifo = tempfile.mkdtemp(dir="/var/tmp") + "/image"
    os.mkfifo(fifo)
    keep = os.open(fifo, os.O_RDWR)
    run = Run(how, fifo)
    if how == "timeout":
        run.end()
    else:  # it has no guest yet: the signal has its default effect
        time.sleep(0.2)
        run.process.send_signal(getattr(signal, how))
        assert run.process.wait(LIMIT) == -getattr(signal, how)
    os.close(keep)


def check_display(how):
    """The terminal with the text page is not read."""
    master, slave = pty.openpty()
    run = Run(how, "-m", "1M", "--display", "text", guest("painter"), stdin=slave, stdout=slave)
    stalls(run, master)
    run.end()


def check_neighbour(how):
    """One guest prints 480 MiB; the other prints its line at the same time."""
    reader, writer = os.pipe()
    run = Run("SIGTERM", "-l", "-m", "512M", guest("hog"), HERE / "guest/hello_64.elf", stdout=writer)
    os.close(writer)
    seen, end = b"", time.monotonic() + LIMIT
    while b"in 64 bits" not in seen:
        seen = seen[-100:] + os.read(reader, 1 << 20).replace(b"\0", b"")
        assert time.monotonic() < end
    run.how = how if how != "timeout" else "SIGTERM"
    run.end()


def check_reset(how):
    """A guest that resets its machine for ever."""
    run = Run(how, "--reboot", guest("reset_forever"))
    run.has_guest()
    run.end()


def check_slow_restart(how):
    """A guest starts again, and its symbols are on a disk that does not answer; another guest continues."""
    run = Run(how, "--no-sandbox", "--reboot", "--symbols", guest("late_halt"), "--stats", guest("reset_forever"),
              guest("spin"), env={**os.environ, "LD_PRELOAD": os.environ["SLOW"]})
    run.says("hangs")
    words = run.end()
    assert "hangs" in words and "[guest 0]" in words and "[guest 1]" in words, words


def check_slow_start(how):
    """The image is on a disk that does not answer, so the main thread hangs."""
    run = Run(how, guest("late_halt"), env={**os.environ, "LD_PRELOAD": os.environ["SLOW"], "HANGS_AT": "0"})
    if how == "timeout":
        run.says("hangs")
        words = run.end()
        assert "hangs" in words and "does not answer" in words, words
    else:  # it has no guest yet: the signal has its default effect
        time.sleep(0.2)
        run.process.send_signal(getattr(signal, how))
        assert run.process.wait(LIMIT) == -getattr(signal, how)


def main(check, how):
    while True:
        try:
            return globals()["check_" + check](how)
        except TooSlow:
            Run.seconds *= 2
            assert how == "timeout" and Run.seconds < LIMIT, "it ended before anything was seen"


if __name__ == "__main__":
    main(*sys.argv[1:])
