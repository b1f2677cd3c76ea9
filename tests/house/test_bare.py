"""tools/bare: a system with only git and make, the command's status, and a reason if the system cannot be made."""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def bare(*words, script=TOP / "tools/bare", **options):
    return subprocess.run([script, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def test_an_ordinary_user_is_told_what_it_needs():
    options = {"user": 54321, "group": 54321, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # this checkout may be in a folder that only root can enter
        os.chmod(folder, 0o755)
        script = Path(folder) / "tools/bare"
        script.parent.mkdir()
        shutil.copy(TOP / "tools/bare", script)
        result = bare("bookworm", "true", script=script, **options)
    assert result.returncode == 125
    assert result.stderr == "bare: needs root for mounts and chroot: sudo tools/bare bookworm\n"


# In a bare system the root is not a mount, and new namespaces are refused.
NEEDS = os.geteuid() == 0 and shutil.which("mmdebstrap") and not subprocess.run(["unshare", "--mount", "true"],
                                                                                 capture_output=True).returncode


@pytest.mark.full("a mirror, to make a system from")
@pytest.mark.skipif(not NEEDS, reason="needs root, mmdebstrap and namespaces")
def test_what_is_in_it():
    """git and make, this project at this commit, /proc and /dev; no compiler, no python3. The mounts end with it."""
    mounts = Path("/proc/self/mounts").read_text()
    result = bare("bookworm", "git log -1 --format=%h; make --version | head -n 1; ls -d /proc/1 /dev/null;"
                              "command -v gcc python3; exit 7")
    head = subprocess.run(["git", "-C", TOP, "log", "-1", "--format=%h"], capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    assert result.returncode == 7, result.stderr
    assert lines[2] == head.stdout.strip() and lines[3].startswith("GNU Make") and lines[4:] == ["/dev/null", "/proc/1"]
    assert Path("/proc/self/mounts").read_text() == mounts
    assert bare("nowhere", "true").returncode == 125


@pytest.mark.full("a mirror, to make a system from")
@pytest.mark.skipif(not NEEDS, reason="needs root, mmdebstrap and namespaces")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_runs_there(number):
    with subprocess.Popen([TOP / "tools/bare", "bookworm", "trap '' INT TERM; echo ready; sleep 86399"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as script:
        for line in script.stdout:
            if line == "ready\n":
                break
        script.send_signal(number)
        assert script.stdout.read() == ""  # the end of the pipe: all processes have ended
        assert script.wait() == 128 + number
