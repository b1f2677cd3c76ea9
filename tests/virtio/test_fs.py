"""Shared folders under Debian's kernel: what the guest does there the host sees, and the other way round, and nothing
leaves the folder."""
import hashlib
import os
import stat

import pytest

from tests.support import lab_run

MOUNT = "set -e; mkdir /m; mount -t virtiofs share0 /m; cd /m; "


@pytest.fixture
def shared(scratch):
    folder = scratch / "shared"
    (folder / "sub").mkdir(parents=True)
    return folder


def test_read_and_write(linux, file_drivers, shared):
    """Two views of one folder: every kind of change is made in the guest and looked at from the host."""
    data = hashlib.sha512(b"seed").digest() * 40000
    (shared / "from-host").write_bytes(data)
    os.symlink("/etc", shared / "out")
    script = MOUNT + (
        "sha256sum < from-host; dd if=from-host of=sub/copy bs=100k; sha256sum < sub/copy; "
        "mkdir -p deep/er; echo one > deep/er/one; mv deep/er moved; ln moved/one moved/two; ln -s two moved/three; "
        "cat moved/three; chmod 640 moved/one; touch -d '2001-02-03 04:05:06' moved/one; "
        "echo more >> moved/one; truncate -s 100 sub/copy; rm from-host; rmdir deep; "
        "seq 100 | while read n; do : > sub/file$n; done; ls sub | wc -l; rm sub/file7*; "
        "if mknod dev c 1 3; then echo DEVICE; fi; if chmod 4755 moved/one; then echo SETUID; fi; "
        "if cat ../m/../etc/hostname; then echo LEFT; fi; readlink out; sync; find . | wc -l")
    result = linux.boot("cloud", *file_drivers, "-c", "2", "--share", shared, run=script)
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


def test_read_only_and_reset(linux, file_drivers, scratch):
    """A share that is only to be read; and its driver goes and comes while files are read."""
    folder = scratch / "only-read"
    folder.mkdir()
    data = hashlib.sha512(b"more").digest() * 20000
    (folder / "file").write_bytes(data)
    script = MOUNT.replace("share0", "kept") + (
        "! touch new; ! rm file; ! dd if=/dev/zero of=file bs=1 count=1 conv=notrunc; cd /; umount /m; "
        "for i in 1 2 3; do mount -t virtiofs kept /m; (cat /m/file > /dev/null)& "
        "sha256sum < /m/file; wait; umount /m; "
        "echo virtio0 > /sys/bus/virtio/drivers/virtiofs/unbind; echo virtio0 > /sys/bus/virtio/drivers/virtiofs/bind; "
        "done")
    result = linux.boot("cloud", *file_drivers, "--share", "%s,ro,tag=kept" % folder, run=script)
    text = result.out.decode("utf-8", "replace")
    assert result.status == 0 and text.count(hashlib.sha256(data).hexdigest()) == 3, result
    assert (folder / "file").read_bytes() == data and os.listdir(folder) == ["file"]


def test_refused(vmm, scratch):
    """What cannot be shared is said before anything starts."""
    image = vmm.guest("hello")
    (scratch / "plain").write_text("x")
    for options, why in (([scratch / "missing"], "No such file"), ([scratch / "plain"], "Not a directory"),
                         ([",ro"], "name of a folder is missing"),
                         (["%s,tag=a" % scratch, "%s,tag=a" % scratch], "tag a already")):
        result = lab_run(vmm.program, "-l", *[word for o in options for word in ("--share", o)], image)
        assert result.status in (2, 125) and why in result.err, result
