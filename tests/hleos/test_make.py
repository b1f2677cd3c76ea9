"""`make run` and `make clean`: gdb, debug, gdb-i386, debug-loader and dump are in test_debug.py."""
import subprocess

from tests.hleos.machines import HLEOS, LIMIT


def make(*words):
    """Runs make with a time limit, which ends QEMU too: all its processes are in the process group of timeout."""
    return subprocess.run(["timeout", str(LIMIT), "make", "-s", "-C", HLEOS, *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)


def test_run(built, scratch):
    """If the machine succeeds, so does make."""
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
