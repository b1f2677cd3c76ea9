"""mkimage: an error gives one line and no image."""
import re
import subprocess

import pytest

from tests.hleos.machines import BUILD, HLEOS

PARTS = {"--boot": BUILD / "boot.bin", "--stage2": BUILD / "stage2.bin", "--kernel": BUILD / "hleos-stripped.elf"}


def mkimage(**changes):
    options = {**PARTS, **{"--" + name: value for name, value in changes.items()}}
    words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    return subprocess.run([BUILD / "mkimage", *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("changes, status, words", [
    ({"kernel": "/nowhere"}, 1, "/nowhere: No such file"),
    ({"kernel": "/dev/null"}, 1, "not a file of a sensible size"),
    ({"boot": BUILD / "stage2.bin"}, 1, "a boot sector has 512 bytes"),
    ({"stage2": BUILD / "boot.bin"}, 1, "the second stage"),
    ({"stage2": BUILD / "hleos-stripped.elf"}, 1, "for a second stage"),
    ({"cmdline": "x" * 256}, 1, "longer than 255 characters"),
    ({"size": "1024"}, 1, "do not fit in an image of 1024"),
    ({"size": "1000"}, 1, "whole sectors"),
    ({"size": "-512"}, 1, "whole sectors"),
    ({"size": "99999999999999999999"}, 1, "whole sectors"),
    ({"fs": "5000"}, 1, "in whole blocks of 4096"),
    ({"fs": "4096"}, 1, "too small for a file system"),
    ({"fs": "8388608", "size": "1474560"}, 1, "do not fit in an image of 1474560"),
    ({"add": "/dev/null=/x"}, 1, "/dev/null: not a file"),
    ({"fs": "8388608", "add": "/etc/passwd"}, 1, "not FILE=/PATH"),
    ({"add": "/etc/passwd=/x"}, 1, "--add needs --fs"),
    ({"fs": "8388608", "add": "/etc/passwd=/" + "x" * 60}, 1, "not a valid name"),
    ({"out": "/nowhere/image"}, 1, "No such file"),
])
def test_refusals(built, scratch, changes, status, words):
    result = mkimage(**{"out": scratch / "image", **changes})
    assert (result.returncode, result.stdout) == (status, ""), result
    assert words in result.stderr and len(result.stderr.splitlines()) == 1, result
    assert not (scratch / "image").exists()


def test_too_few_parts(built, scratch):
    result = mkimage(kernel=None, out=scratch / "image")
    assert result.returncode == 2 and result.stderr.startswith("usage: mkimage --boot"), result


def test_the_longest_command_line(built, image, qemu):
    """All 255 characters reach the kernel."""
    words = "test=memory.pages_are_distinct"
    status, text = qemu(image("x" * (255 - len(words) - 1) + " " + words))
    assert "selftest: 1 passed, 0 failed" in text and status == 33


def test_the_disk_that_make_makes(built, scratch):
    """The disk contains each program, and a text to read. Makes a new one, since a machine of `make run` may have
    changed that in build/."""
    disk = scratch / "made.img"
    subprocess.run(["make", "-s", "-C", HLEOS, "IMAGE=%s" % disk, disk], check=True, stdin=subprocess.DEVNULL)
    result = subprocess.run([BUILD / "fsck", disk], capture_output=True, text=True, check=False)
    programs = re.search(r"^PROGRAMS +:= (.*)$", (HLEOS / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()
    assert result.returncode == 0 and ": whole: %d files, 2 directories" % (len(programs) + 1) in result.stdout, result
