"""The ends of a Linux guest, and the VMM's status for each."""
import shlex
import subprocess

import pexpect
import pytest

from tests.support import LIMIT, TOP, finish, lab_run

ENDS = [
    ("poweroff", 0, b"init: Linux"),  # by init, to which busybox sends a signal
    ("reboot -f", 0, b"init: Linux"),
    ("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'", 126, b"Kernel panic - not syncing"),  # on the other vCPU
    ("taskset 2 poweroff -f", 0, b"init: Linux"),
    ("halt -f", 0, b"init: Linux"),
]


@pytest.mark.parametrize("run, status, said", ENDS, ids=[end[0] for end in ENDS])
def test_end(linux, run, status, said):
    result = linux.boot("cloud", "-c", 2, run=run + "; sleep 300; exit 9")
    assert result.status == status, result
    assert said in result.out and "printed anything" not in result.err, result


def test_halt_without_a_local_apic(linux):
    """The halted guest sleeps: KVM must not report pages (async page faults) to a vCPU that cannot receive the report.
    tests/foreign tests other old parameters."""
    result = linux.boot("cloud", append="quiet nolapic", run="halt -f")
    assert result.status == 0 and b"System halted" in result.out, result


def test_panic_before_init(linux):
    result = linux.boot("cloud", append="quiet rdinit=/missing root=/dev/nothing")
    assert result.status == 126, result
    assert b"Kernel panic - not syncing" in result.out


def test_reboot_starts_again(linux):
    """With --reboot a restart starts the guest again, each time."""
    session = linux.terminal("cloud", "-c", 2, "--reboot", run="reboot -f", limit=960)
    for _ in range(3):
        session.expect_exact(b"init: Linux")
    session.send("\x01x")  # leaves
    assert finish(session) == 0


SLEEPS = "echo sl'ee'ps; sleep 100000"  # the terminal echoes no such word


def test_power_button_by_key():
    """`make linux` includes the driver, and init listens for the button: the guest powers off."""
    session = pexpect.spawn("make", ["-s", "--no-print-directory", "-C", "kvm-vmm-x86", "linux"], cwd=str(TOP),
                            timeout=LIMIT)
    session.expect_exact(b"guest# ")
    session.sendline(SLEEPS)
    session.expect_exact(b"sleeps")
    session.send("\x01p")
    session.expect_exact(b"the power button was pressed")
    assert finish(session) == 0


@pytest.fixture
def button(kernel, scratch, linux):
    """The option for an archive with the kernel's power button driver."""
    linux.ramdisk()
    kernel("cloud")  # fetches the package
    layer = scratch / "button.cpio"
    subprocess.run([TOP / "tools/kernels", "--modules", layer, "cloud", "button"], check=True, capture_output=True)
    return "--initrd", layer


def test_power_button_by_signal(linux, button):
    command = shlex.join(map(str, linux.command("cloud", *button, run=SLEEPS)))
    script = ("%s > said < /dev/null & vmm=$!; "
              "until grep -q sleeps said || ! kill -0 $vmm; do sleep 0.1; done; "
              "kill -PWR $vmm; wait $vmm; status=$?; cat said; exit $status" % command)
    result = lab_run("sh", "-c", script, cwd=button[1].parent)
    assert result.status == 0 and b"the power button was pressed" in result.out, result
