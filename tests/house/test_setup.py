"""tools/setup: its messages without apt. tools/bare tests the installation with apt."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def rows():
    """Package, group, Fedora's names, Arch's names, purpose."""
    lines = (TOP / "tools/packages").read_text(encoding="utf-8").splitlines()
    return [line.split(maxsplit=4) for line in lines if line and line[0] != "#"]


@pytest.fixture
def setup(tmp_path):
    """setup(OS_RELEASE, GROUPS): a run without apt and dpkg."""
    for tool in ("bash", "cat", "dirname", "env", "sed", "sort", "tr"):
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def run(release, *groups):
        (tmp_path / "os-release").write_text(release)
        return subprocess.run([TOP / "tools/setup", *groups], capture_output=True, text=True, check=False,
                              env={"PATH": str(tmp_path), "OS_RELEASE": str(tmp_path / "os-release")})
    return run


def test_each_package_has_its_columns():
    assert all(len(row) == 5 and row[1] in ("base", "check", "bench", "full", "tools") for row in rows())


@pytest.mark.parametrize("release, command, column", [
    ('ID=fedora\n', "sudo dnf install ", 2),
    ('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install ", 2),
    ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S --needed ", 3)])
def test_the_command_of_another_distribution(setup, release, command, column):
    result = setup(release, "check")
    names = {name for row in rows() if row[1] in ("base", "check") for name in row[column].split(",")} - {"-"}
    shown = result.stderr.splitlines()[-1].strip()
    assert result.returncode == 1 and shown == command + " ".join(sorted(names)), result.stderr


def test_a_system_that_is_not_known(setup):
    result = setup("ID=plan9\n")
    names = " ".join(row[0] for row in rows() if row[1] == "base")
    assert result.returncode == 1 and result.stderr.endswith(" " + names + "\n")


def test_a_user_who_has_installed_all():
    done = subprocess.run([TOP / "tools/setup"], env={**os.environ, "SETUP": "no"}, check=False)
    assert done.returncode == 0


def test_what_ci_installs_makes_a_bare_system():
    """The packages that .ci/run installs contain all that tools/bare needs, on a machine without other packages."""
    groups = re.search(r"^tools/setup (.*)$", (TOP / ".ci/run").read_text(), re.M)[1].split()
    installed = {row[0] for row in rows() if row[1] in ("base", *groups)}
    assert {"mmdebstrap", "clang-format", "git"} <= installed


@pytest.mark.parametrize("given, compilers", [
    ([], "gcc gcc"), (["CC=clang"], "clang clang"), (["CC=clang", "HOST_CC=gcc-12"], "gcc-12 clang")])
def test_the_compiler_is_the_one_that_is_asked_for(tmp_path, given, compilers):
    """The compiler for this machine's programs, and for freestanding x86."""
    makefile = tmp_path / "Makefile"
    makefile.write_text("OUT := %s\ninclude %s/mk/host.mk\ninclude %s/mk/x86.mk\nshow:\n\t@echo $(HOST_CC) $(X86_CC)\n"
                        % (tmp_path, TOP, TOP))
    clean = {name: value for name, value in os.environ.items() if name not in ("CC", "HOST_CC", "X86_CC", "MAKEFLAGS")}
    run = subprocess.run(["make", "-s", "-f", makefile, "show", *given], capture_output=True, text=True, check=False,
                         env=clean)
    assert (run.stdout.strip(), run.stderr) == (compilers, "")
