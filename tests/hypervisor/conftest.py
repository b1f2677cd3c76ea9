"""Fixtures of the hypervisor's system tests; hvmachine.py has the functions for them."""
import shutil
import sys
from pathlib import Path

import pytest
from pexpect import TIMEOUT

sys.path.insert(0, str(Path(__file__).parent))

import stuck  # noqa: E402
from hvmachine import OUT, QEMU12, make, qemu13, spawned  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call():
    """Ends the machines of a failed test, so that they take no CPU time from later tests. If the test timed out,
    reports the machine's state."""
    before = len(spawned)
    outcome = yield
    for child in spawned[before:]:
        if outcome.excinfo and outcome.excinfo[0] is TIMEOUT and child.kernel and child.isalive():
            outcome.excinfo[1].value += "\n--- the harts\n" + stuck.report(child.monitor, child.kernel)
        child.close(force=True)
    del spawned[before:]


@pytest.fixture(scope="session")
def hypervisor():
    if shutil.which("qemu-system-riscv64") is None:
        pytest.skip("no qemu-system-riscv64")
    make("all")
    return OUT / "hypervisor.elf"


@pytest.fixture(params=["qemu of the machine", "qemu of Debian 13"])
def qemu(request):
    """The emulator's command, once for each available version."""
    if request.param == "qemu of the machine":
        return QEMU12
    command = qemu13()
    if command is None:
        pytest.skip("Debian 13's QEMU is not in build/qemu-trixie: FULL=1 fetches it (tools/fetch-qemu)")
    return command
