"""Each small guest prints exactly its .expected file, and succeeds; started by the program and by make."""
import os
import re
import subprocess

import pytest

from tests.support import TOP

FOLDER = TOP / "kvm-vmm-x86"
GUESTS = sorted(path.stem for path in (FOLDER / "guest").glob("*.S"))
MODE_FLAGS = {"pmode_test": ["-p"], "hello_64": ["-l"], "long_check": ["-l"]}
REAL_MODE = [guest for guest in GUESTS if guest not in MODE_FLAGS]


def make(*targets, **options):
    return subprocess.run(["make", "-s", "-C", FOLDER, *targets], capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=120, **options)


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


def test_make_build_target(vmm):
    image = FOLDER / "guest/counter.bin"
    image.unlink()
    assert make("build-counter").returncode == 0 and image.exists()


@pytest.mark.parametrize("target, guests", [
    ("multi-2", ["counter", "hello"]),
    ("multi-4", ["counter", "hello", "multiplication", "fibonacci"]),
])
def test_make_multi(vmm, target, guests):
    done = make(target)
    lines = sorted(line for guest in guests for line in expected(guest).splitlines())
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, lines), done.stderr


@pytest.mark.parametrize("name", ["myprogram", "spin"])
def test_a_new_guest_is_found_by_name(vmm, name):
    """Also with the name of one of the tests' guests."""
    source = FOLDER / "guest" / (name + ".S")
    source.write_text('/* A user\'s. */\n#include "guest.inc"\n    .code16\n    print text\n    exit\n'
                      'include_print\ntext:\n    .asciz "mine\\n"\n')
    try:
        built = make("build-" + name)
        assert built.returncode == 0, built.stderr
        for target in ("run-" + name, name):
            done = make(target)
            assert (done.returncode, done.stdout) == (0, b"mine\n"), done.stderr
    finally:
        for path in (FOLDER / "guest").glob(name + ".*"):
            path.unlink()


def test_make_s_is_silent_and_a_misspelt_target_is_answered(vmm):
    source = FOLDER / "guest/myquiet.S"
    outermost = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def run(*words):
        return subprocess.run(["make", *words, "-C", FOLDER], capture_output=True, check=False, timeout=120,
                              env=outermost)

    try:
        for words, silent in (["-s"], True), ([], False):
            source.write_text('/* It halts. */\n    .code16\n    hlt\n')
            done = run(*words, "build-myquiet")
            assert done.returncode == 0 and (done.stdout == b"") == silent, done
            for path in (FOLDER / "guest").glob("myquiet.*"):
                path.unlink()
    finally:
        for path in (FOLDER / "guest").glob("myquiet.*"):
            path.unlink()
    done = run("helo")
    assert done.returncode == 2 and done.stderr.startswith(b"make: there is no target 'helo' here. There are:\n"), done
    assert re.search(rb"NAME: .*\bhello\b", done.stderr), done


def test_make_hides_no_failure(vmm):
    """If a guest fails, so does make."""
    source = FOLDER / "guest/mybad.S"
    source.write_text('/* Ends with 3. */\n#include "guest.inc"\n    .code16\n    debug_exit 1\n')
    try:
        assert make("mybad").returncode != 0
    finally:
        for path in (FOLDER / "guest").glob("mybad.*"):
            path.unlink()
