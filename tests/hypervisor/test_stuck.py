"""What is told of a machine that a test waits for in vain."""
import re

import stuck
from hvmachine import QEMU12, archive_of, command, spawn


def test_a_report(hypervisor, tmp_path):
    """With its guest paused hart 0 is in the hypervisor, whose functions have names."""
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, {"nap": ("nap", {}, {})}), memory="256M"))
    child.expect("nap: sleeps")
    child.send("\x01m")
    child.expect("hv> ")
    child.send("pause nap\r")
    child.expect("nap is paused")
    told = stuck.report(child.monitor, child.kernel)
    assert re.search(r"^hart 0: \w+\+0x[0-9a-f]+ V 0, pc [0-9a-f]+", told, re.M), told


def test_a_report_that_fails(tmp_path):
    """The failure of the test itself is told all the same."""
    assert "no word of the harts" in stuck.report(tmp_path / "monitor", tmp_path / "kernel")
