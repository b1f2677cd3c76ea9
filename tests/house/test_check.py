"""tools/check and the repeats of tests/conftest.py, on a small tree with its own tests."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

LAB = """#!/bin/bash
# A lab whose machine is a file, and hangs if there is a file "hangs": the next command stops it.
cd "$(dirname "$0")"
case $1 in
status) echo "running, process 1, log $PWD/log" ;;
run) rm hangs && echo "1 the machine does not answer" >> stopped ;;
esac
"""
STOPS = """
from pathlib import Path
def stop():
    with open(Path(__file__).parents[2] / "lab/stopped", "a") as record:
        record.write("1 the machine does not answer\\n")
def fails_once(name, stops):
    mark = Path(__file__).with_name(name)
    first = not mark.exists()
    mark.touch()
    if first and stops:
        stop()
    assert not first
"""


@pytest.fixture
def tree(tmp_path):
    """tree(tests): the output of tools/check for {folder: source of its tests}; `follow` is called with each line."""
    for path in ("tools/check", "tests/conftest.py", "tests/support.py", "pytest.ini"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(TOP / path, tmp_path / path)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/lab").write_text(LAB)
    (tmp_path / "lab/lab").chmod(0o755)
    (tmp_path / "Makefile").write_text("all rules unit fuzz documents:\n\t@echo made $@\n")

    def run(tests, follow=None, **environment):
        for folder, source in tests.items():
            (tmp_path / "tests" / folder).mkdir(exist_ok=True)
            (tmp_path / "tests" / folder / "test_it.py").write_text(STOPS + source)
        clean = {k: v for k, v in os.environ.items() if k not in ("FULL", "SOAK", "CHECK_EVENTS", "LAB_NAME")}
        process = subprocess.Popen(["timeout", "600", tmp_path / "tools/check"], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**clean, **environment})
        lines = []
        for line in process.stdout:
            lines.append(line)
            if follow:
                follow(line)
        return subprocess.CompletedProcess([], process.wait(), "".join(lines))
    run.top = tmp_path
    return run


GOOD = "def test_one(): pass\ndef test_two(): pass\n"


def test_a_good_run_names_its_stages_and_counts(tree):
    result = tree({"vmm": GOOD, "house": GOOD})
    assert result.returncode == 0, result.stdout
    for words in ("1 of 6: build", "made all", "2 of 6: rules", "4 of 6: fuzzers", "6 of 6: system tests"):
        assert words in result.stdout
    assert "\n4 passed, 0 failed, 0 skipped\n" in result.stdout
    times = json.loads((tree.top / "build/check/times.json").read_text())
    assert len(times["tests"]) == 4 and "build" in times["stages"]
    assert "1 of 6: build, 0:00 last time" in tree({}).stdout


def test_tests_of_two_kinds_of_machine_run_side_by_side(tree):
    """Each waits for the other."""
    meet = ("import time\ndef test_meet():\n"
            "    mine, other = %r, %r\n    folder = Path(__file__).parents[1]\n"
            "    (folder / mine).touch()\n    end = time.monotonic() + 400\n"
            "    while not (folder / other).exists():\n"
            "        assert time.monotonic() < end\n        time.sleep(0.1)\n")
    result = tree({"gdb": meet % ("a", "b"), "hypervisor": meet % ("b", "a")})
    assert result.returncode == 0, result.stdout


def test_a_process_that_has_no_more_takes_over_from_the_other(tree):
    """A process takes the last file of the other's list, for which the first test waits. Session fixtures are made once
    in each process."""
    wait = ("import time\n@pytest.fixture(scope='session')\ndef once():\n"
            "    with open(Path(__file__).parents[1] / 'made', 'a') as f:\n        f.write('1')\n    yield\n"
            "def test_wait(once):\n    end = time.monotonic() + 400\n"
            "    while not (Path(__file__).parents[1] / 'mark').exists():\n"
            "        assert time.monotonic() < end\n        time.sleep(0.1)\n")
    mark = "def test_mark():\n    (Path(__file__).parents[1] / 'mark').touch()\n"
    result = tree({"linux": "import pytest\n" + wait, "vmm": mark, "run": GOOD})
    assert result.returncode == 0, result.stdout
    assert "\n4 passed, 0 failed" in result.stdout and (tree.top / "tests/made").read_text() == "1"
    assert "vmm/test_it.py" in (tree.top / "build/check/apart.events").read_text().split('"start"', 1)[1]


def test_progress_is_shown_while_a_test_runs(tree):
    text = (tree.top / "tools/check").read_text()
    (tree.top / "tools/check").write_text(text.replace("PERIOD = 20", "PERIOD = 1"))
    seen = tree.top / "seen"
    slow = ("import time\ndef test_a(): pass\ndef test_slow():\n    end = time.monotonic() + 400\n"
            "    while not Path(%r).exists():\n"
            "        assert time.monotonic() < end\n        time.sleep(0.1)\n" % str(seen))
    for words in ("1 of 2 tests, vmm/test_it.py::test_slow", " left, vmm/test_it.py::test_slow"):
        seen.unlink(missing_ok=True)
        result = tree({"vmm": slow}, follow=lambda line, words=words: words in line and seen.touch())
        assert result.returncode == 0, result.stdout


def test_a_failure_is_a_failure(tree):
    result = tree({"vmm": "def test_it():\n    assert fails_once('mark', stops=False)\n"})
    assert result.returncode == 1
    assert "CHECK   failed: tests/vmm/test_it.py::test_it" in result.stdout and "\n0 passed, 1 failed" in result.stdout


def test_a_failure_of_a_stopped_machine_runs_again(tree):
    result = tree({"vmm": "def test_it():\n    fails_once('mark', stops=True)\n"})
    assert result.returncode == 0, result.stdout
    assert "again, since its machine stopped: tests/vmm/test_it.py::test_it" in result.stdout
    assert "ran again, since the lab's machine stopped: tests/vmm/test_it.py::test_it" in result.stdout


def test_a_failure_of_a_machine_that_hangs_runs_again(tree):
    """The test ends before the watchdog of its command, so the machine is asked."""
    (tree.top / "lab/hangs").touch()
    result = tree({"vmm": "def test_it():\n    fails_once('mark', stops=False)\n"})
    assert result.returncode == 0, result.stdout
    assert "again, since its machine stopped: tests/vmm/test_it.py::test_it" in result.stdout


@pytest.mark.parametrize("folder, environment", [("lab", {}), ("vmm", {"SOAK": "1"})])
def test_tests_of_the_lab_and_a_soak_never_run_again(tree, folder, environment):
    result = tree({folder: "def test_it():\n    fails_once('mark', stops=True)\n"}, **environment)
    assert result.returncode == 1 and "again" not in result.stdout


def test_three_that_run_again_are_a_failure(tree):
    one = "def test_%s():\n    fails_once('%s', stops=True)\n"
    result = tree({"vmm": one % ("a", "a") + one % ("b", "b"), "gdb": one % ("c", "c")})
    assert result.returncode == 1 and "3 passed, 0 failed" in result.stdout
    assert "3 tests ran again since their machine stopped, more than 2: a failure" in result.stdout


def test_a_stage_that_fails_ends_the_run(tree):
    (tree.top / "Makefile").write_text("all rules fuzz:\nunit:\n\tfalse\n")
    result = tree({"vmm": GOOD})
    assert result.returncode == 1
    assert "failed: unit tests (make --no-print-directory unit)" in result.stdout and "4 of 5" not in result.stdout
