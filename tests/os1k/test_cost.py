"""What the system costs its host: exits, and processor time while nobody types."""
import os
import re
import time

from tests.os1k.conftest import PROMPT

EXITS_LIMIT = 150  # the original system needed 841


def test_exits_of_boot_then_exit(on_vmm):
    result = on_vmm.run(b"0\n", options=("--stats",))
    exits = int(re.search(r"(\d+) exits", result.err).group(1))
    assert result.status == 0
    assert b"1k> 0\n" in result.out
    assert exits < EXITS_LIMIT


def test_idle_shell_uses_no_host_cpu(qemu):
    """Processor time, not wall-clock time: a kernel that polls would use all of it, on any machine."""
    session = qemu.terminal()
    session.expect_exact(PROMPT)
    begin = processor_time(session.pid)
    time.sleep(3)
    spent = processor_time(session.pid) - begin
    session.close(force=True)
    assert spent < 0.5


def processor_time(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
