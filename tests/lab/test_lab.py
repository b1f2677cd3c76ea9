"""Tests the lab from outside: what a command sees in its machine, and what its caller sees of the command.

The tests have their own machine (LAB_NAME), which they can kill without effect on other commands.
"""
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

TOP = Path(__file__).resolve().parents[2]
LAB = str(TOP / "lab/lab")
ENVIRONMENT = dict(os.environ, KVM="lab", LAB_NAME="test-%d" % os.getpid(), LAB_BOOT="250")
PATIENT = dict(ENVIRONMENT, LAB_WAIT="1200")  # the machine has 30 s to answer a signal
LIMIT = 600  # seconds: ends a test that hangs


def lab(*words, **options):
    options.setdefault("env", ENVIRONMENT)
    options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
    if options["stdin"] is None:
        del options["stdin"]
    return subprocess.run([LAB, *words], capture_output=True, timeout=LIMIT, **options)


def said(done):
    """Standard error, without the lines about a busy machine whose answer is late."""
    return re.sub(rb"lab: the machine (does not answer; it is restarted after|has not answered for) [^\n]*\n", b"",
                  done.stderr)


def machine_pid():
    return int(lab("status").stdout.split(b"process ")[1].split(b",")[0])


def runs(command):
    """True if a process of the machine has that command line."""
    return lab("run", "pgrep", "-fx", command).stdout != b""


@pytest.fixture(scope="module", autouse=True)
def machine():
    lab("run", "true")  # prints that it starts the machine; later calls print nothing
    yield
    lab("down")


def wait_until(question):
    end = time.monotonic() + LIMIT
    while not question():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_status_and_separate_streams():
    done = lab("run", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, said(done)) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("command, status", [
    (["sh", "-c", "kill -9 $$"], 137), (["no-such-command"], 127), (["/etc/passwd"], 126)])
def test_other_ends(command, status):
    assert lab("run", *command).returncode == status


def test_a_complete_kvm_inside():
    done = lab("run", str(TOP / "build/lab/probe"), "--json", str(LIMIT))
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["kvm"] == "complete"


def test_its_clock_is_as_fast_as_the_hosts():
    """Two readings inside the lab are as far apart as here, at any load: farther than the end of the first and the
    start of the second command, and less far than their outer ends (to one per cent)."""
    readings = []
    for _ in range(2):
        before = time.monotonic()
        inside = float(lab("run", "cat", "/proc/uptime").stdout.split()[0])
        readings.append((before, inside, time.monotonic()))
        time.sleep(1)
    (begun, first, between), (again, second, end) = readings
    assert 0.99 * (again - between) - 0.02 <= second - first <= 1.01 * (end - begun) + 0.02, readings


def test_a_clock_measured_badly_is_no_matter():
    """KVM tolerates the difference of two clock measurements of a busy machine."""
    tolerance = lab("run", "cat", "/sys/module/kvm/parameters/tsc_tolerance_ppm").stdout
    assert int(tolerance) >= 100000
    assert b"TSC rate below hardware speed" not in lab("run", "dmesg").stdout


def test_no_instruction_spoils_the_flags(tmp_path):
    """Linux 6.12, whose allocator uses cmpxchg16b, panicked as a guest in every third boot on a busy host."""
    program = tmp_path / "flags"
    subprocess.run(["gcc", "-O1", "-mno-red-zone", "-o", program, TOP / "tests/lab/flags.c"], check=True)
    done = lab("run", program)
    assert done.returncode == 0, done.stdout


def test_megabyte_of_all_bytes_both_ways():
    data = bytes(range(256)) * 4096 + os.urandom(1 << 20)
    assert lab("run", "cat", input=data).stdout == data
    assert said(lab("run", "sh", "-c", "cat >&2", input=data)) == data


def test_end_of_input_is_not_the_end_of_the_command():
    assert lab("run", "sh", "-c", "cat; sleep 0.3; echo later", input=b"now\n").stdout == b"now\nlater\n"


def test_reader_that_leaves_ends_the_writer():
    done = subprocess.run([LAB + " run yes | head -n 1; echo ${PIPESTATUS[0]}"], shell=True, env=ENVIRONMENT,
                          executable="/bin/bash", capture_output=True, timeout=LIMIT)
    assert done.stdout == b"y\n141\n"


def test_environment_directory_umask_user():
    folder = TOP / "build/lab"
    done = lab("run", "sh", "-c", "echo \"$PROOF\"; pwd; umask; id -u", cwd=folder, umask=0o027,
               env=dict(ENVIRONMENT, PROOF="a b\nc"))
    assert done.stdout.decode() == "a b\nc\n%s\n0027\n%d\n" % (folder, os.getuid())


