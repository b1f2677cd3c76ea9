"""Measures a guest between its lines `begin` and `end MICROSECONDS`; used by the programs of this folder."""
import re
import subprocess
import sys
import time
from pathlib import Path

from boot import LIMIT, QEMU, TOP, Exits, read_more

VMM = TOP / "kvm-vmm-x86/kvm-vmm"


def machine(side, folder, kernel, ramdisks, append, ours, theirs, memory="512M"):
    """The command of a machine with one vCPU. `side`: kvm-vmm, kvm-vmm-pci, microvm or q35; `ours` and `theirs` are
    options for its devices."""
    pci = side in ("q35", "kvm-vmm-pci")
    append = "console=ttyS0 quiet panic=-1 reboot=t%s %s" % ("" if pci else " pci=off", append)
    if side.startswith("kvm-vmm"):
        return [VMM, "-m", memory, "--append", append, "--virtio", "pci" if pci else "mmio", *ours,
                *[word for ramdisk in ramdisks for word in ("--initrd", ramdisk)], kernel]
    whole = folder / "initrd"
    whole.write_bytes(b"".join(ramdisk.read_bytes().ljust(-(-ramdisk.stat().st_size // 4) * 4, b"\0")
                               for ramdisk in ramdisks))
    line = [*QEMU, "-M", side, "-kernel", kernel, "-initrd", whole, *theirs]
    line[line.index("-append") + 1] = append
    line[line.index("-m") + 1] = memory
    return line


def between(line, metric):
    """Runs a machine; `time`: microseconds by the guest's own clock, `exits`: KVM's, of every kind."""
    name = Path(sys.argv[0]).name
    exits, text, began = Exits("kvm_exit") if metric == "exits" else None, b"", None
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            limit = time.monotonic() + LIMIT
            while not (end := re.search(rb"^end (\d+)\r?\n", text, re.M)):
                text += read_more(process, limit, text)
                if exits and began is None and b"begin" in text:
                    began = exits.count()
                    if b"\nend " in text:
                        sys.exit("%s: begin and end came at once: nothing was counted" % name)
            return exits.count() - began if exits else int(end.group(1))
        finally:
            process.kill()
            if exits:
                exits.close()
