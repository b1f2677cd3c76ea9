"""How a Linux guest ends, and the status that the VMM makes of it."""
import pytest

ENDS = [
    ("poweroff -f", 0, b"init: Linux"),
    ("poweroff", 0, b"init: Linux"),  # by init, which busybox asks with a signal
    ("reboot -f", 0, b"init: Linux"),
    ("echo c > /proc/sysrq-trigger", 126, b"Kernel panic - not syncing"),
    ("kill -SEGV 1", 126, b"Attempted to kill init"),
    ("exit 3", 3, b"init: status 3"),
]


@pytest.mark.parametrize("run, status, said", ENDS, ids=[end[0] for end in ENDS])
def test_end(linux, run, status, said):
    result = linux.boot("cloud", run=run + "; sleep 60")
    assert result.status == status, result
    assert said in result.out, result


def test_panic_before_init(linux):
    result = linux.boot("cloud", append="quiet rdinit=/nobody root=/dev/nothing")
    assert result.status == 126, result
    assert b"Kernel panic - not syncing" in result.out


def test_reboot_starts_again(linux):
    """With --reboot a restart begins anew, until the guest switches itself off: its clock's memory tells which it is."""
    again = "if grep -q again /proc/cmdline; then poweroff -f; fi; reboot -f"
    result = linux.boot("cloud", "--reboot", "--timeout=40", run=again)
    assert result.out.count(b"init: Linux") > 1, result
