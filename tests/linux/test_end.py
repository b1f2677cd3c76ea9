"""How a Linux guest ends, and the status that the VMM makes of it."""
import shlex
import subprocess

import pytest

from tests.support import TOP, finish, lab_run

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


@pytest.mark.parametrize("append", ["noapic", "nopti", "nosmp", "reboot=t", "reboot=a"])
def test_parameters_of_old_days(linux, append):
    """With each of them it reaches init, sleeps until its time has come, and resets."""
    result = linux.boot("cloud", "-c", 2, append="quiet " + append, run="sleep 1; reboot -f")
    assert result.status == 0 and b"init: Linux" in result.out, result


def test_panic_before_init(linux):
    result = linux.boot("cloud", append="quiet rdinit=/missing root=/dev/nothing")
    assert result.status == 126, result
    assert b"Kernel panic - not syncing" in result.out


def test_reboot_starts_again(linux):
    """With --reboot a restart starts the guest again, each time."""
    session = linux.terminal("cloud", "-c", 2, "--reboot", run="reboot -f")
    for _ in range(3):
        session.expect_exact(b"init: Linux")
    session.send("\x01x")  # leaves
    assert finish(session) == 0


COUNT = "/sys/firmware/acpi/interrupts/ff_pwr_btn"
WAIT = "echo wa'it'ing; while grep -qw 0 %s; do sleep 0.1; done; echo pr'es'sed; poweroff -f" % COUNT


@pytest.fixture
def button(kernel, scratch, linux):
    """An archive with the kernel's driver of the power button, as an option."""
    linux.ramdisk()
    kernel("cloud")  # fetches the package
    package = max((TOP / "build/downloads/bookworm-amd64").glob("linux-image-*-cloud-amd64_*.deb"),
                  key=lambda path: path.stat().st_mtime)
    subprocess.run("dpkg-deb --fsys-tarfile %s | tar x --wildcards --strip-components=7 '*/drivers/acpi/button.ko'"
                   % package, shell=True, check=True, cwd=scratch)
    (scratch / "order").write_text("button.ko\n")
    listing = "dir /modules 755\nfile /modules/order 644 order\nfile /modules/button.ko 644 button.ko\n"
    archive = subprocess.run([TOP / "build/initramfs/pack"], input=listing.encode(), check=True, cwd=scratch,
                             capture_output=True).stdout
    (scratch / "button.cpio").write_bytes(archive)
    return "--initrd", scratch / "button.cpio"


def test_power_button_by_key(linux, button):
    session = linux.terminal("cloud", *button)
    session.expect_exact(b"guest# ")
    session.sendline(WAIT)
    session.expect_exact(b"waiting")
    session.send("\x01p")
    session.expect_exact(b"pressed")
    assert finish(session) == 0


def test_power_button_by_signal(linux, button):
    command = shlex.join(map(str, linux.command("cloud", *button, run=WAIT)))
    script = ("%s > said < /dev/null & vmm=$!; "
              "for try in $(seq 600); do grep -q waiting said && break; sleep 0.1; done; "
              "kill -PWR $vmm; wait $vmm; status=$?; cat said; exit $status" % command)
    result = lab_run("sh", "-c", script, cwd=button[1].parent)
    assert result.status == 0 and b"pressed" in result.out, result
