"""The sandbox: what a thread that a guest controls can still do (tests/vmm/wrapped/taken.c)."""
import re
import subprocess

import pytest

from tests.support import TOP, lab_run

TAKEN = TOP / "build/kvm-vmm-x86/taken"


@pytest.fixture(scope="module", autouse=True)
def built(vmm):
    subprocess.run(["make", "-s", "-C", "kvm-vmm-x86", "taken", "os-1k"], check=True, cwd=TOP, stdin=subprocess.DEVNULL,
                   capture_output=True)


def take(vmm, orders, *args, before=(), **env):
    """Runs a guest in a VMM whose first device's thread executes the orders. Returns the run's result and the result of
    each order."""
    settings = ["%s=%s" % pair for pair in {"ORDERS": ";".join(orders), **env}.items()]
    result = lab_run(*before, "env", *settings, TAKEN, "--timeout=200", *args, "-l", vmm.guest("hello_64"))
    return result, dict(re.findall(r"^taken: (.*): (.*)$", result.err, re.M))


@pytest.fixture
def folders(scratch):
    """A shared folder, and one beside it with a secret."""
    for name in ("shared", "private"):
        (scratch / name).mkdir()
        (scratch / name / "file").write_text(name)
    return scratch


def test_files(vmm, folders):
    """With --share: files below the folder can be opened and made; none outside it, by any path."""
    shared, private = folders / "shared", folders / "private"
    (shared / "link").symlink_to(private / "file")
    orders = {"open %s/file" % shared: "done",
              "write %s/new" % shared: "done",
              "open %s/file" % private: "Permission denied",
              "write %s/new" % private: "Permission denied",
              "open %s/link" % shared: "Permission denied",
              "open %s/../private/file" % shared: "Permission denied",
              "open /etc/passwd": "Permission denied",
              "open /proc/self/mem": "Permission denied",
              "open /dev/null": "Permission denied"}
    result, led_to = take(vmm, orders, "--share", shared)
    assert result.status == 0 and led_to == orders, result
    assert (shared / "new").exists() and not (private / "new").exists()


def test_read_only(vmm, folders):
    orders = {"open %s/shared/file" % folders: "done", "write %s/shared/new" % folders: "Permission denied"}
    result, led_to = take(vmm, orders, "--share", "%s/shared,ro" % folders)
    assert result.status == 0 and led_to == orders, result


def test_with_control(vmm, folders):
    """A machine that can be saved and forked can open no more files than another: it gets descriptors."""
    shared, private = folders / "shared", folders / "private"
    orders = {"open %s/file" % shared: "done",
              "open %s/file" % private: "Permission denied",
              "write %s/new" % private: "Permission denied",
              "open /etc/passwd": "Permission denied",
              "open /proc/self/mem": "Permission denied"}
    result, led_to = take(vmm, orders, "--share", shared, "--control", "taken", XDG_RUNTIME_DIR="/run")
    assert result.status == 0 and led_to == orders, result


# In a new folder, where sockets can be made.
ELSEWHERE = 'cd "$(mktemp -d -p /var/tmp)" && mkdir beneath && "$@"; status=$?; rm -r "$PWD"; exit $status'


@pytest.mark.parametrize("options, answer", [([], "done"), (["--stats"], "Permission denied")], ids=["can", "cannot"])
def test_beside_a_control_socket(vmm, folders, options, answer):
    """Sockets can be made beside it only in a run that can be copied, for its copies."""
    orders = {"write new": answer, "write beneath/new": answer, "open %s/private/file" % folders: "Permission denied"}
    result, led_to = take(vmm, orders, "--share", folders / "shared", "--control", "unix:socket", *options,
                          before=("sh", "-c", ELSEWHERE, "sh"))
    assert result.status == 0 and led_to == orders, result


