"""Each small guest prints exactly its .expected file, and succeeds; started by the program and by make."""
import os
import re
import shutil
import subprocess

import pytest

from tests.support import LAB, LIMIT, TOP

FOLDER = TOP / "kvm-vmm-x86"
GUESTS = sorted(path.stem for path in (FOLDER / "guest").glob("*.S"))
MODE_FLAGS = {"pmode_test": ["-p"], "hello_64": ["-l"], "long_check": ["-l"]}
REAL_MODE = [guest for guest in GUESTS if guest not in MODE_FLAGS]


def make(*targets, folder=FOLDER):
    return subprocess.run(["make", "-s", "-C", folder, *targets], capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=LIMIT)


@pytest.fixture
def copy(vmm, tmp_path):
    """kvm-vmm-x86 in a copy of the tree, for tests that add and remove guests: the guests of the tree itself are in use
    by tests of other processes."""
    for name in ("abi", "common", "kvm-vmm-x86", "mk"):
        shutil.copytree(TOP / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("os-1k"))
    return tmp_path / "kvm-vmm-x86"


def make_in(copy, *targets):
    """The VMM is copied with its guests; it is never rebuilt there, and runs in the lab of this tree."""
    return make("--assume-old=kvm-vmm", "LAB_RUN=%s run" % LAB, *targets, folder=copy)


def expected(guest):
    return (FOLDER / "guest" / (guest + ".expected")).read_bytes()


@pytest.mark.parametrize("guest", GUESTS)
def test_output_and_status(vmm, guest):
    result = vmm.run(*MODE_FLAGS.get(guest, []), "@" + guest)
    assert (result.status, result.out, result.err) == (0, expected(guest), "")


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="this machine has no /dev/kvm to use")
@pytest.mark.parametrize("guest", REAL_MODE + ["hello_64"])
def test_on_this_machines_own_kvm(vmm, guest):
    """Even an incomplete KVM runs flat real mode and long mode."""
    result = vmm.run(*MODE_FLAGS.get(guest, []), "@" + guest, env={"KVM": "host"})
    assert (result.status, result.out) == (0, expected(guest)), result


@pytest.mark.parametrize("guest", ["hello", "hello_64"])
def test_the_content_decides_the_mode(vmm, guest):
    result = vmm.run("@" + guest)
    assert (result.status, result.out) == (0, expected(guest)), result


@pytest.mark.parametrize("target", [
    "minimal", "hello", "counter", "hctest", "multiplication", "pmode_test", "run-hello",
])
def test_make_target(vmm, target):
    done = make(target)
    assert (done.returncode, done.stdout) == (0, expected(target.removeprefix("run-"))), done.stderr


def test_make_build_target(copy):
    image = copy / "guest/counter.bin"
    image.unlink()
    assert make_in(copy, "build-counter").returncode == 0
    assert image.read_bytes() == (FOLDER / "guest/counter.bin").read_bytes()


@pytest.mark.parametrize("target, guests", [
    ("multi-2", ["counter", "hello"]),
    ("multi-4", ["counter", "hello", "multiplication", "fibonacci"]),
])
def test_make_multi(vmm, target, guests):
    done = make(target)
    lines = sorted(line for guest in guests for line in expected(guest).splitlines())
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, lines), done.stderr


@pytest.mark.parametrize("name", ["myprogram", "spin"])
def test_a_new_guest_is_found_by_name(copy, name):
    """Also with the name of one of the tests' guests."""
    source = copy / "guest" / (name + ".S")
    source.write_text('/* A user\'s. */\n#include "guest.inc"\n    .code16\n    print text\n    exit\n'
                      'include_print\ntext:\n    .asciz "mine\\n"\n')
    built = make_in(copy, "build-" + name)
    assert built.returncode == 0, built.stderr
    for target in ("run-" + name, name):
        done = make_in(copy, target)
        assert (done.returncode, done.stdout) == (0, b"mine\n"), done.stderr


def test_make_s_is_silent_and_a_misspelt_target_is_answered(copy):
    outermost = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def run(*words):
        return subprocess.run(["make", *words, "-C", copy], capture_output=True, check=False, timeout=LIMIT,
                              env=outermost)

    for words, silent in (["-s"], True), ([], False):
        (copy / "guest/myquiet.S").write_text('/* It halts. */\n    .code16\n    hlt\n')
        done = run(*words, "build-myquiet")
        assert done.returncode == 0 and (done.stdout == b"") == silent, done
        (copy / "guest/myquiet.bin").unlink()
    done = run("helo")
    assert done.returncode == 2 and done.stderr.startswith(b"make: there is no target 'helo' here. There are:\n"), done
    assert re.search(rb"NAME: .*\bhello\b", done.stderr), done


def test_make_hides_no_failure(copy):
    """If a guest fails, so does make."""
    source = copy / "guest/mybad.S"
    source.write_text('/* Ends with 3. */\n#include "guest.inc"\n    .code16\n    debug_exit 1\n')
    assert make_in(copy, "build-mybad").returncode == 0
    done = make_in(copy, "mybad")
    assert done.returncode != 0 and b"Error 3" in done.stderr, done
