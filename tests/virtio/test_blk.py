"""virtio disks and random bytes under Debian's kernels: written data can be read, overlays do not change the file, a
killed VMM loses no synced data, drivers may be removed while their devices work."""
import hashlib
import re
from pathlib import Path

import pytest

from tests.support import lab_run
from tests.virtio.conftest import KERNELS

MB = 1 << 20
HOST = Path(__file__).with_name("disk_host.py")

def make_disk(path, size, seed):
    """A file without repeated contents, and its bytes."""
    data = b"".join(hashlib.sha512(b"%d %d" % (seed, i)).digest() for i in range(size // 64))
    path.write_bytes(data)
    return data


@pytest.mark.parametrize("name", KERNELS)
def test_read_and_write(linux, modules, scratch, name):
    """Three disks at the same time: one writable, one read-only, one with an overlay. Random bytes differ between two
    reads."""
    data = make_disk(scratch / "a", 2 * MB, 1)
    only_read, base = make_disk(scratch / "b", MB, 2), make_disk(scratch / "c", MB, 3)
    script = ("set -e; cat /sys/block/vda/serial /sys/block/vdb/serial; echo; "
              "sha256sum < /dev/vda; sha256sum < /dev/vdb; "
              "dd if=/dev/vdb of=/dev/vda bs=4k seek=10 conv=notrunc,fsync; "
              "! dd if=/dev/zero of=/dev/vdb bs=512 count=1; "
              "dd if=/dev/vda of=/dev/vdc bs=64k count=3 conv=notrunc,fsync; echo 3 > /proc/sys/vm/drop_caches; "
              "sha256sum < /dev/vda; sha256sum < /dev/vdc; cat /sys/class/misc/hw_random/rng_current; "
              "for i in 1 2; do head -c 64 /dev/hwrng | sha256sum; done")
    result = linux.boot(name, *modules("virtio_mmio", "virtio_blk", "virtio_rng", name=name), "-c", "2", "--rng",
                        "--disk", scratch / "a", "--disk", "%s,ro,id=second" % (scratch / "b"),
                        "--disk", "%s,overlay" % (scratch / "c"), run=script)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and "disk0second" in text, result
    written = data[:10 * 4096] + only_read + data[10 * 4096 + MB:]
    layered = written[:3 * 65536] + base[3 * 65536:]
    sums = re.findall(r"^([0-9a-f]{64}) ", text, re.M)
    assert "virtio_rng.0" in text and len(set(sums[4:])) == 2, result
    assert sums[:4] == [hashlib.sha256(d).hexdigest() for d in (data, only_read, written, layered)], result
    assert (scratch / "a").read_bytes() == written
    assert (scratch / "b").read_bytes() == only_read and (scratch / "c").read_bytes() == base


def test_killed(linux, drivers, soak):
    """The VMM is killed while the guest writes: fsck repairs the file system without a question, and each file whose
    sync has returned is intact."""
    count = soak(2, 100)
    script = ("mkdir -p /mnt; echo ready; read go; mount -t ext4 /dev/vda /mnt || exit 9; "
              "n=0; while true; do n=$((n+1)); "
              "dd if=/dev/urandom of=/mnt/f$((n%20)) bs=64k count=$((1+n%7)) 2>/dev/null; sync; "
              "echo synced $n $(sha256sum < /mnt/f$((n%20))); done")
    command = linux.command("cloud", *drivers, "-c", "2", "--disk", "@DISK@", run=script, memory="160M")
    result = lab_run("/usr/bin/python3", HOST, count, *command, limit=400 * (count + 1))
    assert result.status == 0 and b"killed %d after round" % count in result.out, result


def test_drivers_go_and_come(linux, drivers, scratch):
    """The drivers reset a disk and the entropy device while requests are in flight; both work afterwards."""
    data = make_disk(scratch / "disk", 8 * MB, 4)
    script = ("cd /sys/bus/virtio/drivers; disk=$(cd virtio_blk; echo virtio*); rng=$(cd virtio_rng; echo virtio*); "
              "for i in 1 2 3 4 5; do for j in 1 2 3; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null & "
              "cat /dev/hwrng > /dev/null 2>&1 & done; "
              "echo $disk > virtio_blk/unbind; echo $rng > virtio_rng/unbind; wait; "
              "echo $disk > virtio_blk/bind; echo $rng > virtio_rng/bind; done; "
              "sha256sum < /dev/vda; head -c 64 /dev/hwrng | wc -c")
    result = linux.boot("cloud", *drivers, "-c", "2", "--rng", "--disk", scratch / "disk", run=script)
    assert result.status == 0 and hashlib.sha256(data).hexdigest().encode() in result.out, result
    assert re.search(rb"^64\r*$", result.out, re.M) and "needs a reset" not in result.err, result


def test_refused(linux, vmm, scratch):
    """An invalid disk gives an error before anything starts."""
    image = vmm.guest("hello")
    make_disk(scratch / "disk", MB, 5)
    for disk, why in ((scratch / "none", "No such file"), (scratch, "Is a directory"),
                      ("%s,block=4096,ro,overlay" % (scratch / "disk"), "exclude each other")):
        result = lab_run(vmm.program, "-l", "--disk", disk, image)
        assert result.status in (2, 125) and why in result.err, result
    result = lab_run(vmm.program, "--real-mode", "--disk", scratch / "disk", image)
    assert result.status == 125 and "real-mode guest has no virtio" in result.err, result
    result = lab_run(vmm.program, "-l", "--disk", scratch / "disk", image, image)
    assert result.status == 125 and "used by another guest" in result.err, result
