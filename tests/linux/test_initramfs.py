"""The ramdisk of initramfs/: the same bytes in each build, in a format that other programs read."""
import hashlib
import shutil
import subprocess

import pytest

from tests.support import TOP

COPIED = ("initramfs", "mk", "abi", "common", "tools")


def build(top, architecture, target):
    """The SHA-256 of an archive, built in the tree at `top`."""
    done = subprocess.run(["make", "-s", "-C", top / "initramfs", "ARCH=" + architecture, target], check=False,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "fetch-deb:" in done.stderr:
        pytest.skip("no busybox for %s: %s" % (architecture, done.stderr.strip().splitlines()[-2]))
    assert done.returncode == 0, done.stderr
    archive = "core.cpio" if target == "core" else "initramfs.cpio"
    return hashlib.sha256((top / "build/initramfs" / architecture / archive).read_bytes()).hexdigest()


@pytest.mark.parametrize("target", ["core", "all"])
@pytest.mark.parametrize("architecture, compiler", [("amd64", "gcc"), ("riscv64", "riscv64-linux-gnu-gcc")])
def test_the_same_bytes_elsewhere(architecture, compiler, target, scratch):
    """Built from a copy in another folder, it has the same bytes."""
    if shutil.which(compiler) is None:
        pytest.skip("no " + compiler)
    here = build(TOP, architecture, target)
    for name in COPIED:
        shutil.copytree(TOP / name, scratch / name)
    (scratch / "build").mkdir()
    (scratch / "build/downloads").symlink_to(TOP / "build/downloads")  # share the downloads
    assert build(scratch, architecture, target) == here


def test_cpio_reads_it(ramdisk):
    """The list of another program: all times are 0, all owners are root, and it has the console."""
    with open(ramdisk(), "rb") as archive:
        done = subprocess.run(["cpio", "-tv", "--numeric-uid-gid"], stdin=archive, capture_output=True, check=True,
                              env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert {"init", "bin/busybox", "bin/facts", "bin", "dev", "proc"} <= {row[-1] for row in rows}
    assert all(row[2:4] == ["0", "0"] and "1970" in row for row in rows)
    assert ["5,", "1"] == next(row[4:6] for row in rows if row[-1] == "dev/console")


@pytest.mark.parametrize("entry", ["file /x 644", "socket /x 644", "dir /x", "device /x 600 5"])
def test_pack_refuses_what_it_does_not_know(ramdisk, entry):
    ramdisk()
    done = subprocess.run([TOP / "build/initramfs/pack"], input=entry + "\n", check=False,
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == "pack: no such entry: %s\n\n" % entry, done


def test_init_is_for_process_1(ramdisk):
    ramdisk()
    done = subprocess.run([TOP / "build/initramfs/amd64/init.elf"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "must run as process 1" in done.stderr


@pytest.mark.parametrize("agent, status, said", [
    ("agent=/bin/facts", 0, [b"machine=x86_64", b"init: status 0"]),
    ("agent=/bin/nothing", 127, [b"init: cannot run /bin/nothing", b"init: status 127"]),
    ('agent=/bin/facts run="sleep 1; exit 5"', 5, [b"init: status 5"]),
])
def test_agent(linux, agent, status, said):
    """The machine ends with its agent, unless there is a command too."""
    result = linux.boot("cloud", append="quiet " + agent)
    assert result.status == status, result
    assert all(word in result.out for word in said), result


def test_core_has_init_and_no_busybox(scratch):
    """The lab's first ramdisk, which needs no package except the compiler's."""
    subprocess.run(["make", "-s", "-C", TOP / "initramfs", "core", "OUT=%s" % scratch, "BUSYBOX=/no/busybox"],
                   check=True)
    with open(scratch / "amd64/core.cpio", "rb") as archive:
        names = subprocess.run(["cpio", "-t"], stdin=archive, capture_output=True, check=True).stdout.decode().split()
    assert "init" in names and "dev/console" in names and not any("busybox" in name for name in names)
