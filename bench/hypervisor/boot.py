#!/usr/bin/env python3
"""Debian's boot to a busybox init and power-off: bare and as a guest, in one run on one emulator.

Prints wall time, the best of three: figures of an emulated machine (QEMU's TCG), to be compared only with each other.
"""
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "hypervisor"
ARGS = "console=ttyS0 panic=-1 quiet test=cpus"
QEMU = ["qemu-system-riscv64", "-M", "virt", "-smp", "1", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-no-reboot"]


def once(line):
    start = time.monotonic()
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    if done.returncode != 0 or b"cpus: nproc 1" not in done.stdout:
        sys.exit("boot failed:\n" + done.stdout.decode(errors="replace")[-1000:])
    return time.monotonic() - start


def main():
    subprocess.run(["make", "-s", "-C", str(TOP / "hypervisor"), "all", str(OUT / "linux-1.cpio"), "CPUS=1"],
                   check=True)
    folder = OUT / "linux"
    (folder / "manifest").write_text(f'vm linux mem=256M kernel=Image initrd=initrd args="{ARGS}"\n')
    archive = OUT / "bench.cpio"
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=out,
                       input=b"manifest\nImage\ninitrd\n")
    bare = [*QEMU, "-m", "256M", "-kernel", str(folder / "Image"), "-initrd", str(folder / "initrd"), "-append", ARGS]
    guest = [*QEMU, "-m", "512M", "-kernel", str(OUT / "hypervisor.elf"), "-initrd", str(archive)]
    figures = {}
    for name, line in (("bare", bare), ("guest", guest)):
        figures[name] = min(once(line) for _ in range(3))
        print(f"debian boot, {name:5}: {figures[name]:.2f} s wall, best of 3")
    print(f"guest against bare: {100 * (figures['guest'] / figures['bare'] - 1):+.1f} %")


if __name__ == "__main__":
    main()
