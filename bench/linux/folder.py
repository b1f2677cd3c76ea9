#!/usr/bin/python3
"""One figure of a folder that Debian's kernel shares with the host: milliseconds of a task there, or KVM's exits.

    bench/linux/folder.py METRIC WORK SIDE    in the lab (lab/lab run), as root
    METRIC  time, exits (of every kind, also those that KVM handles by itself, and those of timers)
    WORK    find: this project's sources, with each file's attributes; tar: all of them; read: a file of 64 MB;
            compile: ten of the files, with the host's compiler, since the host's root is shared too
    SIDE    kvm-vmm, kvm-vmm-pci; QEMU's 9p: microvm, q35; virtiofsd with q35: virtiofsd

The guest has not read the folder before; in the host it is in memory. 9p's cache mode is that for a folder that only
the guest changes (cache=loose).
"""
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from between import between, machine
from boot import INITRD, TOP, LIMIT

MEMORY = "512M"
READ_MB = 64
OUT = TOP / "build/bench/linux"
RAMDISKS = (INITRD, OUT / "modules-generic.cpio", OUT / "tools.cpio")  # `make ramdisks`
DAEMONS = ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd")  # Debian 13's, Debian 12's
WORKS, SIDES = ("find", "tar", "read", "compile"), ("kvm-vmm", "kvm-vmm-pci", "microvm", "q35", "virtiofsd")


def generic():
    done = subprocess.run([TOP / "tools/kernels", "generic"], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


class Daemon:
    """A virtiofsd for one folder."""

    def __init__(self, tag, folder, sockets):
        program = next((name for name in DAEMONS if Path(name).exists()), None)
        if program is None:
            sys.exit("folder.py: no virtiofsd")
        self.path, self.tag = sockets / (tag + ".socket"), tag  # the folder itself has the tag's name
        where = ["--shared-dir", folder] if program == DAEMONS[0] else ["-o", "source=%s" % folder]
        self.process = subprocess.Popen([program, "--socket-path=%s" % self.path, *where], stderr=subprocess.DEVNULL)

    def options(self):
        return ["-chardev", "socket,id=%s,path=%s" % (self.tag, self.path),
                "-device", "vhost-user-fs-pci,chardev=%s,tag=%s" % (self.tag, self.tag)]

    def wait(self):
        for _ in range(100 * LIMIT):
            if self.path.exists():
                return
            if self.process.poll() is not None:
                sys.exit("folder.py: virtiofsd ended with status %d" % self.process.returncode)
            time.sleep(0.01)
        sys.exit("folder.py: virtiofsd does not answer")


def nine_p(tag, folder, side):
    return ["-fsdev", "local,id=%s,path=%s,security_model=none,multidevs=remap" % (tag, folder),
            "-device", "virtio-9p-%s,fsdev=%s,mount_tag=%s" % ("pci" if side == "q35" else "device", tag, tag)]


def fill(folder, work):
    if work == "read":
        (folder / "big").write_bytes(bytes(range(256)) * (READ_MB << 12))
    else:
        (folder / "tree").mkdir()
        subprocess.run(["tar", "xf", OUT / "tree.tar", "-C", folder / "tree"], check=True)


def measure(metric, work, side):
    memory = Path(tempfile.mkdtemp(dir="/dev/shm"))
    daemons = []
    try:
        folder = memory / "folder"
        folder.mkdir()
        fill(folder, work)
        shares = {"folder": folder, **({"root": Path("/")} if work == "compile" else {})}
        ours = [word for tag, path in shares.items()
                for word in ("--share", "%s%s,tag=%s" % (path, ",ro" if tag == "root" else "", tag))]
        theirs = []
        if side == "virtiofsd":
            daemons = [Daemon(tag, path, memory) for tag, path in shares.items()]
            for daemon in daemons:
                daemon.wait()
                theirs += daemon.options()
            theirs += ["-object", "memory-backend-memfd,id=m,size=%s,share=on" % MEMORY, "-machine", "memory-backend=m"]
        else:
            theirs = [word for tag, path in shares.items() for word in nine_p(tag, path, side)]
        line = machine("q35" if side == "virtiofsd" else side, memory, generic(), RAMDISKS,
                       "test=folder work=" + work, ours, theirs, MEMORY)
        return between(line, metric) / (1e3 if metric == "time" else 1)
    finally:
        for daemon in daemons:
            daemon.process.kill()
            daemon.process.wait()
        shutil.rmtree(memory)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("time", "exits") or sys.argv[2] not in WORKS or \
            sys.argv[3] not in SIDES:
        sys.exit(__doc__)
    print("%.3f" % measure(*sys.argv[1:]))


if __name__ == "__main__":
    main()
