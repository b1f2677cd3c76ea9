"""`make run` and `make clean`: gdb, debug, gdb-i386, debug-loader and dump are in test_debug.py."""
import subprocess

from tests.hleos.machines import HLEOS, LIMIT


def make(*words):
    """With a limit of time, which ends QEMU too: all that timeout starts are in its process group."""
    return subprocess.run(["timeout", str(LIMIT), "make", "-s", "-C", HLEOS, *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)


def test_run(built, scratch):
    """A machine that ended well is a make that did."""
    image = "IMAGE=%s" % (scratch / "run.img")
    done = make("run", "ACCEL=tcg", image, "CPUS=2", "CMDLINE=test=threads")
    assert done.returncode == 0 and "processors: 2" in done.stdout and " 0 failed" in done.stdout, done
    done = make("run", "ACCEL=tcg", image, "CPUS=1", "CMDLINE=test=nonsense")
    assert done.returncode != 0 and "selftest: 0 passed" in done.stdout, done


def test_clean(scratch):
    for folder in ("hleos", "lab"):
        (scratch / folder).mkdir()
        (scratch / folder / "object.o").touch()
    assert make("clean", "BUILD=%s" % scratch).returncode == 0
    assert sorted(path.name for path in scratch.iterdir()) == ["lab"]
