"""Devices that images for a PC or for QEMU need."""
import json

from tests.linux.conftest import LAST


def test_the_clock_interrupts(vmm):
    result = vmm.run("@rtc", LAST)
    assert (result.status, result.out) == (33, b"periodic\n" * 3 + b"update\nalarm\nnew year\n"), result


def test_what_fw_cfg_has(vmm, scratch):
    (scratch / "words").write_text("the user's words\n")
    result = vmm.run("-m", "64M", "-c", 3, "--fw-cfg", "opt/words=%s/words" % scratch, "@fw_cfg", LAST)
    assert (result.status, result.out) == (
        33, b"signature\nRAM\nCPUs\nmemory map\n" + b"the user's words\n" * 2), result


def test_suspend_to_ram(vmm):
    result = vmm.run("@suspend", LAST)
    assert (result.status, result.out) == (33, b"sleeps\nawake\n"), result
    assert "sleeps (S3)" in result.err, result


def test_ports_that_are_watched(vmm, scratch):
    log, console = scratch / "log.json", scratch / "console"
    result = vmm.run("--debugcon", console, "--log", log, "--boot-report", "@watched", LAST)
    assert (result.status, result.out) == (33, b"done\n"), result
    assert console.read_bytes() == b"to the debug console\n"
    marks = [event["name"] for event in json.loads(log.read_text())["traceEvents"] if event.get("cat") == "POST"]
    assert marks == ["POST 0x10", "POST 0x10", "POST 0x2f"]
    assert [line.split()[1] for line in result.err.splitlines() if line.startswith("  POST")] == ["0x10", "0x2f"]
    result = vmm.run("@watched", LAST)
    assert (result.status, result.out) == (33, b"no console\n"), result


def test_a_debug_console_overwrites_nothing(vmm, scratch):
    result = vmm.run("--debugcon", vmm.guest("watched"), "@watched")
    assert result.status == 125 and "--debugcon" in result.err, result
    same = scratch / "same"
    result = vmm.run("--debugcon", same, "--serial", "file:%s" % same, "@watched")
    assert result.status == 125 and "would both write" in result.err, result


def test_the_test_device(vmm):
    """Each part of the test device, in the sandbox."""
    result = vmm.run("--machine", "testdev", "@testdev", LAST)
    assert (result.status, result.out, result.err) == (33, b"word\nline\nmemory\npage\nVMware's port\n", ""), result
    assert vmm.run("@testdev", LAST).status == 3, "the device is there unasked"


def test_a_jump_to_the_bios(vmm):
    """The jump resets the machine, as on a PC: it ends the run, or with --reboot starts the guest again, until the
    limit of exits."""
    result = vmm.run("@bios_entry", LAST)
    assert (result.status, result.out) == (0, b"jumps\n"), result
    result = vmm.run("--reboot", "--max-exits", "50", "@bios_entry", LAST)
    assert result.status == 124 and result.out.startswith(b"jumps\n" * 2), result
