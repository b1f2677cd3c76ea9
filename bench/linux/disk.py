#!/usr/bin/python3
"""One figure of a disk of Debian's cloud kernel: microseconds for a request, or the exits of KVM during it.

    bench/linux/disk.py METRIC WORK SIDE      in the lab (lab/lab run), where KVM is complete
    METRIC  time, exits (of every kind, also those that KVM handles by itself, and those of timers)
    WORK    random-1, random-32: 4 KB at random places, 1 or 32 at a time; read, write: 128 KB in a row, 4 at a time
    SIDE    kvm-vmm, kvm-vmm-pci, microvm, q35: QEMU with its virtio disk, an I/O thread and io_uring

The disk is a file of 64 MB in memory, so that the host's disk is not measured.
"""
import os
import sys
import tempfile
from pathlib import Path

from between import between, machine
from boot import INITRD, TOP, kernel_of

DISK_MB = 64
WORK = {"random-1": "read 4096 1 500 random", "random-32": "read 4096 32 2000 random",
        "read": "read 131072 4 400", "write": "write 131072 4 400"}
RAMDISKS = (INITRD, TOP / "build/bench/linux/modules.cpio", TOP / "build/bench/linux/tools.cpio")  # `make ramdisks`
DRIVE = "if=none,id=d,format=raw,cache=writeback,aio=io_uring,file=%s"


def measure(metric, work, side):
    with tempfile.TemporaryDirectory() as memory:
        disk = Path(memory) / "disk"
        disk.write_bytes(os.urandom(1 << 20) * DISK_MB)
        line = machine(side, Path(memory), kernel_of(side), RAMDISKS, 'run="disk /dev/vda %s"' % WORK[work],
                       ["--disk", disk],
                       ["-object", "iothread,id=io", "-drive", DRIVE % disk, "-device",
                        "virtio-blk-%s,drive=d,iothread=io" % ("pci" if side == "q35" else "device")])
        return between(line, metric) / int(WORK[work].split()[3])


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("time", "exits") or sys.argv[2] not in WORK or \
            sys.argv[3] not in ("kvm-vmm", "kvm-vmm-pci", "microvm", "q35"):
        sys.exit(__doc__)
    print("%.3f" % measure(*sys.argv[1:]))


if __name__ == "__main__":
    main()
