"""Shared by all system tests: the counts of check and soak, a scratch folder that the lab sees, and the VMM.

No result depends on time: a limit only ends a test that hangs.
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))  # `from tests.support import ...` works in every test

from tests.support import LAB, Vmm, ask_lab, lab_stops  # noqa: E402  (needs the path above)

SOAK = bool(os.environ.get("SOAK"))
FULL = bool(os.environ.get("FULL"))
REPEATS = 2  # the most in a run


def pytest_configure(config):
    config.addinivalue_line("markers", "full(what): needs something heavy; runs with FULL=1 only")


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("full")
        if mark and not FULL:
            item.add_marker(pytest.mark.skip(reason="needs %s: make check FULL=1" % mark.args[0]))


def tell(what, **more):
    """Writes a line for tools/check, which shows the progress."""
    if os.environ.get("CHECK_EVENTS"):
        with open(os.environ["CHECK_EVENTS"], "a") as events:
            events.write(json.dumps({"what": what, **more}) + "\n")


def pytest_collection_finish(session):
    tell("tests", names=[item.nodeid for item in session.items])


repeats = []


def may_repeat(item, stops):
    """True if a failed test may run again: only if the lab's machine stopped during it, as recorded by its watchdog
    (docs/lab.md). The machine is asked first: the test may have ended before the watchdog. Never for tests of the lab,
    which stop machines themselves, nor in `make soak`, which looks for rare failures."""
    if SOAK or item.nodeid.startswith("tests/lab/"):
        return False
    ask_lab()
    return lab_stops() > stops


def claims():
    """The files or folders that this process runs, one at a time: the next of its own list, then the last of the other
    process's. tools/check wrote both lists."""
    mine = os.environ["CHECK_NAME"]
    while True:
        with open(os.environ["CHECK_CLAIMS"], "r+") as lists:
            fcntl.flock(lists, fcntl.LOCK_EX)
            left = json.load(lists)
            other = [name for name in left if name != mine and left[name]]
            if not left[mine] and not other:
                return
            unit = left[mine].pop(0) if left[mine] else left[other[0]].pop()
            lists.seek(0)
            lists.truncate()
            json.dump(left, lists)
        yield unit


def pytest_runtestloop(session):
    """In a process of tools/check, runs the tests that it claims."""
    if "CHECK_CLAIMS" not in os.environ or session.testsfailed:
        return None
    for unit in claims():
        tests = [item for item in session.items if item.nodeid.startswith((unit + "/", unit + "::"))]
        for item, following in zip(tests, [*tests[1:], session]):  # fixtures of the session last longer than a unit
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    return True


def pytest_runtest_protocol(item, nextitem):
    """Runs a test, and once more if may_repeat() allows it."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    tell("start", name=item.nodeid)
    start, stops = time.monotonic(), lab_stops()
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [report for report in reports if report.failed]
    if failed and may_repeat(item, stops):
        print("\nruns again, since the lab's machine stopped: %s" % item.nodeid)
        tell("again", name=item.nodeid)
        repeats.append((item.nodeid, failed[0].longreprtext))
        item._initrequest()  # fixtures are made again
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    outcomes = {report.outcome for report in reports}
    tell("end", name=item.nodeid, seconds=round(time.monotonic() - start, 2),
         outcome=next(outcome for outcome in ("failed", "skipped", "passed") if outcome in outcomes))
    return True


def pytest_sessionfinish(session, exitstatus):
    if len(repeats) > REPEATS and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for name, reason in repeats:
        terminalreporter.section("ran again, since the lab's machine stopped: %s" % name)
        terminalreporter.line("\n".join(reason.splitlines()[-30:]))
    if len(repeats) > REPEATS:
        terminalreporter.line("%d tests ran again, more than %d: a failure" % (len(repeats), REPEATS))


@pytest.fixture(scope="session")
def soak():
    """soak(short, long): how often to repeat, in `make check` and in `make soak`."""
    return lambda short, long: long if SOAK else short


@pytest.fixture
def scratch(request):
    """A folder for one test, whose path is the same in every run."""
    name = "".join(c if c.isalnum() else "_" for c in request.node.nodeid.split("/", 1)[-1])
    folder = TOP / "build/tests" / name[-100:]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def vmm():
    """The VMM, built, with every guest."""
    (TOP / "build").mkdir(exist_ok=True)
    with open(TOP / "build/test-guests.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other process of tools/check may build them now
        subprocess.run(["make", "-s", "-C", TOP / "kvm-vmm-x86", "vmm", "test-guests"],
                       check=True, stdin=subprocess.DEVNULL)
    start = subprocess.run([TOP / "lab/lab", "run", "true"], check=False, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if start.returncode != 0:  # all later tests would fail for the same reason
        pytest.exit("the lab does not start (status %d):\n%s" % (start.returncode, start.stdout), 2)
    return Vmm()
