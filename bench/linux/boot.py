#!/usr/bin/python3
"""One figure of one boot of Debian's cloud kernel, from the start of the machine's program to the first line of init.

    bench/linux/boot.py METRIC SIDE       in the lab (lab/lab run), where KVM is complete
    METRIC  warm      milliseconds; kernel and ramdisk are in memory
            cold      milliseconds; the page cache is empty, so the program's file is read again too
            exits     KVM_RUN calls that came back to the program (tracepoint kvm_userspace_exit)
            resident  KB of the program's memory, without the guest's RAM
    SIDE    kvm-vmm, microvm, q35: the bzImage; microvm-elf: QEMU with the vmlinux inside, by its PVH entry;
            none: everything except the boot, for effort.py

Every side has one vCPU, 512 MB, the same ramdisk and command line, and only a serial port as device.
"""
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

MARK = b"init: Linux"
APPEND = "console=ttyS0 quiet panic=-1 reboot=t pci=off"
MEMORY = "512M"
INITRD = TOP / "build/initramfs/amd64/initramfs.cpio"
LIMIT = 200  # seconds after which a silent machine is stopped
QEMU = ["qemu-system-x86_64", "-enable-kvm", "-cpu", "host", "-smp", "1", "-m", MEMORY, "-nodefaults",
        "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-append", APPEND]
RAM_KB = 256 << 10  # of a VMM's mappings only the guest's RAM is as large


def command(side, kernel, initrd):
    if side == "kvm-vmm":
        return [TOP / "kvm-vmm-x86/kvm-vmm", "-m", MEMORY, "--append", APPEND, "--initrd", initrd, kernel]
    machine = ["-M", "q35" if side == "q35" else "microvm"]
    return [*QEMU, *machine, "-kernel", kernel, "-initrd", initrd]


def read_more(machine, end, text):
    """Reads a machine's next output. Ends the program at the time `end`, or when the output has ended."""
    if select.select([machine.stdout], [], [], max(0, end - time.monotonic()))[0]:
        more = os.read(machine.stdout.fileno(), 65536)
        if more:
            return more
    machine.kill()
    sys.exit("%s: the machine stopped: %r %r" % (Path(sys.argv[0]).name, text[-500:], machine.stderr.read()[-500:]))


def kernel_of(side):
    name = "cloud.elf" if side.endswith("-elf") else "cloud"
    done = subprocess.run([TOP / "tools/kernels", name], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


class Exits:
    """Counts a tracepoint of KVM while it is open, for the whole machine, in which no other guest runs."""

    def __init__(self, event):
        self.event = event
        self.folder = Path(tempfile.mkdtemp())
        subprocess.run(["mount", "-t", "tracefs", "none", self.folder], check=True)
        (self.folder / "trace").write_text("")
        self.switch("1")

    def switch(self, value):
        (self.folder / "events/kvm" / self.event / "enable").write_text(value)

    def count(self):
        stats = [path.read_text() for path in self.folder.glob("per_cpu/cpu*/stats")]
        return sum(int(number) for text in stats for number in re.findall(r"^(?:entries|overrun): (\d+)", text, re.M))

    def close(self):
        self.switch("0")
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()


def resident_kb(pid):
    """The resident memory of all mappings except the guest's RAM: proc(5), smaps."""
    text = Path("/proc/%d/smaps" % pid).read_text()
    mappings = re.findall(r"^Size:\s+(\d+) kB(?:\n.*?)*?\nRss:\s+(\d+) kB", text, re.M)
    return sum(int(rss) for size, rss in mappings if int(size) < RAM_KB)


def until_mark(line, cache, look=lambda pid: None):
    """Starts the machine (`cache`: kvm-vmm's folder for unpacked kernels), waits for init's first line, calls look(),
    and ends it. Returns milliseconds and the result of look()."""
    start = time.monotonic()
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "XDG_CACHE_HOME": str(cache)}) as machine:
        try:
            text = b""
            while MARK not in text:
                text += read_more(machine, start + LIMIT, text)
            took = 1e3 * (time.monotonic() - start)
            return took, look(machine.pid)
        finally:
            machine.kill()


def cold():
    """Drops the page cache, as far as this machine can."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def keep_kernel(line, kept):
    """Starts the machine once and waits for its end, and so for the thread that writes the unpacked kernel."""
    subprocess.run([*line[:1], "--max-exits=1", *line[1:]], env={**os.environ, "XDG_CACHE_HOME": str(kept)},
                   capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=LIMIT)
    if not list(kept.glob("mini-kvm/kernel-*")):
        sys.exit("boot.py: no unpacked kernel was kept in %s" % kept)


def measure_in(memory, metric, side):
    """Measures a figure with its files in a folder in memory, a tmpfs in the lab; unpacked kernels are kept there."""
    kept = Path(tempfile.gettempdir()) / "mini-kvm-bench"
    kept.mkdir(exist_ok=True)
    line = command(side, shutil.copy(kernel_of(side), memory), shutil.copy(INITRD, memory))
    if side == "kvm-vmm" and not list(kept.glob("mini-kvm/kernel-*")):
        keep_kernel(line, kept)
    if side == "none":
        return 0
    if metric == "warm":
        return until_mark(line, kept)[0]
    if metric == "resident":
        return until_mark(line, kept, resident_kb)[1]
    exits = Exits("kvm_userspace_exit")
    try:
        return until_mark(line, kept, lambda pid: exits.count())[1]
    finally:
        exits.close()


def measure(metric, side):
    with tempfile.TemporaryDirectory() as memory:
        if metric != "cold":
            return measure_in(memory, metric, side)
        cold()
        if side == "none":
            return 0
        return until_mark(command(side, kernel_of(side), INITRD), memory)[0]


def main():
    metrics, sides = ("warm", "cold", "exits", "resident"), ("kvm-vmm", "microvm", "microvm-elf", "q35", "none")
    if len(sys.argv) != 3 or sys.argv[1] not in metrics or sys.argv[2] not in sides:
        sys.exit(__doc__)
    print("%.1f" % measure(*sys.argv[1:]))


if __name__ == "__main__":
    main()
