"""--timeout and signals end a run whatever the other side does: limit_checks.py, run where KVM is complete."""
from pathlib import Path

import pytest

from tests.support import lab_run

CHECKS = Path(__file__).with_name("limit_checks.py")


@pytest.mark.parametrize("how", ["timeout", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("check", ["output", "prompt", "end", "words", "log", "image", "display", "reset"])
def test_it_ends(vmm, check, how):
    result = lab_run("/usr/bin/python3", CHECKS, check, how)
    assert result.status == 0, result


def test_a_neighbour_has_its_turn(vmm):
    result = lab_run("/usr/bin/python3", CHECKS, "neighbour", "SIGTERM")
    assert result.status == 0, result


def test_exits_are_counted_over_restarts(vmm):
    result = vmm.run("--reboot", "--max-exits", "3", "@reset_forever")
    assert result.status == 124 and "after 3 exits" in result.err, result


@pytest.mark.parametrize("value, status", [(62, 125), (71, 143), (1, 3)])
def test_whose_status_it_is(vmm, value, status):
    """A guest's own status that could be the VMM's is named."""
    result = vmm.run("@own_status", stdin=bytes([value]))
    assert result.status == status, result
    assert ("exited with %d" % status in result.err) == (status != 3), result
