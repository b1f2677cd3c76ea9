"""Files of the 1K OS on a virtio disk, which is a tar archive: the host's tar reads the files of the kernel, and the
kernel those of the host."""
import re
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


def header(name=b"empty", size=b"00000000000\0", prefix=b"", wrong=0):
    """The header of an empty file in a tar archive; `wrong` is added to its checksum."""
    block = bytearray(512)
    for at, text in ((0, name), (100, b"0000644\0"), (124, size), (148, b" " * 8), (156, b"0"), (257, b"ustar\00000"),
                     (345, prefix)):
        block[at:at + len(text)] = text
    block[148:156] = b"%06o\0 " % (sum(block) + wrong)
    return block


def run(on_vmm, disk, *commands, more="", options=()):
    """What each command prints."""
    text = "".join(c + "\n" for c in commands).encode()
    result = lab_run(*on_vmm.command(options=("--disk", "%s%s" % (disk, more), *options)), stdin=text)
    assert result.status == 0, result
    first, *parts = result.out.decode().split("1k> ")
    return first, [part.split("\n", 1)[1] if "\n" in part else part for part in parts[:-1]]


def content(disk):
    """The disk's files, read by the host's tar."""
    names = subprocess.run(["tar", "-tf", disk], check=True, capture_output=True, text=True).stdout.split()
    return {name: subprocess.run(["tar", "-xOf", disk, name], check=True, capture_output=True, text=True).stdout
            for name in names}


def test_files_are_kept(on_vmm, scratch):
    """Files change their size or are removed, and others move; a second machine finds all. A file on the disk hides one
    of the image."""
    disk = make(scratch, 256 * KB, one="from the host\n", two="x" * 1500, **{"readme.txt": "another\n"})
    data = bytearray(disk.read_bytes())
    data[4096:4608] = header()  # after those three; the hostile headers below have correct checksums
    disk.write_bytes(data)
    _, said = run(on_vmm, disk, "cat one", "cat readme.txt", "write one short", "write two", "some words", "",
                  "write note one two", "rm readme.txt", "rm bin/calc", "ls")
    assert said[:2] == ["from the host\n", "another\n"] and said[-1].endswith("memory, and on the disk\n"), said
    assert content(disk) == {"note": "one two\n", "one": "short\n", "two": "some words\n", "empty": ""}
    _, said = run(on_vmm, disk, "cat note", "cat two", "calc 6*7", "cat readme.txt", "rm note one two empty")
    assert said[:3] == ["one two\n", "some words\n", "= 42\n"] and "1K OS" in said[3], said
    run(on_vmm, disk, "write after all have gone")
    assert content(disk) == {"after": "all have gone\n"}


HOSTILE = {
    "more than 32 bits": header(size=b"40000000000\0"),
    "a binary size": header(size=b"\x80" + bytes(11)),
    "an endless name": header(name=b"n" * 100),
    "a wrong checksum": header(wrong=1),
    "a prefix": header(prefix=b"folder"),
    "no name": header(name=b""),
    "the shell": header(name=b"bin/shell"),
}


@pytest.mark.parametrize("what", ["read only", "a folder", "no archive", "zeroes first", "zeroes between", "full",
                                  *HOSTILE])
def test_what_is_not_written(on_vmm, scratch, what):
    """The disk does not change, and the writing program gets an error."""
    disk = make(scratch, 10 * KB, one="from the host\n")
    data = bytearray(disk.read_bytes())
    if what == "a folder":
        (scratch / "folder").mkdir()
        subprocess.run(["tar", "--format=ustar", "-C", scratch, "-rf", disk, "folder"], check=True)
        data = disk.read_bytes()
    elif what == "no archive":
        data[:] = b"\x5a" * len(data)
    elif what == "zeroes first":  # as in file systems, up to 64 KB
        data = bytearray(100 * KB)
        data[64 * KB + 64] = 0x5f
    elif what == "zeroes between":  # a block of zeroes, in place of a header
        data[1536:2048] = header()
    elif what == "full":
        data = data[:4 * 512]
    elif what in HOSTILE:
        data[1024:1536] = HOSTILE[what]
    disk.write_bytes(data)
    first, said = run(on_vmm, disk, "cat one", "write two x", "ls", more=",ro" if what == "read only" else "")
    none = what in ("no archive", "zeroes first")
    assert said[0] == ("cat: one: no such file\n" if none else "from the host\n"), said
    assert said[1] == "write: two: no room on the disk, or it cannot be written to\n" and "two" not in said[2], said
    assert ("the disk is only read: " in first) == (what not in ("read only", "full")), first
    assert ("\nkept in: memory and a disk that is only read" in said[2]) == (what != "full"), said
    assert len(re.findall(r"^ +\d+ bin/shell$", said[2], re.M)) == 1 and "  n" not in said[2], said
    assert disk.read_bytes() == bytes(data)


def test_more_files_than_memory(on_vmm, scratch):
    """The remaining memory is enough for programs; and a written file uses neither that nor the shell's memory."""
    disk = make(scratch, 8192 * KB, **{"file%d" % i: "x" * 1000 * KB for i in range(4)})
    data = disk.read_bytes()
    first, said = run(on_vmm, disk, "about", "write new x", "ls", options=("-m", "4M"))
    assert "the disk is only read: out of memory for its files\n" in first and "1K OS" in said[0], (first, said)
    assert "cannot be written to\n" in said[1] and " file0\n" in said[2] and " file3\n" not in said[2], said
    assert disk.read_bytes() == data


def test_other_devices(on_vmm, scratch):
    """A disk after another device, and a machine that has devices but no disk."""
    disk = make(scratch, 10 * KB, one="from the host\n")
    for options, one in ((("--rng", "--disk", disk), "from the host\n"), (("--rng",), "cat: one: no such file\n")):
        result = lab_run(*on_vmm.command(options=options, append="fine"), stdin=b"cat one\n")
        assert result.status == 0 and one.encode() in result.out, result
