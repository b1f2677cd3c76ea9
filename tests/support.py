"""Runs programs where KVM is complete, for tests: through a pipe, or at a terminal."""
import os
import subprocess
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[1]
LAB = TOP / "lab/lab"
# Environment of a second machine of the lab, whose KVM uses no nested paging (docs/lab.md).
SHADOW = {"LAB_NAME": "shadow", "LAB_APPEND": "kvm_amd.npt=0", "LAB_IDLE": "60"}
LIMIT = 600  # seconds; more than any run needs on a machine five times slower than a quiet one
# Environment of a command that gets Ctrl-C or a signal: the lab's machine has 30 s to answer it, in place of 3 s.
PATIENT = {"LAB_WAIT": "1200"}


class Result:
    """The result of a run: status, standard output in bytes, standard error as text without the lab's messages."""

    def __init__(self, done):
        self.status, self.out = done.returncode, done.stdout
        lines = done.stderr.decode("utf-8", "replace").splitlines(keepends=True)
        self.err = "".join(line for line in lines if not line.startswith("lab:"))

    def __repr__(self):
        return "status %d\n--- stdout\n%s\n--- stderr\n%s" % (
            self.status, self.out[-2000:].decode("utf-8", "replace"), self.err[-2000:])


def lab_stops():
    """How often the lab's machine has stopped answering, as recorded by its watchdog."""
    where = subprocess.run([LAB, "status"], capture_output=True, check=False, text=True).stdout.split("log ")
    record = Path(where[1].strip()).parent / "stopped" if len(where) == 2 else None
    return len(record.read_text().splitlines()) if record and record.exists() else 0


def ask_lab():
    """Waits for an answer of the lab's machine, if there is one. If it hangs, it is stopped, which is recorded."""
    if subprocess.run([LAB, "status"], capture_output=True, check=False).returncode == 0:
        subprocess.run([LAB, "run", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def lab_run(*command, stdin=b"", env=None, cwd=TOP, limit=LIMIT):
    """Runs a command on this machine or in the lab, wherever KVM is complete. `stdin`: bytes, or an open file."""
    source = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    return Result(subprocess.run([LAB, "run", *map(str, command)], capture_output=True, check=False, cwd=cwd,
                                 env={**os.environ, **(env or {})}, timeout=limit, **source))


def with_time(attempt, seen):
    """attempt(SECONDS) makes a run with that time limit: first a short one, then longer ones until seen(result) is
    true, since a busy machine may be too slow. Returns the last result."""
    for seconds in (2, 15, 120):
        result = attempt(seconds)
        if seen(result):
            break
    return result


def lab_terminal(*command, env=None):
    """The same at a separate terminal, as a pexpect session in bytes."""
    return pexpect.spawn(str(LAB), ["run", *map(str, command)], cwd=str(TOP), timeout=LIMIT / 2,
                         env={**os.environ, "TERM": "xterm", **(env or {})}, dimensions=(24, 80))


def finish(session):
    """Waits for the end of a pexpect session. Returns its status, 128 + N for a signal, as in a shell."""
    session.expect(pexpect.EOF)
    assert b"giving up on its command" not in session.before, "this is the lab's own end, not the command's"
    session.close()
    return session.exitstatus if session.signalstatus is None else 128 + session.signalstatus


def is_listening(port):
    """True if this machine has a server on a TCP port. Asks the kernel, since a debugger's server accepts only one
    client."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [line.split() for line in Path(table).read_text().splitlines()[1:]] if Path(table).exists() else []
        if any(row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port for row in rows):
            return True
    return False


def wait_for_port(port, process):
    """Waits until the process, or one that it starts, listens there. Fails if the process ends first."""
    end = time.monotonic() + LIMIT
    while not is_listening(port):
        assert process.poll() is None, "it ended with status %s and listened on no port %d" % (process.returncode, port)
        assert time.monotonic() < end, "nothing listens on port %d" % port
        time.sleep(0.1)


class Vmm:
    """kvm-vmm and its guests. An argument is an option, a path, or @ with the name of a guest."""

    program = TOP / "kvm-vmm-x86/kvm-vmm"

    def run(self, *args, **options):
        return lab_run(*self.command(*args), **options)

    def terminal(self, *args, **options):
        return lab_terminal(*self.command(*args), **options)

    def command(self, *args):
        return [self.program, *(self.guest(str(a)[1:]) if str(a).startswith("@") else a for a in args)]

    @staticmethod
    def guest(name):
        folder = TOP / "kvm-vmm-x86/guest"
        for image in [*folder.glob(name + ".*"), *folder.glob("test/*/%s.*" % name)]:
            if image.suffix in (".bin", ".elf"):
                return image
        raise LookupError("no guest is called %s" % name)
