"""Isolation of guests: one neither reads nor changes another's memory, or its registers on a shared hart."""
import pytest

from hvmachine import assemble, command, cpio, run


def both(name, tmp_path, memory, first, second):
    """An archive with two guests of one source, built with these definitions."""
    elves = {n: assemble(name, tmp_path, n, **defines) for n, defines in (("one", first), ("two", second))}
    manifest = "".join(f"vm {n} mem={memory} kernel={n} base=0x80000000\n" for n in elves)
    return cpio(tmp_path / "i", {"manifest": manifest, **elves})


def check_both(output, begun, done):
    assert "defect" not in output, output[-1500:]
    first_end = min(output.index(f"{n}: {done}") for n in ("one", "two"))
    for n in ("one", "two"):  # each had started before the other ended
        assert output.index(f"{n}: {begun}") < first_end, output[-1500:]


@pytest.mark.parametrize("harts", [1, 2])
def test_memory(hypervisor, qemu, tmp_path, harts):
    mine, theirs = 0x0123456789abcdef, 0x0fedcba987654321
    initrd = both("patterns", tmp_path, "32M", {"MINE": mine, "THEIRS": theirs}, {"MINE": theirs, "THEIRS": mine})
    status, output = run(command(qemu, hypervisor, initrd, "mux=lines", harts=harts, memory="256M"))
    assert status == 0, output[-1500:]
    check_both(output, "patterns: RAM was empty, and is filled", "patterns: looked everywhere")


def test_floating_point_and_vector_registers(hypervisor, qemu, tmp_path):
    initrd = both("registers", tmp_path, "16M", {"SEED": 0x1111111100000000, "LENGTH": 5},
                  {"SEED": 0x2222222200000000, "LENGTH": 10})
    status, output = run(command(qemu, hypervisor, initrd, "mux=lines", cpu="rv64,v=true", memory="256M"))
    assert status == 0, output[-1500:]
    check_both(output, "registers: begun", "registers: kept")
