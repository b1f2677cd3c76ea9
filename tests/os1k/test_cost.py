"""The system's cost for its host: exits, and CPU time while it waits for input."""
import re
import time
from pathlib import Path

from tests.os1k.conftest import FOLDER, PROMPT, VMM
from tests.os1k.idle import processor_time
from tests.support import lab_run

EXITS_LIMIT = 150  # the original system needed 841
IDLE_SECONDS = 3
IDLE_LIMIT = IDLE_SECONDS / 2  # of CPU time; a system that polls uses all of it


def test_exits_of_boot_then_exit(on_vmm):
    result = on_vmm.run(b"0\n", options=("--stats",))
    exits = int(re.search(r"(\d+) exits", result.err).group(1))
    assert result.status == 0
    assert b"1k> 0\n" in result.out
    assert exits < EXITS_LIMIT


def test_idle_shell_uses_no_host_cpu_on_qemu(qemu):
    """CPU time, not wall-clock time: a busy machine does not change it."""
    session = qemu.terminal()
    session.expect_exact(PROMPT)
    begin = processor_time(session.pid)
    time.sleep(IDLE_SECONDS)
    spent = processor_time(session.pid) - begin
    session.close(force=True)
    assert spent < IDLE_LIMIT


def test_idle_shell_uses_no_host_cpu_on_the_vmm(on_vmm):
    """The same for the VMM, measured where it runs; and there is no exit meanwhile."""
    script = Path(__file__).with_name("idle.py")
    result = lab_run("/usr/bin/python3", script, IDLE_SECONDS, VMM, "--stats", "-p", FOLDER / "kernel.bin")
    spent, exits, status = re.fullmatch(r"spent (\S+) s, (\d+) exits, status (\d+)\n", result.out.decode()).groups()
    assert float(spent) < IDLE_LIMIT
    assert int(exits) < EXITS_LIMIT
    assert int(status) == 0
