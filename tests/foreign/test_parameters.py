"""Kernel parameters for old kernels or unusual machines: with each the kernel boots, idles and ends."""
import pytest

from tests.linux.conftest import kernel, linux, ramdisk  # noqa: F401  (fixtures)

ONE, BOTH = 1, 2  # the processors that the kernel uses, of two
PARAMETERS = {"nolapic": ONE, "acpi=off": ONE, "noapic": BOTH, "noapic nolapic": ONE, "nopti": BOTH, "nosmp": ONE,
              "nox2apic": BOTH, "acpi=noirq": ONE, "mem=128M": BOTH, "nokaslr": BOTH, "idle=poll": BOTH, "notsc": BOTH,
              "reboot=t": BOTH, "reboot=a": BOTH, "reboot=b": BOTH}
ALWAYS = ("nolapic", "acpi=off", "reboot=t")


@pytest.mark.parametrize("words", [
    words if words in ALWAYS else pytest.param(words, marks=pytest.mark.full("a boot for each parameter"))
    for words in PARAMETERS])
def test_a_parameter(linux, words):  # noqa: F811
    result = linux.boot("cloud", "-c", "2", append="quiet " + words, run="nproc; sleep 1; reboot -f")
    assert result.status == 0 and b"\n%d\r\n" % PARAMETERS[words] in result.out, result
    assert b"Restarting system" in result.out, result
