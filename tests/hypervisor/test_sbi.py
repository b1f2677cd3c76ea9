"""SBI calls, made by guests (guests/*.c): starting, stopping and suspending harts, counters."""
import re

import pytest

from hvmachine import COUNTED, QEMU12, command, compiled, cpio, monitor, run, spawn, to_monitor

GUESTS = "vm {name} cpus={cpus} mem=16M kernel={name}.elf base=0x80000000\n"


def boot(hypervisor, folder, name, qemu=QEMU12, cpus=1, **machine):
    elf = compiled(name, folder, HARTS=cpus)
    initrd = cpio(folder / "i", {"manifest": GUESTS.format(name=name, cpus=cpus), elf.name: elf})
    status, output = run(command(qemu, hypervisor, initrd, memory="256M", **machine))
    assert status == 0 and "defect" not in output and f"{name}: done: " in output, output[-1500:]
    return output


def check_harts(output, cpus):
    assert f"hsm: {cpus} harts started, were interrupted, stopped" in output
    assert "hsm: hart 1 was suspended, and kept its registers" in output
    assert "hsm: hart 1 was suspended, and started again" in output
    assert "hsm: the system was suspended until its timer" in output


@pytest.mark.parametrize("cpus,harts", [(2, 1), (4, 4), (32, 2)])
def test_harts(hypervisor, tmp_path, cpus, harts):
    check_harts(boot(hypervisor, tmp_path, "hsm", cpus=cpus, harts=harts), cpus)


def test_harts_on_each_emulator(hypervisor, qemu, tmp_path):
    check_harts(boot(hypervisor, tmp_path, "hsm", qemu, cpus=3, harts=2), 3)


def test_harts_without_sstc(hypervisor, tmp_path):
    check_harts(boot(hypervisor, tmp_path, "hsm", cpus=4, harts=2, cpu="rv64,sstc=off"), 4)


def test_firmware_counters(hypervisor, qemu, tmp_path):
    boot(hypervisor, tmp_path, "pmu", qemu)


def test_counters_end_with_the_boot(hypervisor, qemu, tmp_path):
    """There are 16 counters: more than 16 boots take one each."""
    elf = compiled("pmu", tmp_path, REBOOTS=1)
    initrd = cpio(tmp_path / "i", {"manifest": GUESTS.format(name="pmu", cpus=1), elf.name: elf})
    child = spawn(command(qemu, hypervisor, initrd, memory="256M"))
    for _ in range(20):
        child.expect("pmu: took one")
    child.close(force=True)


@pytest.mark.parametrize("harts,cpu", [(1, "rv64"), (2, "rv64"), (2, "rv64,sstc=off")])
def test_no_interrupt_is_lost(hypervisor, qemu, tmp_path, harts, cpu):
    """Two vCPUs send each other interrupts and sleep in between, with three ways to sleep."""
    output = boot(hypervisor, tmp_path, "pingpong", qemu, cpus=2, harts=harts, cpu=cpu)
    assert re.findall(r"pingpong: (\d+) interrupts answered", output) == ["200", "200", "10"]


def test_a_sleeper_is_looked_after(hypervisor, qemu, tmp_path):
    """QEMU 7.2 may lose a timer that comes while the guest is entered, so the hart has its own timer each second. With
    -icount a sleep of a thousand seconds takes no real time."""
    elf = compiled("nap", tmp_path)
    initrd = cpio(tmp_path / "i", {"manifest": GUESTS.format(name="nap", cpus=1), elf.name: elf})
    child = spawn(command(qemu, hypervisor, initrd, memory="256M", more=COUNTED))
    child.expect("nap: slept")
    to_monitor(child)
    told = monitor(child, "exits")
    assert sum(map(int, re.findall(r"(\d+) interrupt: timer\n", told))) > 900, told


@pytest.mark.full("minutes: what it looks for is rare")
def test_no_timer_is_lost(hypervisor, qemu, tmp_path):
    """A guest sleeps until its own timer, which often comes while the hart enters the guest. If the emulator loses the
    interrupt, the hypervisor wakes the guest a moment later."""
    assert "alarm: it rang 6000 times" in boot(hypervisor, tmp_path, "alarm", qemu)


@pytest.mark.parametrize("harts", [1, 2])
def test_events_and_features(hypervisor, qemu, tmp_path, harts):
    output = boot(hypervisor, tmp_path, "events", qemu, cpus=2, harts=harts)
    assert "events: 100 events reached a hart that waited" in output
    assert "events: A and D bits by hardware: no" in output  # both emulators would set them in pages that clones share
