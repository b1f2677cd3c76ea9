"""The report about a machine for which a test has waited too long."""
import re

import stuck
from hvmachine import QEMU12, archive_of, command, spawn


def test_a_report(hypervisor, tmp_path):
    """While its guest is paused, hart 0 is in the hypervisor, whose symbols are known."""
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, {"nap": ("nap", {}, {})}), memory="256M"))
    child.expect("nap: sleeps")
    child.send("\x01m")
    child.expect("hv> ")
    child.send("pause nap\r")
    child.expect("nap is paused")
    told = stuck.report(child.monitor, child.kernel)
    assert re.search(r"^hart 0: \w+\+0x[0-9a-f]+ V 0, pc [0-9a-f]+", told, re.M), told


def test_a_report_that_fails(tmp_path):
    """The failure of the test itself is reported in any case."""
    assert "no word of the harts" in stuck.report(tmp_path / "monitor", tmp_path / "kernel")