FORBIDDEN = {"execve": 59, "ptrace": 101, "socket": 41, "fork": 57, "mprotect": "10 0 0x1000 4", "ioctl": "16 0 0x5412",
             "unshare": "272 0x10000000", "io_uring_setup": 425, "kill": "62 1 9", "tgkill": "234 1 1 9"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_call(vmm, folders, name):
    """It ends the VMM with 125 and one line that names it and its thread."""
    result, led_to = take(vmm, ["call %s" % FORBIDDEN[name]], "--share", folders / "shared")
    assert result.status == 125 and not led_to, result
    line = r"kvm-vmm: the sandbox forbids %s\(0x.*\) in the thread guest0/fs0; --no-sandbox runs without it\n"
    assert re.fullmatch(line % name, result.err), result


SOCKETS = """
import socket, subprocess, sys
ours, its = socket.socketpair()
vmm = subprocess.Popen(sys.argv[1:], stdin=its, stdout=its)
its.close()
text = b"".join(iter(lambda: ours.recv(4096), b""))
sys.stdout.write(text.decode())
sys.exit(vmm.wait())
"""


def test_standard_streams_that_are_sockets(vmm):
    """As a supervisor passes them: sockets are read and written by other system calls than files."""
    result = lab_run("python3", "-c", SOCKETS, vmm.program, "--timeout=200", "-l", vmm.guest("hello_64"))
    assert result.status == 0 and b"ello" in result.out and result.err == "", result


def test_off(vmm, folders):
    orders = {"open %s/private/file" % folders: "done", "call 41 1 1 0": "done"}
    result, led_to = take(vmm, orders, "--share", folders / "shared", "--no-sandbox")
    assert result.status == 0 and led_to == orders, result


def test_learn(vmm, folders):
    """Each kind of forbidden call, and each file, is reported once, and the call is made."""
    private = folders / "private"
    orders = ["call 41 1 1 0", "call 41 2 1 0", "call 41 2 1 0", "open %s/shared/file" % folders,
              "open %s/file" % private, "open %s/file" % private, "write %s/new" % private, "write %s/new" % folders,
              "move %s/new %s/shared/new" % (private, folders), "move %s/shared/new %s/new" % (folders, private)]
    result, led_to = take(vmm, orders, "--share", folders / "shared", "--sandbox=learn")
    assert result.status == 0 and led_to == dict.fromkeys(orders, "done"), result
    assert re.findall(r"the sandbox does not allow (\w+\(0x\d), .* in the thread (.*)", result.err) == [
        ("socket(0x1", "guest0/fs0"), ("socket(0x2", "guest0/fs0")], result
    assert re.findall(r"does not allow to (.*), in the thread guest0/fs0", result.err) == [
        "read %s/file" % private, "make files in %s" % private, "make files in %s" % folders,
        "remove files in %s" % private], result


def test_a_kernel_without_landlock(vmm, folders):
    """One line says that access to files is not limited; system calls are."""
    warning = "kvm-vmm: this kernel has no Landlock"
    orders = {"open %s/private/file" % folders: "done"}
    result, led_to = take(vmm, orders, "--share", folders / "shared", WITHOUT_LANDLOCK=1)
    assert result.status == 0 and led_to == orders and result.err.count(warning) == 1, result
    result, _ = take(vmm, ["call 59"], "--share", folders / "shared", WITHOUT_LANDLOCK=1)
    assert result.status == 125 and "forbids execve(" in result.err, result


def test_an_image_that_is_replaced(vmm, scratch):
    """The new file of that name cannot be read when the guest starts again, and the error says why. The image is
    replaced while the guest waits for a key: a file that is unlinked while it is read counts as changed."""
    for name in ("image", "other"):
        (scratch / name).write_bytes(vmm.guest("restart").read_bytes())
    script = ("exec %s --reboot --timeout 200 image < <(until grep -qsx guest0/vcpu0 /proc/$$/task/*/comm || "
              "! kill -0 $$; do sleep 0.1; done; mv other image; printf ab)")
    result = lab_run("bash", "-c", script % vmm.program, cwd=scratch)
    assert result.status == 125 and "cannot open image: Permission denied (the sandbox" in result.err, result
