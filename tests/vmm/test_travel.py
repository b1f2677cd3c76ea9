"""--record and --replay: a replay has the same output, end and status, even if its environment has changed."""
import os
import signal
import subprocess
import time

import pytest

from tests.support import LAB, LIMIT, PATIENT, TOP, with_time

OS_1K = TOP / "kvm-vmm-x86/os-1k/kernel.bin"

# All inputs of a guest: bytes, the end of input, the clock; and all kinds of end.
RUNS = {
    "clock and input": (["@outside"], b"one, six\n", 0),
    "a crash": (["@outside"], b"abc and no more", 126),
    "by the UART": (["@uart_echo"], b"echo\n", 0),
    "a triple fault": (["@triple"], b"", 126),
    "a limit": (["--max-exits", "1000", "@storm"], b"", 124),
    "the VMM's own timer": (["--irqchip", "vmm", "@ticks"], b"abq", 0),
    "the 1K OS": (["-p", "--irqchip", "vmm", OS_1K], b"counter 3 50 &\nsleep 400\nps\n", 0),
    "a guest of 64 bits": (["@hello_64"], b"", 0),
    "a guest of 32 bits": (["-p", "@pmode_test"], b"", 0),
}


@pytest.mark.parametrize("what", RUNS)
def test_the_same_again(vmm, tmp_path, what):
    args, stdin, status = RUNS[what]
    tape = tmp_path / "tape"
    first = vmm.run("--record", tape, *args, stdin=stdin)
    assert first.status == status, first
    again = vmm.run("--replay", tape, *args, stdin=b"something else")
    assert (again.status, again.out, again.err) == (first.status, first.out, first.err)


def test_the_timer_is_part_of_the_machine(vmm, tmp_path):
    tape = tmp_path / "tape"
    assert vmm.run("--record", tape, "--irqchip", "vmm", "@hello").status == 0
    again = vmm.run("--replay", tape, "@hello")
    assert again.status == 125 and "recording is of another guest" in again.err, again
    long = vmm.run("--irqchip", "vmm", "@hello_64")
    assert long.status == 125 and "real or protected mode" in long.err, long


def test_an_end_from_outside(vmm, tmp_path):
    """If a guest waits for input when the run is ended, the replay ends at the same point, at once."""
    tape = tmp_path / "tape"
    first = subprocess.Popen([LAB, "run", *map(str, vmm.command("--record", tape, "@hctest"))], cwd=TOP,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             env={**os.environ, **PATIENT})
    printed = b""
    while not printed.endswith(b"key: "):
        byte = first.stdout.read(1)
        assert byte, printed
        printed += byte
    first.terminate()
    assert first.communicate(timeout=LIMIT)[0] == b"" and first.returncode == 128 + signal.SIGTERM, first.returncode
    again = vmm.run("--replay", tape, "@hctest", stdin=b"q")
    assert (again.status, again.out) == (128 + signal.SIGTERM, printed), (printed, again)


def test_an_end_by_the_time_limit(vmm, tmp_path):
    tape = tmp_path / "tape"
    reader, writer = os.pipe()

    def attempt(seconds):
        with open(reader, "rb", closefd=False) as quiet:
            return vmm.run("--timeout", seconds, "--record", tape, "@hctest", stdin=quiet)
    first = with_time(attempt, lambda result: result.out.endswith(b"key: "))
    os.close(reader)
    os.close(writer)
    again = vmm.run("--replay", tape, "@hctest", stdin=b"q")
    assert first.status == 124 and first.out.endswith(b"key: "), first
    assert (again.status, again.out) == (124, first.out) and "--timeout" in again.err, (first, again)


def test_another_way(vmm, tmp_path):
    """A difference is reported at the exit where it appears; a timer, which is not deterministic, when it is
    recorded."""
    tape = tmp_path / "tape"
    assert vmm.run("--record", tape, "@outside", stdin=b"xt").status == 0
    again = vmm.run("--replay", tape, "@outside")
    assert again.status == 125 and again.out.endswith(b"xt"), again
    assert "it differs from its recording: exit " in again.err and "write to port 0x80" in again.err, again
    kernel = TOP / "kvm-vmm-x86/os-1k/kernel.bin"
    subprocess.run(["make", "-s", "-C", TOP / "kvm-vmm-x86/os-1k"], check=True, stdin=subprocess.DEVNULL)
    timer = vmm.run("--record", tape, "-p", kernel, stdin=b"exit\n")
    assert timer.status == 0 and "a timer whose interrupts are not recorded" in timer.err, timer


def test_refused(vmm, tmp_path):
    tape = tmp_path / "tape"
    assert vmm.run("--record", tape, "@hello").status == 0
    for args, why in {
        ("--replay", tape, "@hctest"): "of another guest",
        ("--replay", tape, "-m", "512K", "@hello"): "of another guest",
        ("--replay", vmm.guest("hello"), "@hello"): "not a recording",
        ("--record", tape, "-p", "-c", "2", "@pmode_test"): "several vCPUs",
        ("--record", tape, "-l", "--rng", "@hello_64"): "virtio",
        ("--record", vmm.guest("hello"), "@hello"): "would overwrite",
    }.items():
        result = vmm.run(*args)
        assert result.status in (2, 125) and why in result.err, (args, result)
    assert vmm.run("--replay", tape, "@hello").status == 0  # the file was not changed


def test_time_passes(vmm, tmp_path):
    """The guest's clock is the recorded one, also in another second."""
    tape = tmp_path / "tape"
    first = vmm.run("--record", tape, "@outside")
    now = time.time() // 1
    while time.time() // 1 == now:
        time.sleep(0.05)
    assert vmm.run("--replay", tape, "@outside").out == first.out
