"""A guest that misbehaves ends without effect on others; broken manifests and images get one clear line."""
import re

import pytest

from hvmachine import QEMU12, assemble, command, cpio, run
from test_linux import BASE, linux  # noqa: F401


@pytest.fixture(scope="session")
def evil(hypervisor, tmp_path_factory, soak):
    """A guest that makes 20,000 random SBI calls, and continues with them for SECONDS."""
    return assemble("evil", tmp_path_factory.mktemp("evil"), SECONDS=soak(0, 60))


def test_evil_guest_alone(hypervisor, evil, qemu, tmp_path):
    initrd = cpio(tmp_path / "i", {"manifest": "vm evil mem=128M kernel=evil.elf base=0x80000000", "evil.elf": evil})
    status, output = run(command(qemu, hypervisor, initrd))
    assert status == 0, output[-1500:]
    assert "evil: still here after everything" in output and "defect" not in output


def test_neighbour_counts_on(hypervisor, evil, linux, tmp_path):  # noqa: F811
    manifest = f'vm good mem=192M kernel=Image initrd=initrd args="{BASE} test=counter"\n' + \
               "".join(f"vm evil{i} mem=128M kernel=evil.elf base=0x80000000\n" for i in range(2))
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "evil.elf": evil, "Image": linux / "Image",
                                   "initrd": linux / "initrd"})
    status, output = run(command(QEMU12, hypervisor, initrd, "mux=lines", harts=1, memory="1G"))
    assert status == 0, output[-1500:]
    counts = re.findall(r"^good: counter: (\d+) at ([\d.]+)", output, re.M)
    assert [int(n) for n, _ in counts] == list(range(1, 13))
    times = [float(t) for _, t in counts]
    assert times == sorted(times)
    assert len(re.findall(r"^evil\d: .*evil: still here after everything", output, re.M)) == 2


def test_death_report_while_a_neighbour_counts(hypervisor, linux, tmp_path):  # noqa: F811
    """A guest whose trap handler is not in memory, and one whose handler is a device, are ended with a report each."""
    manifest = f'vm good mem=192M kernel=Image initrd=initrd args="{BASE} test=counter"\n' + \
               "".join(f"vm stray{i} mem=16M kernel=stray{i} base=0x80000000\n" for i in range(2))
    handlers = (0x40000000, 0x10000000)
    strays = {f"stray{i}": assemble("stray", tmp_path, f"stray{i}", HANDLER=h) for i, h in enumerate(handlers)}
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "Image": linux / "Image", "initrd": linux / "initrd",
                                   **strays})
    status, output = run(command(QEMU12, hypervisor, initrd, "mux=lines", memory="1G"))
    assert status == 1, output[-1500:]  # the machine's status: a guest was ended
    for i, handler in enumerate(handlers):
        report = output[output.index(f"hv: vm stray{i} is ended: its trap handler at {handler:#x} cannot be fetched"):]
        report = report[:report.index(f"hv: vm stray{i} has been ended")]
        assert f"cause 20 (guest page fault on a fetch), stval {handler:#x}" in report
        assert f"pc   {handler:016x}" in report and "s1   0000000057a957a9" in report
        assert "hv: where pc is:" in report and "hv: where stval is:" in report
        assert report.count("hv:  G  level") + report.count("hv:  G stage") >= 2
    assert [int(n) for n in re.findall(r"^good: counter: (\d+) at", output, re.M)] == list(range(1, 13))
    assert output.rindex("is ended:") < output.index("good: counter: 12 at")


@pytest.mark.parametrize("manifest,line", [
    ("vm a kernel=none", "hv: vm a: none: no such file in the initrd or an archive"),
    ("vm a kernel=short", "hv: vm a: short: a header or segment reaches past the end of the file"),
    ("vm a kernel=empty", "hv: vm a: empty: an empty file"),
    ("vm a kernel=flat mem=999G", None),
    ("vm a kernel=flat colour=red", "hv: manifest, line 1: unknown key 'colour'"),
    ("", "hv: manifest: describes no guest"),
    ("vm a kernel=flat base=0x0f000000 mem=64M",
     "hv: vm a: mem=: RAM would cover the devices at 0x0c000000 to 0x10011fff"),
    ("vm a kernel=flat disk=nothing", "hv: vm a: nothing: no such file in the initrd or an archive"),
    ("vm a kernel=flat symbols=nothing", "hv: vm a: nothing: no such file in the initrd or an archive"),
])
def test_broken_input_gets_one_line(hypervisor, tmp_path, manifest, line):
    initrd = cpio(tmp_path / "i", {"manifest": manifest + "\n", "short": b"\x7fELF\x02\x01\x01", "empty": b"",
                                   "flat": b"\x73\x00\x50\x10" * 64})
    status, output = run(command(QEMU12, hypervisor, initrd))
    assert status == 1
    said = [text for text in output.splitlines() if text.startswith("hv: ") and "timebase" not in text]
    assert len(said) == 1, output[-1500:]
    assert said[0] == line or (line is None and "MiB wanted" in said[0])


def test_more_guests_than_run(hypervisor, tmp_path):
    initrd = cpio(tmp_path / "i", {"manifest": "".join(f"vm g{i} kernel=x\n" for i in range(33))})
    status, output = run(command(QEMU12, hypervisor, initrd))
    assert status == 1
    assert "hv: manifest, line 33: more guests than this hypervisor runs at once: 'g32'" in output


def test_failure_that_a_guest_tells(hypervisor, qemu, tmp_path):
    """Status 1; a guest that only powers off, like most others here, gives 0."""
    initrd = cpio(tmp_path / "i", {"manifest": "vm sorry kernel=sorry base=0x80000000\n",
                                   "sorry": assemble("sorry", tmp_path, "sorry")})
    status, output = run(command(qemu, hypervisor, initrd))
    assert status == 1, output[-1500:]