def test_directory_that_is_not_visible():
    done = lab("run", "true", cwd="/proc/%d/task" % os.getpid())
    assert done.returncode == 125 and b"not visible in the lab" in done.stderr


@pytest.fixture
def outside():
    """A folder that is neither in the repository nor in /tmp."""
    with tempfile.TemporaryDirectory(dir="/var/lib" if os.geteuid() == 0 else Path.home()) as folder:
        yield Path(folder)


@pytest.mark.parametrize("kind", ["tmp", "current", "current on a tmpfs"])
def test_what_the_host_makes_is_seen_and_what_the_lab_makes_stays(kind, outside, tmp_path):
    """In /tmp and the current folder, for files that are made after the machine has started."""
    folder = {"tmp": Path(tempfile.mkdtemp(dir="/tmp")), "current": outside,
              "current on a tmpfs": Path(tempfile.mkdtemp(dir="/dev/shm"))}[kind]
    try:
        (folder / "host").write_text("from the host")
        here = {} if kind == "tmp" else {"cwd": folder}
        done = lab("run", "sh", "-c", "cat %s/host; umask 027; echo lab > %s/lab" % (folder, folder), **here)
        assert (done.stdout, said(done), done.returncode) == (b"from the host", b"", 0)
        assert (folder / "lab").read_text() == "lab\n"
        status = (folder / "lab").stat()
        assert (status.st_uid, status.st_mode & 0o777) == (os.geteuid(), 0o640)
        (folder / "host").write_text("changed, and longer than before")
        assert lab("run", "cat", folder / "host", **here).stdout == b"changed, and longer than before"
    finally:
        shutil.rmtree(folder)


