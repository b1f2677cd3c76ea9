"""The VMM's text display with HLeOs on it: display_checks.py, run where KVM is complete."""
from pathlib import Path

import pytest

from tests.support import TOP, lab_run

CHECKS = Path(__file__).with_name("display_checks.py")


@pytest.mark.parametrize("check", ["a_command_is_typed_and_answered", "a_small_terminal_shows_the_prompt",
                                   "it_leaves_the_terminal_as_it_was",
                                   "its_own_words_are_not_drawn_over"])
def test_display(built, vmm, check):
    result = lab_run("/usr/bin/python3", CHECKS, check)
    assert result.status == 0, result


def test_refusals(built, vmm):
    """One line of error and a status if there is no terminal, or no display."""
    result = vmm.run("--display=text", TOP / "build/hleos/hleos.elf")
    assert result.status == 125 and "standard output is not one" in result.err, result
    result = vmm.run("--display=text", "@hello")
    assert result.status == 125 and "0xb8000" in result.err and len(result.err.splitlines()) == 1, result
