"""One image, its own tests, on every machine."""
import pytest

from tests.hleos.machines import GOOD, PANIC

COUNT = 100000   # operations of the stress; one machine does the whole million


def check(text):
    failed = [line for line in text.splitlines() if "FAILED" in line or "does not hold" in line]
    assert not failed, text
    last = text.strip().splitlines()[-1]
    assert last.startswith("selftest: ") and last.endswith(" 0 failed"), text
    assert int(last.split()[1]) >= 33


@pytest.mark.parametrize("memory", ["32M", "512M", "5G"])
def test_qemu(image, qemu, memory):
    status, text = qemu(image("test=all stress=%d" % COUNT), memory=memory)
    check(text)
    assert "interrupts: APIC" in text and "by the HPET" in text
    assert status == GOOD


def test_qemu_without_acpi_uses_pic_and_pit(image, qemu):
    status, text = qemu(image("test=all stress=%d" % COUNT), extra=("-no-acpi", "-machine", "pc,hpet=off"))
    check(text)
    assert "acpi: no tables" in text and "interrupts: PIC" in text and "by the PIT, tick by the PIT" in text
    assert status == GOOD


def test_qemu_q35(image, qemu):
    status, text = qemu(image("test=devices"), extra=("-machine", "q35"))
    assert "selftest: 4 passed, 0 failed" in text and status == GOOD


def test_sleep_is_exact_in_virtual_time(image, qemu):
    status, text = qemu(image("test=time time=exact"), extra=("-icount", "shift=0,sleep=off"))
    assert "selftest: 4 passed, 0 failed" in text and status == GOOD


def test_a_million_operations(image, qemu, soak):
    status, text = qemu(image("test=stress stress=%d" % soak(1000000, 10000000)))
    assert "selftest: 1 passed, 0 failed" in text and status == GOOD


def test_bochs(image, bochs):
    check(bochs(image("test=all stress=20000")))


def test_a_test_that_does_not_exist_fails(image, qemu):
    status, text = qemu(image("test=nonsense"))
    assert "selftest: 0 passed, 0 failed" in text
    assert status == 35
    assert status != PANIC
