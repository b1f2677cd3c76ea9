"""tools/tour: it runs the stops of its table, and fails if a stop fails. Tested on a copy with other stops."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import with_time

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def tour(tmp_path):
    """tour(stops, words): the result of a tour over these stops."""
    def run(stops, *words, limit=60):
        text = (TOP / "tools/tour").read_text()
        text = re.sub(r"^STOPS = \[.*?^\]", lambda _: "STOPS = %r" % stops, text, flags=re.S | re.M)
        text = text.replace("LIMIT = 300", "LIMIT = %d" % limit)
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools/tour").write_text(text)
        return subprocess.run([sys.executable, tmp_path / "tools/tour", *words], capture_output=True, text=True,
                              check=False)
    return run


def test_a_good_tour(tour):
    result = tour([(".", "seq 20", "Counts"), (".", "echo out", "Speaks")])
    assert result.returncode == 0
    shown = " 1. Counts\n    $ seq 20\n      1\n      2\n      3\n      ... 15 lines ...\n      19\n      20\n"
    assert shown in result.stdout
    assert "2 stops, 0 failed" in result.stdout


def test_a_failed_stop_fails_the_tour_and_shows_all(tour):
    result = tour([(".", "seq 20; echo why >&2; exit 3", "Fails"), (".", "echo after", "Goes on")])
    assert result.returncode == 1
    assert "      11\n" in result.stdout and "      why\n" in result.stdout and "status 3" in result.stdout
    assert "      after\n" in result.stdout and "2 stops, 1 failed" in result.stdout


def test_a_stop_that_hangs_is_a_failed_one(tour):
    def attempt(seconds):
        return seconds, tour([(".", "echo begun; sleep 1000; echo done", "Hangs")], limit=seconds)

    seconds, result = with_time(attempt, lambda seen: "      begun\n" in seen[1].stdout)
    assert result.returncode == 1 and "      begun\n" in result.stdout, result
    assert "none after %d s" % seconds in result.stdout and "      done\n" not in result.stdout, result


def test_words_choose(tour):
    stops = [(".", "echo one", "First"), (".", "echo two", "Second")]
    assert "1 stops, 0 failed" in tour(stops, "two").stdout
    assert tour(stops, "nothing").returncode == 1


def test_a_stop_whose_download_is_away_is_left_out(tour):
    result = tour([(".", "echo never", "Needs it", "echo no mirror >&2; exit 1"), (".", "echo after", "Goes on")])
    assert result.returncode == 0
    assert "left out: no mirror" in result.stdout and "      never\n" not in result.stdout
