#!/usr/bin/python3
"""One figure of a disk of Debian's cloud kernel: microseconds that a request takes, or KVM's exits while it does.

    bench/linux/disk.py METRIC WORK SIDE      in the lab (lab/lab run), where KVM is complete
    METRIC  time, exits (of every kind, also those that KVM handles by itself, and those of timers)
    WORK    random-1, random-32: 4 KB at random places, so many at a time; read, write: 128 KB in a row, 4 at a time
    SIDE    kvm-vmm, kvm-vmm-pci, microvm, q35: QEMU with its virtio disk, an I/O thread and io_uring

The disk is a file of 64 MB in memory, so that the host's disk is not measured.
"""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from boot import INITRD, LIMIT, QEMU, TOP, Exits, kernel_of, read_more

DISK_MB = 64
WORK = {"random-1": "read 4096 1 500 random", "random-32": "read 4096 32 2000 random",
        "read": "read 131072 4 400", "write": "write 131072 4 400"}
RAMDISKS = (INITRD, TOP / "build/bench/linux/modules.cpio", TOP / "build/bench/linux/disk.cpio")  # `make ramdisks`
DRIVE = "if=none,id=d,format=raw,cache=writeback,aio=io_uring,file=%s"


def command(side, folder, disk, work):
    append = 'console=ttyS0 quiet panic=-1 reboot=t%s run="disk /dev/vda %s"' % (
        "" if side in ("q35", "kvm-vmm-pci") else " pci=off", WORK[work])
    kernel = kernel_of(side)
    if side.startswith("kvm-vmm"):
        return [TOP / "kvm-vmm-x86/kvm-vmm", "-m", "512M", "--append", append, "--disk", disk,
                "--virtio", "pci" if side == "kvm-vmm-pci" else "mmio",
                *[word for ramdisk in RAMDISKS for word in ("--initrd", ramdisk)], kernel]
    whole = folder / "initrd"
    whole.write_bytes(b"".join(ramdisk.read_bytes().ljust(-(-ramdisk.stat().st_size // 4) * 4, b"\0")
                               for ramdisk in RAMDISKS))
    line = [*QEMU, "-M", side, "-kernel", kernel, "-initrd", whole, "-object", "iothread,id=io", "-drive", DRIVE % disk,
            "-device", "virtio-blk-%s,drive=d,iothread=io" % ("pci" if side == "q35" else "device")]
    line[line.index("-append") + 1] = append
    return line


def measure(metric, work, side):
    requests = int(WORK[work].split()[3])
    with tempfile.TemporaryDirectory() as memory:
        disk = Path(memory) / "disk"
        disk.write_bytes(os.urandom(1 << 20) * DISK_MB)
        line = command(side, Path(memory), disk, work)
        exits, text, began = Exits("kvm_exit") if metric == "exits" else None, b"", None
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as machine:
            try:
                limit = time.monotonic() + LIMIT
                while not (end := re.search(rb"^end (\d+)\r?\n", text, re.M)):
                    text += read_more(machine, limit, text)
                    if exits and began is None and b"begin" in text:
                        began = exits.count()
                        if b"\nend " in text:
                            sys.exit("disk.py: begin and end came at once: nothing was counted")
                return (exits.count() - began if exits else int(end.group(1))) / requests
            finally:
                machine.kill()
                if exits:
                    exits.close()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("time", "exits") or sys.argv[2] not in WORK or \
            sys.argv[3] not in ("kvm-vmm", "kvm-vmm-pci", "microvm", "q35"):
        sys.exit(__doc__)
    print("%.3f" % measure(*sys.argv[1:]))


if __name__ == "__main__":
    main()