def test_a_program_of_the_users_own_in_tmp():
    """Also a program that is rebuilt while it runs there."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        program = Path(folder) / "rebuilt"
        build_state(program, "one")
        first = subprocess.Popen([LAB, "run", program], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert first.stdout.readline() == b"one\n"
        build_state(program, "another")
        assert lab("run", program).stdout == b"another\nanother ends, 1\n"
        assert first.communicate(timeout=LIMIT)[0] == b"one ends, 1\n"


def test_only_these_folders_are_writable(outside):
    assert lab("run", "touch", outside / "x").returncode == 1  # not the current folder
    assert lab("run", "sh", "-c", "rm -f /run/lab.share/x; ls -A /run/lab.share").stdout == b""
    assert not (outside / "x").exists()
    assert lab("run", "sh", "-c", "touch /x || exit 9", cwd="/").returncode == 9


def test_a_path_that_only_the_host_has_is_named():
    """One line, and only for a path that exists on the host and not in the lab."""
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as hidden:
        done = lab("run", "ls", hidden.name, "/var/tmp/nowhere", "/etc/passwd", "--format=" + hidden.name)
    lines = [line for line in said(done).decode().splitlines() if line.startswith("lab: ")]
    assert len(lines) == 2
    assert all(line.startswith("lab: %s exists on this host but not" % hidden.name) for line in lines)


def test_files_are_the_same_on_both_sides():
    shared = TOP / "build/lab/shared"
    for text in ("one", "two, longer"):
        shared.write_text(text)
        assert lab("run", "cat", str(shared)).stdout.decode() == text
        lab("run", "sh", "-c", "printf back >> %s" % shared)
        assert shared.read_text() == text + "back"
    shared.unlink()


def build_state(program, word):
    """Replaces the program by one that prints `word`, and has another size."""
    subprocess.run(["gcc", '-DWORD="%s"' % word, "-DSIZE=%d" % (len(word) * 3000), "-o", program,
                    TOP / "tests/lab/rebuilt.c"], check=True)


@pytest.fixture
def rebuilt():
    """A program in the repository, which is removed at the end."""
    program = TOP / "build/lab/rebuilt"
    program.parent.mkdir(parents=True, exist_ok=True)
    yield program
    program.unlink(missing_ok=True)


def test_program_that_is_rebuilt_while_it_runs(rebuilt):
    """Each start runs the newest program; running ones keep the old one, and its directory."""
    words = ["one", "another of them", "three"]
    running = []
    for word in words:
        build_state(rebuilt, word)
        running.append(subprocess.Popen([LAB, "run", "sh", "-c", "./rebuilt; pwd -P; ls rebuilt"], env=ENVIRONMENT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=rebuilt.parent))
        assert running[-1].stdout.readline().decode() == word + "\n"
        assert lab("run", str(rebuilt)).stdout.decode() == "%s\n%s ends, 1\n" % (word, word)
    for word, one in zip(words, running):
        rest = one.communicate(timeout=LIMIT)[0].decode()
        assert (one.returncode, rest) == (0, "%s ends, 1\n%s\nrebuilt\n" % (word, rebuilt.parent))


def test_commands_at_once_share_the_repository(rebuilt):
    """A named pipe and a lock: commands share these if the repository has not changed."""
    build_state(rebuilt, "same")
    first = subprocess.Popen([LAB, "run", str(rebuilt)], env=ENVIRONMENT, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    assert first.stdout.readline() == b"same\n"
    pipe = TOP / "build/lab/pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    try:
        reader = subprocess.Popen([LAB, "run", "cat", pipe], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE)
        assert lab("run", "sh", "-c", "echo through > %s" % pipe).returncode == 0
        assert reader.communicate(timeout=LIMIT)[0] == b"through\n"
    finally:
        pipe.unlink()
        first.communicate(timeout=LIMIT)


def test_more_states_than_the_lab_keeps(rebuilt):
    """At the limit one clear line is printed, and the command runs when an old one has ended."""
    running = []
    for number in range(12):
        build_state(rebuilt, "state" + "x" * number)
        running.append(subprocess.Popen([LAB, "run", str(rebuilt)], env=ENVIRONMENT, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        if not running[-1].stdout.readline():
            break
    done = running.pop()
    error = done.communicate(timeout=LIMIT)[1]
    assert done.returncode == 125 and error.startswith(b"lab: programs were rebuilt"), error
    assert len(running) == 5  # docs/lab.md says so
    for one in running:
        one.communicate(timeout=LIMIT)
        assert one.returncode == 0
    assert lab("run", str(rebuilt)).stdout.startswith(b"statex")


def test_root_is_read_only():
    assert lab("run", "touch", "/usr/x", "/x").returncode != 0
    assert not Path("/x").exists()


def test_eight_at_once():
    running = [subprocess.Popen([LAB, "run", "sh", "-c", "echo %d; exit %d" % (i, i)], env=ENVIRONMENT,
                                stdout=subprocess.PIPE) for i in range(8)]
    for i, one in enumerate(running):
        assert one.communicate(timeout=LIMIT)[0] == b"%d\n" % i
        assert one.returncode == i


def test_command_ends_with_its_client():
    client = subprocess.Popen([LAB, "run", "sh", "-c", "setsid sleep 4321 & echo started; sleep 4321"],
                              env=ENVIRONMENT, stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"started\n"
    client.kill()
    client.wait()
    wait_until(lambda: not runs("sleep 4321"))


def test_signals_are_forwarded():
    client = subprocess.Popen([LAB, "run", "sh", "-c", "trap 'echo got it; exit 5' TERM; echo ready; "
                               "while :; do sleep 0.1; done"], env=PATIENT, stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"ready\n"
    client.send_signal(signal.SIGTERM)
    assert client.communicate(timeout=LIMIT)[0] == b"got it\n"
    assert client.returncode == 5


def test_the_terminal_is_given_back_as_it_was():
    """Also after a command that ends before its input, as most do."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    child = subprocess.Popen([LAB, "run", "true"], stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT,
                             start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    assert child.wait(timeout=LIMIT) == 0
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_terminal():
    child = pexpect.spawn(LAB, ["run", "sh"], env=PATIENT, dimensions=(31, 97), timeout=LIMIT)
    child.sendline("stty size; tty")
    child.expect(r"31 97\r\n/dev/pts/\d+")
    child.setwinsize(40, 120)
    child.sendline("until stty size | grep '^40 '; do sleep 0.1; done")
    child.expect(r"\r\n40 120\r\n")
    child.sendline("sleep 4322; echo status $?")
    wait_until(lambda: runs("sleep 4322"))
    child.sendintr()
    child.sendline("echo sta''tus $?")
    child.expect("status 130")
    child.sendline("exit 3")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3


@contextmanager
def hung_machine():
    """A machine that has stopped answering."""
    lab("run", "true")
    pid = machine_pid()
    os.kill(pid, signal.SIGSTOP)
    yield pid
    if b"process %d," % pid in lab("status").stdout:
        os.kill(pid, signal.SIGCONT)


def stops():
    """The stops that the watchdog has recorded."""
    log = Path(lab("status").stdout.decode().split("log ")[1].strip())
    record = log.parent / "stopped"
    return record.read_text().splitlines() if record.exists() else []


def test_machine_that_hangs_is_started_again():
    before = (lab("run", "true"), stops())[1]
    with hung_machine() as old:
        done = lab("run", "echo", "again", env=dict(ENVIRONMENT, LAB_WAIT="40"))
        assert done.stdout == b"again\n" and b"restarted after 40 s" in done.stderr, done.stderr
        assert b"lab: the machine does not answer, restarting it\n" in done.stderr
        assert machine_pid() != old
    assert len(stops()) == len(before) + 1


