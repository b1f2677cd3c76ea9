"""Devices that images made for a PC or for QEMU count on."""


def test_the_clock_interrupts(vmm):
    result = vmm.run("@rtc", "--timeout", "60")
    assert (result.status, result.out) == (33, b"periodic\n" * 3 + b"update\n"), result
