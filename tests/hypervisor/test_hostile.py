"""Guests that misbehave end alone; broken manifests and images get one clear line."""
import re
import subprocess

import pytest

from hvmachine import OUT, QEMU12, TOP, command, cpio, make, run
from test_linux import BASE, linux  # noqa: F401


@pytest.fixture(scope="session")
def evil(hypervisor, tmp_path_factory):
    elf = tmp_path_factory.mktemp("evil") / "evil.elf"
    source = TOP / "tests/hypervisor/guests/evil.S"
    subprocess.run(["clang", "--target=riscv64-unknown-elf", "-march=rv64gc", "-mno-relax", "-nostdlib", "-fuse-ld=lld",
                    "-Wl,-eevil_boot", "-Wl,-Ttext=0x80200000", "-Wl,-N", str(source), "-o", str(elf)], check=True)
    return elf


def test_evil_guest_alone(hypervisor, evil, qemu, tmp_path):
    initrd = cpio(tmp_path / "i", {"manifest": "vm evil mem=128M kernel=evil.elf base=0x80000000", "evil.elf": evil})
    status, output = run(command(qemu, hypervisor, initrd), 60)
    assert status == 0, output[-1500:]
    assert "evil: still here after everything" in output and "defect" not in output


def test_neighbour_counts_on(hypervisor, evil, linux, tmp_path):  # noqa: F811
    manifest = f'vm good mem=192M kernel=Image initrd=initrd args="{BASE} test=counter"\n' + \
               "".join(f"vm evil{i} mem=128M kernel=evil.elf base=0x80000000\n" for i in range(2))
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "evil.elf": evil, "Image": linux / "Image",
                                   "initrd": linux / "initrd"})
    status, output = run(command(QEMU12, hypervisor, initrd, "mux=lines", harts=1, memory="1G"), 120)
    assert status == 0, output[-1500:]
    counts = re.findall(r"^good: counter: (\d+) at ([\d.]+)", output, re.M)
    assert [int(n) for n, _ in counts] == list(range(1, 13))
    times = [float(t) for _, t in counts]
    assert times == sorted(times)
    assert len(re.findall(r"^evil\d: .*evil: still here after everything", output, re.M)) == 2


@pytest.mark.parametrize("manifest,line", [
    ("vm a kernel=none", "hv: vm a: none: no such file in the initrd"),
    ("vm a kernel=short", "hv: vm a: short: a header or segment reaches past the end of the file"),
    ("vm a kernel=empty", "hv: vm a: empty: an empty file"),
    ("vm a kernel=flat mem=999G", None),
    ("vm a kernel=flat colour=red", "hv: manifest, line 1: unknown key 'colour'"),
    ("", "hv: manifest: describes no guest"),
    ("vm a kernel=flat base=0x0f000000 mem=64M",
     "hv: vm a: mem=: RAM would cover the devices at 0x0c000000 to 0x10003fff"),
    ("vm a kernel=flat disk=nothing", "hv: vm a: nothing: no such file in the initrd"),
])
def test_broken_input_gets_one_line(hypervisor, tmp_path, manifest, line):
    initrd = cpio(tmp_path / "i", {"manifest": manifest + "\n", "short": b"\x7fELF\x02\x01\x01", "empty": b"",
                                   "flat": b"\x73\x00\x50\x10" * 64})
    _, output = run(command(QEMU12, hypervisor, initrd), 20)
    said = [text for text in output.splitlines() if text.startswith("hv: ") and "timebase" not in text]
    assert len(said) == 1, output[-1500:]
    assert said[0] == line or (line is None and "MiB wanted" in said[0])


def test_more_guests_than_run(hypervisor, tmp_path):
    initrd = cpio(tmp_path / "i", {"manifest": "".join(f"vm g{i} kernel=x\n" for i in range(33))})
    _, output = run(command(QEMU12, hypervisor, initrd), 20)
    assert "hv: manifest, line 33: more guests than this hypervisor runs at once: 'g32'" in output \
        or "more guests than this hypervisor runs at once" in output
