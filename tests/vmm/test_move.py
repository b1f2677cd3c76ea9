"""A guest is moved to another KVM VM, again and again, without an effect on it: tests/vmm/wrapped/move.c."""
import random
import re
import shlex
import subprocess
import tempfile

import pytest

from tests.linux.conftest import LAST
from tests.support import TOP, lab_run

MOVE = TOP / "build/kvm-vmm-x86/move"
HLEOS = TOP / "build/hleos/hleos.elf"


@pytest.fixture(scope="module", autouse=True)
def built(vmm):
    for target in (["-C", "kvm-vmm-x86", "move", "os-1k"], ["-C", "HLeOs/HLeOs"]):
        subprocess.run(["make", "-s", *target], check=True, cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True)


ENOUGH = 10
WAIT = "until [ -e $MARK ]; do sleep 0.1; done; "  # until there were enough moves, or the guest has ended


def moved(*args, every, most=200, status=0, feed=None):
    """Runs a guest and moves it every `every` milliseconds, or slower on a slow host. Returns its output, after
    checking its end. `feed` is a shell command for its input, with a WAIT. Without one it may end after a single
    move."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        settings = {"MOVES": str(most), "EVERY_MS": str(every), "ENOUGH": str(ENOUGH), "MARK": folder + "/mark"}
        command = shlex.join(map(str, [MOVE, "--no-sandbox", LAST, *args]))
        line = "(%s) | (%s; status=$?; : > $MARK; exit $status)" % (feed or "true", command)
        result = lab_run("env", *map("=".join, settings.items()), "bash", "-c", line)
    count = re.search(r"was moved (\d+) times", result.err)
    assert result.status == status, result
    assert count and int(count[1]) >= (ENOUGH if feed else 1), result
    return result.out


def test_real_mode(vmm):
    expected = (TOP / "kvm-vmm-x86/guest/multiplication.expected").read_bytes()
    assert moved(vmm.guest("multiplication"), every=1) == expected


def test_one_that_halts(vmm):
    """It halts between two checks of the watcher and is moved before the second: KVM counts its halts from 0 on."""
    assert moved("-l", vmm.guest("late_halt"), most=30, every=20) == b""


def test_in_the_middle_of_a_string_input(vmm):
    """`rep insb` waits in the middle of its batch: the part that it has read is moved too."""
    data = random.Random(5).randbytes(64 * 0x4000)
    source = "import os, sys, time; data = open(sys.argv[1], 'rb').read()\nfor i in range(0, len(data), 4321):\n" \
             "    while i + 4321 >= len(data) and not os.path.exists(os.environ['MARK']):\n        time.sleep(0.1)\n" \
             "    sys.stdout.buffer.write(data[i:i + 4321]); sys.stdout.flush(); time.sleep(0.01)"
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        file.write(data)
        file.flush()
        assert moved(vmm.guest("insb"), every=5, feed="python3 -c %s %s" % (shlex.quote(source), file.name)) == data


def test_hypercalls_that_wait(vmm):
    """`outsb` requests a byte and waits: KVM has finished the instruction, the hypercall is not finished yet."""
    text = b"".join(b"%d\n" % i for i in range(100))
    feed = "for i in $(seq 0 98); do echo $i; sleep 0.02; done; " + WAIT + "echo 99"
    assert moved(vmm.guest("outsb_calls"), every=5, feed=feed) == text


def test_1k_os():
    out = moved("-p", "kvm-vmm-x86/os-1k/kernel.bin", every=2,
                feed="printf 'help\\nps\\n'; " + WAIT + "printf 'help\\nps\\nexit\\n'")
    assert out.count(b" ps\r\n" if b"\r\n" in out else b" ps\n") >= 2 and b"exit" in out


@pytest.mark.parametrize("cpus", [1, 2])
def test_hleos(cpus):
    out = moved("-c", cpus, HLEOS, every=5, status=33, feed="echo run c; " + WAIT + "printf 'run c\\nhalt\\n'")
    assert out.count(b"C job: 2262 primes below 20000") == 2 and b"halting" in out


def test_linux_with_two_vcpus():
    """Time, two vCPUs, a pipe, and the clock: none of them stops or goes back."""
    sums = "dd if=/dev/zero bs=64k count=100 2>/dev/null | md5sum"
    script = "taskset 1 sh -c '%s' & taskset 2 sh -c '%s'; wait; date +%%s; usleep 700000; date +%%s" % (sums, sums)
    done = subprocess.run([TOP / "tools/kernels", "cloud"], check=False, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    kernel = done.stdout.strip()
    subprocess.run(["make", "-s", "-C", TOP / "initramfs"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    out = moved("-c", 2, "-m", "256M", "--initrd", TOP / "build/initramfs/amd64/initramfs.cpio",
                "--append", 'quiet run="%s"' % script, kernel, every=100)
    times = [int(t) for t in re.findall(rb"^(\d{10})\r?$", out, re.M)]
    assert len(times) == 2 and 0 <= times[1] - times[0] <= 60, out
    assert len(re.findall(rb"^([0-9a-f]{32})  -\r?$", out, re.M)) == 2, out
