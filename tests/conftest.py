"""What every system test shares: the counts of check and soak, a scratch folder that the lab sees, and the VMM.

Nothing here decides by time: a limit only ends a test that hangs.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))  # `from tests.support import ...` works in every test

from tests.support import LAB, Vmm, lab_answers  # noqa: E402  (needs the path above)

SOAK = bool(os.environ.get("SOAK"))
FULL = bool(os.environ.get("FULL"))


def pytest_configure(config):
    config.addinivalue_line("markers", "full(what): needs something heavy; runs with FULL=1 only")


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("full")
        if mark and not FULL:
            item.add_marker(pytest.mark.skip(reason="needs %s: make check FULL=1" % mark.args[0]))


second_tries = []


def pytest_runtest_protocol(item, nextitem):
    """Runs a test; once more if it failed. What passed only then is listed at the end of the run.

    Most machines here are emulators on a busy host, and one of them now and then loses an interrupt (docs/lab.md).
    A test that fails for a reason of its own fails twice. The second try has a lab newly started: one that lost an
    interrupt may answer, and yet not be well. `make soak` looks for rare failures: no second try there.
    """
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [report for report in reports if report.failed]
    if failed and not SOAK:
        if not lab_answers():
            print("\nthe lab's machine stopped answering: started anew for %s" % item.nodeid)
        subprocess.run([LAB, "down"], capture_output=True, check=False)
        item._initrequest()  # fixtures are made anew
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports):
            second_tries.append((item.nodeid, failed[0].longreprtext))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter):
    for name, reason in second_tries:
        terminalreporter.section("passed at the second try: %s" % name)
        terminalreporter.line("\n".join(reason.splitlines()[-30:]))


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
    subprocess.run(["make", "-s", "-C", TOP / "kvm-vmm-x86", "vmm", "test-guests"],
                   check=True, stdin=subprocess.DEVNULL)
    subprocess.run([TOP / "lab/lab", "run", "true"], check=True, stdin=subprocess.DEVNULL)  # starts it once, aloud
    return Vmm()