def test_the_interrupt_key_at_a_command_that_has_closed_its_terminal(tmp_path):
    closed = tmp_path / "closed"
    child = pexpect.spawn(LAB, ["run", "sh", "-c", "trap 'exit 4' INT; exec <&- >&- 2>&-; : > %s; "
                                "while :; do sleep 0.1; done" % closed], env=PATIENT, timeout=LIMIT)
    wait_until(closed.exists)
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4


def test_command_whose_machine_dies_comes_back():
    """The next command has a new machine."""
    client = subprocess.Popen([LAB, "run", "sh", "-c", "echo ready; sleep 4326"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert client.stdout.readline() == b"ready\n"
    before = stops()
    os.kill(machine_pid(), signal.SIGKILL)
    error = client.communicate(timeout=LIMIT)[1]
    assert client.returncode == 125 and b"the connection to the machine broke" in error
    assert len(stops()) == len(before) + 1
    assert lab("run", "echo", "again").stdout == b"again\n"


def test_command_whose_machine_hangs_comes_back():
    """Returns with status 125, and the machine is stopped: the next command has a new one."""
    lab("run", "true")
    client = subprocess.Popen([LAB, "run", "sh", "-c", "echo ready; sleep 4323"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=dict(ENVIRONMENT, LAB_WAIT="40"))
    assert client.stdout.readline() == b"ready\n"
    before = stops()
    with hung_machine():
        error = client.communicate(timeout=LIMIT)[1]
    assert client.returncode == 125 and b"does not answer, stopping it" in error, error
    assert lab("run", "echo", "again").stdout == b"again\n"
    assert len(stops()) == len(before) + 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_client_of_a_hung_machine(number):
    client = subprocess.Popen([LAB, "run", "sh", "-c", "trap '' TERM INT HUP; echo ready; sleep 4324"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(ENVIRONMENT, LAB_WAIT="40"))
    assert client.stdout.readline() == b"ready\n"
    with hung_machine():
        client.send_signal(number)
        error = client.communicate(timeout=LIMIT)[1]
        assert client.returncode == -number and b"does not answer" in error


def test_a_command_that_ignores_signals_goes_on():
    """The client gives up only if the machine does not answer, not if the command does not."""
    client = subprocess.Popen([LAB, "run", "sh", "-c", "trap '' TERM INT; echo ready; sleep 4; echo done"],
                              stdout=subprocess.PIPE, env=PATIENT)
    assert client.stdout.readline() == b"ready\n"
    client.send_signal(signal.SIGTERM)
    client.send_signal(signal.SIGINT)  # a second signal at once; two of the same kind might be merged
    assert client.communicate(timeout=LIMIT)[0] == b"done\n" and client.returncode == 0


def test_the_interrupt_key_at_a_hung_machine():
    child = pexpect.spawn(LAB, ["run", "sleep", "4325"], env=dict(ENVIRONMENT, LAB_WAIT="40"), timeout=LIMIT)
    wait_until(lambda: runs("sleep 4325"))
    with hung_machine():
        child.sendintr()
        child.expect("the machine does not answer")
        child.expect(pexpect.EOF)
        child.close()
    assert child.signalstatus == signal.SIGINT


def test_a_machine_that_is_started_at_a_terminal_says_so():
    lab("down")
    child = pexpect.spawn(LAB, ["run", "echo", "at last"], env=ENVIRONMENT, timeout=LIMIT)
    child.expect(r"lab: starting the machine: \d+ s")
    child.expect("at last")
    child.expect(pexpect.EOF)


def test_down_and_idle_stop():
    assert lab("down").returncode == 0
    assert lab("status").returncode == 1
    done = lab("run", "true", env=dict(ENVIRONMENT, LAB_IDLE="30"))
    assert (done.returncode, said(done)) == (0, b"lab: starting the machine (a few seconds)\n")
    wait_until(lambda: lab("status").returncode == 1)


def test_choice_of_place():
    kernel = os.uname().release.encode() + b"\n"
    assert lab("run", "uname", "-r", env=dict(ENVIRONMENT, KVM="host")).stdout == kernel
    done = lab("run", "true", env=dict(ENVIRONMENT, KVM="moon"))
    assert done.returncode == 125 and b"KVM=moon" in done.stderr


def test_doctor():
    done = lab("doctor")
    assert done.returncode == 0 and b"commands run in the lab: KVM=lab says so" in done.stdout
