"""kvm-vmm run: one command on its own kernel, as if it ran on the host."""
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import pexpect
import pytest

from tests.run.conftest import LAST, LIMIT, lab_run
from tests.support import LAB, PATIENT, TOP, finish, lab_terminal


def test_a_gigabyte(words, soak):
    """In `make soak`; through both pipes. More than the memory of both sides."""
    size, text = soak(16, 1024) << 20, hashlib.sha512(b"run").hexdigest() * 40
    script = "yes %s | head -c %d | \"$@\" | sha256sum" % (text, size)
    result = lab_run("bash", "-c", script, "bash", *words("--timeout", "2000", "--", "cat"), limit=2200)
    block, sha = (text + "\n").encode(), hashlib.sha256()
    for _ in range(size // len(block)):
        sha.update(block)
    sha.update(block[:size % len(block)])
    assert result.status == 0 and result.out == sha.hexdigest().encode() + b"  -\n", result


def test_streams_stay_apart(words):
    """Megabytes arrive complete both ways, standard error is separate, the status is the command's."""
    data = hashlib.sha512(b"run").digest() * 50000
    script = "sha256sum; echo wrong >&2; uname -r >&2; head -c 3000000 /dev/zero | tr '\\0' x; exit 7"
    result = lab_run(*words("--", "sh", "-c", script), stdin=data)
    digest, _, rest = result.out.partition(b"  -\n")
    assert result.status == 7, result
    assert digest.decode() == hashlib.sha256(data).hexdigest() and rest == b"x" * 3000000, result
    lines = result.err.splitlines()
    assert len(lines) == 2 and lines[0] == "wrong" and lines[1].endswith("-cloud-amd64"), result


def test_where_it_runs(words, scratch):
    """In the current folder, with the given variables; its changes to files are dropped, except with --rw."""
    script = ("pwd; echo $GREETING-$SECRET; echo x > /usr/new && cat /usr/new; echo kept and cut > kept; "
              "perl -e 'truncate(\"kept\", 4) or die $!'; cat kept; echo")
    settings = {"GREETING": "hello", "SECRET": "unsaid"}
    for options, kept in ((["--env", "GREETING"], False), (["--env=GREETING", "--rw"], True)):
        result = lab_run(*words(*options, "--", "sh", "-c", script), env=settings, cwd=scratch)
        assert result.status == 0 and result.err == "", result
        assert result.out.decode() == "%s\nhello-\nx\nkept\n" % scratch, result
        assert (scratch / "kept").exists() == kept
    assert (scratch / "kept").read_text() == "kept"


@pytest.mark.parametrize("command,status,said", [
    (["no-such-program"], 127, "kvm-vmm run: no-such-program: not found in PATH\n"),
    (["/etc/passwd"], 126, "kvm-vmm run: /etc/passwd: Permission denied: it is not executable"),
    (["sh", "-c", "kill -9 $$"], 137, ""),
    (["sh", "-c", "echo c > /proc/sysrq-trigger"], 125, "Kernel panic"),
])
def test_commands_that_fail(words, command, status, said):
    result = lab_run(*words("--", *command))
    assert result.status == status and (said in result.err if said else result.err == ""), result


@pytest.mark.parametrize("command,status,said", [
    (["no-such-program"], 127, "kvm-vmm run: no-such-program: No such file or directory\n"),
    (["/etc/passwd"], 126, "kvm-vmm run: /etc/passwd: Permission denied\n"),
])
def test_commands_that_fail_in_the_guest(words, command, status, said):
    """With a root of its own, only the guest knows."""
    result = lab_run(*words("--root", "/", "--", *command))
    assert (result.status, result.err) == (status, said), result


@pytest.mark.parametrize("command,status,said", [
    ("plain.sh", 127, "plain.sh: not found in PATH; it is in the current folder, but not executable: "
                      "chmod +x plain.sh and ./plain.sh, or sh plain.sh"),
    ("good.sh", 127, "good.sh: not found in PATH; it is in the current folder: ./good.sh"),
    ("./plain.sh", 126, "./plain.sh: Permission denied: it is not executable (chmod +x ./plain.sh, or sh ./plain.sh)"),
    ("./none.sh", 127, "./none.sh: No such file or directory"),
    ("./sub", 126, "./sub: Permission denied: it is a folder"),
    ("../none/x", 127, "../none/x: No such file or directory"),
])
def test_commands_that_the_host_does_not_have(vmm, scratch, command, status, said):
    """They are known to fail before a machine boots: there is no kernel here to boot."""
    for name, mode in (("plain.sh", 0o644), ("good.sh", 0o755)):
        (scratch / name).write_text("echo hi\n")
        (scratch / name).chmod(mode)
    (scratch / "sub").mkdir()
    result = vmm.run("run", "--kernel", "/dev/null", command, cwd=scratch)
    assert (result.status, result.err) == (status, "kvm-vmm run: %s\n" % said), result


def test_an_option_behind_the_command(words):
    """It is the command's; at a terminal a line says so, unless -- says that it is meant so."""
    for ended, shown in ([], True), (["--"], False):
        session = lab_terminal(*words(*ended, "echo", "--kernel", "none"))
        session.expect_exact(b"booting Linux")
        said = b"--kernel goes to echo; options of run stand before COMMAND" in session.before
        assert said == shown, session.before
        session.expect_exact(b"--kernel none")
        assert finish(session) == 0


def test_a_reader_that_goes_away(words):
    """The command gets SIGPIPE, as it would on the host."""
    line = " ".join("'%s'" % word for word in words("--", "sh", "-c", "yes; echo $? >&2"))
    result = lab_run("sh", "-c", line + " | head -n 1")
    assert result.status == 0 and result.out == b"y\n", result
    assert "141" in result.err or result.err == "", result  # sh may end by the signal itself


# argv: the words of a run whose output is more than its pipe holds.
UNREAD = r"""
import fcntl, os, pathlib, signal, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
vmm = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=writer)
def has_guest():
    for path in pathlib.Path('/proc/%d/task' % vmm.pid).glob('*/comm'):
        try:
            if 'vcpu' in path.read_text():
                return True
        except OSError:  # the thread has ended
            pass
    return False
def wait(condition):
    end = time.monotonic() + 300
    while not condition() and vmm.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert condition(), vmm.poll()
wait(has_guest)
wait(lambda: not has_guest())
assert vmm.poll() is None
vmm.send_signal(signal.SIGTERM)
print(vmm.wait(300))
"""


def test_a_signal_after_its_end(words):
    """A reader that does not read is waited for, until the first signal: the command is no longer there to get it."""
    result = lab_run("python3", "-c", UNREAD, *words("--", "head", "-c", "40000", "/dev/zero"))
    assert result.status == 0 and result.out == b"143\n", result


@pytest.mark.parametrize("arguments,status,said", [
    ([], 2, "no command given"),
    (["--shell", "true"], 2, "--shell takes no command"),
    (["--kernel"], 2, "--kernel needs a value"),
    (["--kernel", "--", "true"], 2, "--kernel needs a value (-- ends the options)"),
    (["-m", "--", "true"], 2, "-m needs a value (-- ends the options)"),
    (["--rooot", "/", "true"], 2, "no such option: --rooot (did you mean --root?)"),
    (["--tiemout", "9", "true"], 2, "no such option: --tiemout (did you mean --timeout?)"),
    (["--share", "/nothing,ro", "true"], 125, "--share /nothing: No such file"),
    (["--disk", "/nothing,ro", "true"], 125, "cannot open /nothing: No such file"),
    (["--rw=1", "true"], 2, "--rw takes no value"),
    (["--kernel", "/nothing", "true"], 125, "/nothing: No such file"),
    (["--kernel", "/", "true"], 125, "a kernel tree that is not built?"),
    (["--cwd", "/nothing", "true"], 125, "--cwd /nothing: No such file"),
    (["--mem", "2G", "true"], 2, "no such option: --mem"),
    (["--output", "xml:f", "true"], 2, "expected junit:FILE"),
    (["--output", "junit:/nothing/f", "true"], 125, "junit:/nothing/f: No such file"),
    (["--root", "/tmp", "--cwd", "here", "true"], 125, "an absolute path in the guest"),
    (["--script", "/nothing"], 125, "cannot open /nothing"),
])
def test_mistakes(vmm, arguments, status, said):
    result = lab_run(vmm.program, "run", *arguments)
    assert result.status == status and said in result.err and result.err.count("\n") == 1, result


def test_a_kernel_without_modules(vmm, tree, scratch):
    """depmod writes an empty list if all modules are built in."""
    (scratch / "modules.dep").touch()
    result = lab_run(vmm.program, "run", "--kernel", tree, "--modules", scratch, "true")
    assert result.status == 125 and "has no module virtio_mmio" in result.err, result


def test_leaving(words):
    session = lab_terminal(*words("--", "sh", "-c", "echo ready; sleep 1000"))
    session.expect_exact(b"ready")
    session.send(b"\x01x")
    session.expect_exact(b"the machine was stopped before the command had ended")
    assert finish(session) == 137


def test_at_a_terminal(words):
    """The command has the terminal: its size, its keys, Ctrl-C; the progress line is removed before it starts."""
    script = ("trap 'echo caught; exit 3' INT; stty size; tty; read line; echo got $line; "
              "while :; do sleep 0.1; done")  # a child may lose a signal between its fork and its exec
    session = lab_terminal(*words("--", "sh", "-c", script), env=PATIENT)
    session.expect_exact(b"booting Linux")
    session.expect_exact(b"24 80")
    session.expect_exact(b"/dev/hvc0")
    session.send(b"typed\r")
    session.expect_exact(b"got typed")
    session.send(b"\x03")
    session.expect_exact(b"caught")
    assert finish(session) == 3


def test_a_report_in_the_background(words, scratch):
    """A job that reads its terminal is stopped, like other jobs of a shell, and continues in the foreground."""
    command = " ".join(map(str, words("--output", "junit:%s" % (scratch / "report"), "--", "sh", "-c",
                                      "'read line; echo got $line'")))
    shell = lab_terminal("bash", "--norc", "--noprofile", "-i")
    shell.expect(rb"bash-[0-9.]+[#$] ")
    shell.send(command.encode() + b" & wait %1\r\r")  # the empty line is for the job
    shell.expect(rb"\[1\]\+ +Stopped", timeout=LIMIT)
    shell.send(b"fg\r")
    for _ in range(LIMIT):  # keys before the job has the terminal again may be dropped
        shell.send(b"typed\r")
        if shell.expect([b"got typed", pexpect.TIMEOUT], timeout=2) == 0:
            break
    shell.expect(rb"bash-[0-9.]+[#$] ")
    shell.send(b"exit 7\r")
    assert finish(shell) == 7
    assert 'failures="0" errors="0"' in (scratch / "report").read_text()


def test_an_interrupt_reaches_the_command(words):
    """The first signal goes to the command, a second one ends the machine."""
    for handler, status in (("trap 'echo caught; exit 9' INT", 9), ("trap '' INT", 130)):
        script = handler + "; echo ready; while :; do sleep 0.1; done"
        client = subprocess.Popen([LAB, "run", *words("--", "sh", "-c", script)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=TOP,
                                  env={**os.environ, **PATIENT})
        assert client.stdout.readline() == b"ready\n", client.communicate()
        client.send_signal(signal.SIGINT)
        deadline = time.monotonic() + LIMIT
        while status == 130 and client.poll() is None and time.monotonic() < deadline:
            time.sleep(2)  # two signals at the same time may be merged
            client.send_signal(signal.SIGINT)
        out, error = client.communicate(timeout=LIMIT)
        assert client.returncode in (status, status - 130 - 2) and out == (b"caught\n" if status == 9 else b""), error


@pytest.fixture
def image(scratch):
    """A disk with a small root: only busybox."""
    (scratch / "root/bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", scratch / "root/bin")
    for name in ("sh", "cat", "sleep", "uname"):
        (scratch / "root/bin" / name).symlink_to("busybox")
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-d", scratch / "root", scratch / "image", "48M"], check=True,
                   capture_output=True)
    return scratch / "image"


def test_a_disk_as_root(words, image, scratch):
    """A script on it, with a report for CI. Changes are dropped; with --rw they are on the disk, whose file system is
    intact although a program still had a file open."""
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    script, report = scratch / "script", scratch / "report.xml"
    script.write_text("pwd; echo \"$@\" > /kept; cat /kept; echo '<&\x01>' >&2; sleep 1000 >> /open & exit $3")
    for options, status in (([], 0), (["--rw"], 7)):
        result = lab_run(*words("--root", image, "--script", script, "--output", "junit:%s" % report, *options,
                                "one", "two words", str(status)))
        assert result.status == status and result.out == b"/\none two words %d\n" % status, result
        case = ElementTree.parse(report).getroot().find("testcase")
        assert case.get("name") == "%s one two words %d" % (script, status) and float(case.get("time")) > 0
        assert case.find("system-out").text == result.out.decode() and case.find("error") is None
        assert case.find("system-err").text == "<&?>\n"
        assert (case.find("failure") is None) == (status == 0)
        if not options:
            assert hashlib.sha256(image.read_bytes()).hexdigest() == before
    check = subprocess.run(["/sbin/e2fsck", "-fn", image], check=False, capture_output=True, text=True)
    assert check.returncode == 0 and "recover" not in check.stdout, check
    found = subprocess.run(["/sbin/debugfs", "-R", "cat /kept", image], check=True, capture_output=True, text=True)
    assert found.stdout == "one two words 7\n"


def test_what_is_no_root(vmm, scratch, tree):
    """A partition table, a file without a file system; and the report of a machine that does not start."""
    report = scratch / "report.xml"
    for content, why in ((bytes(510) + b"\x55\xaa", "partition table"), (bytes(4096), "no known file system")):
        (scratch / "disk").write_bytes(content)
        result = lab_run(vmm.program, "run", "--kernel", tree, "--root", scratch / "disk",
                         "--output", "junit:%s" % report, "true")
        assert result.status == 125 and why in result.err and result.err.count("\n") == 1, result
        suite = ElementTree.parse(report).getroot()
        assert suite.get("errors") == "1" and suite.find("testcase/error") is not None
        assert why in suite.find("testcase/system-err").text


def test_by_way_of_the_lab(words):
    """In the lab, as this host's KVM must not be used, and with more words than a fixed array would hold."""
    command = words("--", "sh", "-c", "echo $#", "sh", *map(str, range(900)))
    result = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=LIMIT, env=dict(os.environ, KVM="lab"))
    assert result.returncode == 0 and result.stdout == "900\n", result
    assert result.stderr.count("\n") == 1 and "running in the lab's machine" in result.stderr, result


def test_tools_of_the_host(vmm, tree):
    """The host's compiler and Python, as an ordinary user, on the kernel under test."""
    plain = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    script = "cc -v 2>&1 | tail -n 1; python3 -c 'print(6*7)'"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # this checkout may be in a folder that only root can enter
        os.chmod(folder, 0o755)
        shutil.copy(vmm.program, folder)
        shutil.copytree(Path(tree).parents[1], folder + "/kernel")
        kernel = "%s/kernel/boot/%s" % (folder, Path(tree).name)
        command = [folder + "/kvm-vmm", "run", "--kernel", kernel, *LAST, "--", "sh", "-c", script]
        result = lab_run(*plain, *command, env={"HOME": "/tmp"}, cwd="/")
    assert result.status == 0 and b"gcc version" in result.out and result.out.endswith(b"42\n"), result
