"""Shared folders under Debian's kernel: the host sees the guest's changes, the guest sees the host's, and no access
leaves the folder."""
import hashlib
import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import TOP, lab_run
from tests.virtio.conftest import KERNELS

HERE = Path(__file__).parent

# Waits until the file of an order exists. The guest may cache the folder's state for a second (FUSE's VALID), so the
# host's changes are checked later.
LOAD = """
mkdir /m /o; mount -t virtiofs share0 /m; mount -t virtiofs orders /o; turn=0
while :; do
    until [ -e /o/$turn ]; do sleep 0.05; done
    read what processes seed count < /o/$turn
    case $what in
    end) break ;;
    look) sleep 1.1 ;;
    run)
        [ $processes = 1 ] || load run /m/1 $((seed + 1)) $count > /tmp/other &
        load run /m/0 $seed $count; wait; [ $processes = 1 ] || cat /tmp/other ;;
    esac
    load look /m; turn=$((turn + 1))
done
"""


@pytest.mark.parametrize("name", KERNELS)
def test_two_folders(linux, modules, scratch, name):
    """Two views of one folder: every kind of change is made in the guest and checked on the host. Another folder is
    read-only; its driver is removed and loaded again while files are read."""
    shared, kept = scratch / "shared", scratch / "kept"
    (shared / "sub").mkdir(parents=True)
    kept.mkdir()
    data = hashlib.sha512(b"seed").digest() * 40000
    (shared / "from-host").write_bytes(data)
    (kept / "file").write_bytes(data[::-1])
    os.symlink("/etc", shared / "out")
    script = (
        "set -e; mkdir /m /k; mount -t virtiofs share0 /m; cd /m; "
        "sha256sum < from-host; dd if=from-host of=sub/copy bs=100k; sha256sum < sub/copy; "
        "mkdir -p deep/er; echo one > deep/er/one; mv deep/er moved; ln moved/one moved/two; ln -s two moved/three; "
        "cat moved/three; chmod 640 moved/one; touch -d '2001-02-03 04:05:06' moved/one; "
        "echo more >> moved/one; truncate -s 100 sub/copy; rm from-host; rmdir deep; "
        "seq 100 | while read n; do : > sub/file$n; done; ls sub | wc -l; rm sub/file7*; "
        "if mknod dev c 1 3; then echo DEVICE; fi; if chmod 4755 moved/one; then echo SETUID; fi; "
        "if cat ../m/../etc/hostname; then echo LEFT; fi; readlink out; sync; find . | wc -l; "
        "mount -t virtiofs kept /k; cd /k; "
        "! touch new; ! rm file; ! dd if=/dev/zero of=file bs=1 count=1 conv=notrunc; cd /; umount /k; "
        "for i in 1 2 3; do mount -t virtiofs kept /k; (cat /k/file > /dev/null)& "
        "sha256sum < /k/file; wait; umount /k; cd /sys/bus/virtio/drivers/virtiofs; "
        "echo virtio1 > unbind; echo virtio1 > bind; done")
    result = linux.boot(name, *modules("virtio_mmio", "virtiofs", name=name), "-c", "2", "--share", shared,
                        "--share", "%s,ro,tag=kept" % kept, run=script)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0, result
    assert text.count(hashlib.sha256(data).hexdigest()) == 2 and "\none\n" in text and "\n101\n" in text, result
    assert "/etc\n" in text and not {"DEVICE", "SETUID", "LEFT"} & set(text.split()), result
    assert (shared / "moved/one").read_text() == "one\nmore\n" and (shared / "moved/one").stat().st_nlink == 2
    assert stat.S_IMODE((shared / "moved/one").stat().st_mode) == 0o640
    assert os.readlink(shared / "moved/three") == "two"
    assert (shared / "sub/copy").read_bytes() == data[:100]
    assert len(list((shared / "sub").iterdir())) == 1 + 100 - 11
    assert not (shared / "deep").exists() and not (shared / "from-host").exists()
    assert text.count(hashlib.sha256(data[::-1]).hexdigest()) == 3, result
    assert (kept / "file").read_bytes() == data[::-1] and os.listdir(kept) == ["file"]


@pytest.fixture(scope="session")
def load(ramdisk, tmp_path_factory):
    """load.c, and the options that add it and its script to a guest."""
    ramdisk()
    folder = tmp_path_factory.mktemp("load")
    subprocess.run(["gcc", "-static", "-O1", "-o", folder / "load", HERE / "load.c"], check=True)
    (folder / "script").write_text(LOAD)
    with open(folder / "load.cpio", "wb") as archive:
        subprocess.run([TOP / "build/initramfs/pack"], cwd=folder, stdout=archive, check=True,
                       input=b"dir /bin 755\ndir /tests 755\nfile /bin/load 755 load\nfile /tests/load 644 script\n")
    return folder / "load", ["--initrd", folder / "load.cpio"]


def test_random_load(linux, modules, load, soak):
    """Guest and host make random changes to a folder in turns; both must see the contents of a plain folder after the
    same changes. LOAD_SEED repeats a load; in `make soak` each run has another seed."""
    seed = int(os.environ.get("LOAD_SEED", soak(14, time.time_ns() // 1000 % 1000000)))
    program, options = load
    turns, count = soak(3, 20), soak(100, 400)
    limit = max(960, turns * count)  # on a busy machine in the lab an operation took 0.1 s
    command = linux.command("cloud", *modules("virtio_mmio", "virtiofs"), *options, "-c", "2", "--share", "FOLDER",
                            "--share", "ORDERS,ro,tag=orders", append="quiet test=load", limit=limit)
    result = lab_run("/usr/bin/python3", HERE / "load_host.py", program, seed, turns, count, *command, limit=limit)
    assert result.status == 0, (seed, result)


def test_refused(vmm, scratch):
    """A folder that cannot be shared gives an error before anything starts."""
    image = vmm.guest("hello")
    (scratch / "plain").write_text("x")
    for options, why in (([scratch / "missing"], "No such file"), ([scratch / "plain"], "Not a directory"),
                         ([",ro"], "name of a folder is missing"),
                         (["%s,tag=a" % scratch, "%s,tag=a" % scratch], "already a folder with the tag a")):
        result = lab_run(vmm.program, "-l", *[word for o in options for word in ("--share", o)], image)
        assert result.status in (2, 125) and why in result.err, result
