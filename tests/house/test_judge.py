"""bench/judge: parsing the output of a run."""
import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def judge():
    loader = importlib.machinery.SourceFileLoader("judge", str(TOP / "bench/judge"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("judge", loader))
    loader.exec_module(module)
    return module


def test_bytes_before_a_check(judge):
    """A check of a console prints such bytes; other output of a check does not count as a check."""
    verdict = judge.judged("PASS: one\n\x00\ufffdFAIL: two\n\x00SKIP: three\n\tFAIL: indented\nsaid FAIL: four\n", "")
    assert verdict.counts == {"PASS": 1, "FAIL": 1, "SKIP": 1} and verdict.failed == ["two"]


def test_ends(judge):
    assert judge.riscv_end("PASS: one\n\ufffdSUMMARY: 1 tests\n", 0) == ""
    assert judge.riscv_end("PASS: one\n\tSUMMARY: 1 tests\n", 0) == "no summary"
    assert judge.x86_end("\x00SKIP: not here\n", 77) == judge.x86_end("\ufffdFAIL: two\n", 1) == ""
    assert judge.x86_end("\x00PASS: one\n", 3) == "" and judge.x86_end("\tPASS: one\n", 3) == "no summary"
    assert judge.x86_end("", 124) == "hangs" and judge.x86_end("\tSKIP: none\n", 77) == "status 77"
