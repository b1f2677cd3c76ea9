"""How a Linux guest ends, and the status that the VMM makes of it."""
import pytest

from tests.support import finish

ENDS = [
    ("poweroff -f", 0, b"init: Linux"),
    ("poweroff", 0, b"init: Linux"),  # by init, which busybox asks with a signal
    ("reboot -f", 0, b"init: Linux"),
    ("echo c > /proc/sysrq-trigger", 126, b"Kernel panic - not syncing"),
    ("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'", 126, b"Kernel panic - not syncing"),  # on the other vCPU
    ("taskset 2 poweroff -f", 0, b"init: Linux"),
    ("halt -f", 0, b"init: Linux"),
    ("exit 3", 3, b"init: status 3"),
]


@pytest.mark.parametrize("run, status, said", ENDS, ids=[end[0] for end in ENDS])
def test_end(linux, run, status, said):
    result = linux.boot("cloud", "-c", 2, run=run + "; sleep 60")
    assert result.status == status, result
    assert said in result.out, result


@pytest.mark.parametrize("append", ["nolapic", "acpi=off"])
def test_halt_without_a_local_apic(linux, append):
    """It sleeps: KVM has no news of pages for a vCPU that could never be told of them."""
    result = linux.boot("cloud", append="quiet " + append, run="halt -f")
    assert result.status == 0 and b"System halted" in result.out, result


def test_panic_before_init(linux):
    result = linux.boot("cloud", append="quiet rdinit=/nobody root=/dev/nothing")
    assert result.status == 126, result
    assert b"Kernel panic - not syncing" in result.out


def test_reboot_starts_again(linux):
    """With --reboot a restart begins anew, and again."""
    session = linux.terminal("cloud", "-c", 2, "--reboot", run="reboot -f")
    for _ in range(3):
        session.expect_exact(b"init: Linux")
    session.send("\x01x")  # leaves
    assert finish(session) == 0
