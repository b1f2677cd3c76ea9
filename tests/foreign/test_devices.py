"""Devices that images made for a PC or for QEMU count on."""
import json

from tests.linux.conftest import LAST


def test_the_clock_interrupts(vmm):
    result = vmm.run("@rtc", LAST)
    assert (result.status, result.out) == (33, b"periodic\n" * 3 + b"update\n"), result


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
