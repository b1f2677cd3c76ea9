"""Files of the 1K OS on a virtio disk, which is a tar archive: the host's tar reads what was written, and the kernel
what the host has made."""
import subprocess

import pytest

from tests.support import lab_run

KB = 1024


def make(folder, size, **files):
    """A disk with an archive of these files; its path."""
    disk = folder / "disk"
    for name, text in files.items():
        (folder / name).write_text(text)
    subprocess.run(["tar", "--format=ustar", "-C", folder, "-cf", disk, *files], check=True)
    with open(disk, "r+b") as file:
        file.truncate(size)
    return disk


def run(on_vmm, disk, *commands, more=""):
    """What each command prints."""
    text = "".join(c + "\n" for c in commands).encode()
    result = lab_run(*on_vmm.command(options=("--disk", "%s%s" % (disk, more))), stdin=text)
    assert result.status == 0, result
    first, *parts = result.out.decode().split("1k> ")
    return first, [part.split("\n", 1)[1] if "\n" in part else part for part in parts[:-1]]


def content(disk):
    """As the host's tar reads it."""
    names = subprocess.run(["tar", "-tf", disk], check=True, capture_output=True, text=True).stdout.split()
    return {name: subprocess.run(["tar", "-xOf", disk, name], check=True, capture_output=True, text=True).stdout
            for name in names}


def test_files_are_kept(on_vmm, scratch):
    """Files change their size, go, and others move; a second machine finds all. A disk's file hides the image's."""
    disk = make(scratch, 256 * KB, one="from the host\n", two="x" * 1500, **{"readme.txt": "another\n"})
    _, said = run(on_vmm, disk, "cat one", "cat readme.txt", "write one short", "write two", "some words", "",
                  "write note one two", "rm readme.txt", "rm bin/calc", "ls")
    assert said[:2] == ["from the host\n", "another\n"] and said[-1].endswith("memory, and on the disk\n"), said
    assert content(disk) == {"note": "one two\n", "one": "short\n", "two": "some words\n"}
    _, said = run(on_vmm, disk, "cat note", "cat two", "calc 6*7", "cat readme.txt")
    assert said[:3] == ["one two\n", "some words\n", "= 42\n"] and "1K OS" in said[3], said


@pytest.mark.parametrize("what", ["read only", "a folder", "no archive", "full", "hostile"])
def test_what_is_not_written(on_vmm, scratch, what):
    """The disk stays as it is, and the program that writes hears of it."""
    disk = make(scratch, 10 * KB, one="from the host\n")
    data = bytearray(disk.read_bytes())
    if what == "a folder":
        (scratch / "folder").mkdir()
        subprocess.run(["tar", "--format=ustar", "-C", scratch, "-rf", disk, "folder"], check=True)
        data = disk.read_bytes()
    elif what == "no archive":
        data[:] = b"\x5a" * len(data)
    elif what == "full":
        data = data[:4 * 512]
    elif what == "hostile":  # its size is more than 32 bits, and its name has no end
        data[1024:1536] = data[:512]
        data[1024:1124], data[1148:1160] = b"n" * 100, b"77777777777\0"
    disk.write_bytes(data)
    first, said = run(on_vmm, disk, "cat one", "write two x", "ls", more=",ro" if what == "read only" else "")
    assert said[0] == ("cat: one: no such file\n" if what == "no archive" else "from the host\n"), said
    assert said[1] == "write: two: no room on the disk, or it cannot be written to\n" and "two" not in said[2], said
    assert ("it is only read" in first) == (what not in ("read only", "full")), first
    assert disk.read_bytes() == bytes(data)


def test_other_devices(on_vmm, scratch):
    """A disk behind another device, and a machine that has devices and no disk."""
    disk = make(scratch, 10 * KB, one="from the host\n")
    for options, one in ((("--rng", "--disk", disk), "from the host\n"), (("--rng",), "cat: one: no such file\n")):
        result = lab_run(*on_vmm.command(options=options, append="fine"), stdin=b"cat one\n")
        assert result.status == 0 and one.encode() in result.out, result
