"""The state of the terminal during and after a run of the VMM: runs tty_checks.py where KVM is complete."""
from pathlib import Path

import pytest

from tests.support import lab_run

CHECKS = Path(__file__).with_name("tty_checks.py")


@pytest.mark.parametrize("check", ["raw_only_while_a_guest_reads", "ctrl_c_reaches_a_guest_that_reads",
                                   "the_input_moves_on", "signals", "suspended_and_continued",
                                   "keys_behind_much_typed", "the_focus_comes_back", "the_display_starts_again"])
def test_terminal(vmm, check):
    result = lab_run("/usr/bin/python3", CHECKS, check)
    assert result.status == 0, result
