"""The real gdb on this machine, and guests where KVM is complete: here or in the lab.

In both cases gdb reaches a guest through a pipe to socat, which connects to a unix socket in /var/tmp there.
"""
import itertools
import os
import re
import subprocess

import pexpect
import pytest

from tests.support import LAB, LIMIT, TOP, lab_run

NUMBERS = itertools.count()
PROMPT = r"\(gdb\) "


class Guest:
    """A VMM with --gdb, reached through a pipe. `args` as for Vmm.command."""

    def __init__(self, vmm, *args, wait=True, stdin=subprocess.DEVNULL):
        self.socket = "/var/tmp/gdb-%d-%d.sock" % (os.getpid(), next(NUMBERS))
        command = vmm.command("--gdb", "unix:" + self.socket, *(["-S"] if wait else []), *args)
        self.process = subprocess.Popen([LAB, "run", *map(str, command)], cwd=TOP, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.said = self.printed = b""
        while b"target remote" not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line

    def remote(self, index=0):
        """The argument of gdb's `target remote` for guest `index` of the run."""
        return "target remote | %s run socat - UNIX:%s" % (LAB, self.socket + (".%d" % index if index else ""))

    def client(self, index=0):
        """A client that is not gdb: a process that connects its standard streams to the guest's socket."""
        return subprocess.Popen([LAB, "run", "socat", "-", "UNIX:" + self.socket + (".%d" % index if index else "")],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def wait_for(self, text):
        """Waits until the guest has printed this."""
        while text not in self.printed:
            byte = os.read(self.process.stdout.fileno(), 1)
            assert byte, self.printed
            self.printed += byte

    def end(self):
        """Waits for the VMM's end. Returns status, standard output, standard error."""
        out, err = self.process.communicate(timeout=LIMIT)
        out = self.printed + out
        return self.process.returncode, out, (self.said + err).decode()

    def discard(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def guest(vmm):
    """guest(*args, wait=True): starts a VMM, which is ended with the test."""
    started = []

    def start(*args, **options):
        started.append(Guest(vmm, *args, **options))
        return started[-1]
    yield start
    for one in started:
        one.discard()


def batch(*commands, symbols=None):
    """Runs gdb with these commands. Returns its output."""
    words = ["gdb", "-q", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
             "-ex", "set width 0", "-ex", "set remotetimeout 200"]
    if symbols:
        words += ["-ex", "file %s" % symbols]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    return done.stdout.decode("utf-8", "replace")


class Session:
    """gdb at a terminal, for tests with keys."""

    def __init__(self, symbols=None):
        self.gdb = pexpect.spawn("gdb", ["-q", "-nx"], cwd=str(TOP), timeout=LIMIT, encoding="utf-8",
                                 codec_errors="replace", dimensions=(200, 200),
                                 env={**os.environ, "TERM": "dumb", "DEBUGINFOD_URLS": ""})
        self.gdb.expect(PROMPT)
        for setting in ("pagination off", "confirm off", "width 0", "style enabled off", "remotetimeout 200"):
            self.do("set " + setting)
        if symbols:
            self.do("file %s" % symbols)

    def do(self, command):
        """Types a command. Returns the output until the next prompt."""
        self.gdb.sendline(command)
        self.gdb.expect(PROMPT)
        return self.gdb.before.replace("\r", "")

    def go(self, command="continue"):
        """Types a command that resumes the guest, and waits until the guest runs."""
        self.gdb.sendline(command)
        self.gdb.expect("Continuing")

    def interrupt(self):
        self.gdb.sendintr()
        self.gdb.expect(PROMPT)
        return self.gdb.before.replace("\r", "")

    def stopped(self):
        self.gdb.expect(PROMPT)
        return self.gdb.before.replace("\r", "")

    def close(self):
        self.gdb.close(force=True)


@pytest.fixture
def session():
    """session(symbols=None): a gdb at a terminal."""
    opened = []

    def start(**options):
        opened.append(Session(**options))
        return opened[-1]
    yield start
    for one in opened:
        one.close()


def value(text, name):
    """The number in the line of `info registers`, or of a print, that begins with `name`."""
    found = re.search(r"^%s\s+(?:= )?(0x[0-9a-f]+|-?\d+)" % re.escape(name), text, re.M)
    assert found, (name, text)
    return int(found.group(1), 0)


@pytest.fixture(scope="session")
def symbols():
    """symbols(name): the ELF file of a guest, with the symbols that its flat image does not have."""
    def find(name):
        found = [f for f in (TOP / "build/kvm-vmm-x86/guest").rglob(name + ".elf")]
        assert found, name
        return found[0]
    return find


__all__ = ["batch", "lab_run", "value"]
