#!/usr/bin/env python3
"""Debian's boot to a busybox init and power-off: bare and as a guest, in one run on one emulator.

    bench/hypervisor/boot.py             wall time, the best of three, and exits
    bench/hypervisor/boot.py SIDE        one number: milliseconds of one boot (bare, guest), or the exits of one (exits)

Figures of an emulated machine (QEMU's TCG), to be compared only with each other.
"""
import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "hypervisor"
QUIET = "console=ttyS0 panic=-1 quiet"
ARGS = QUIET + " test=cpus"
QEMU = ["qemu-system-riscv64", "-M", "virt", "-smp", "1", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-no-reboot"]


def once(line):
    start = time.monotonic()
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    if done.returncode != 0 or b"cpus: nproc 1" not in done.stdout:
        sys.exit("boot failed:\n" + done.stdout.decode(errors="replace")[-1000:])
    return time.monotonic() - start


def archive(name, args):
    """The hypervisor's initrd with one Linux guest."""
    folder = OUT / "linux"
    (folder / "manifest").write_text(f'vm linux mem=256M kernel=Image initrd=initrd args="{args}"\n')
    path = OUT / name
    with open(path, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=out,
                       input=b"manifest\nImage\ninitrd\n")
    return path


def bare():
    folder = OUT / "linux"
    return once([*QEMU, "-m", "256M", "-kernel", str(folder / "Image"), "-initrd", str(folder / "initrd"),
                 "-append", ARGS])


def hosted(initrd):
    return [*QEMU, "-m", "512M", "-kernel", str(OUT / "hypervisor.elf"), "-initrd", str(initrd)]


def guest():
    return once(hosted(archive("bench.cpio", ARGS)))


def exits():
    """How often a boot to the shell's prompt left the guest: the monitor's count."""
    line = hosted(archive("bench-shell.cpio", QUIET))
    line[line.index("stdio")] = "chardev:tty"  # Ctrl-a is the hypervisor's here, not QEMU's
    child = pexpect.spawn(line[0], [*line[1:], "-chardev", "stdio,id=tty,signal=off"], timeout=60, encoding="utf-8",
                          codec_errors="replace")
    child.expect("guest# ")
    child.send("\x01m")
    child.expect("hv> ")
    child.send("exits\r")
    child.expect("hv> ")
    child.close(force=True)
    return int(re.search(r"(\d+) in all", child.before).group(1))


def main():
    subprocess.run(["make", "-s", "-C", str(TOP / "hypervisor"), "all", str(OUT / "linux-1.cpio"), "CPUS=1"],
                   check=True)
    sides = {"bare": lambda: f"{1e3 * bare():.0f}", "guest": lambda: f"{1e3 * guest():.0f}", "exits": exits}
    if len(sys.argv) > 1:
        if sys.argv[1] not in sides:
            sys.exit(f"boot.py: {sys.argv[1]}: not one of {', '.join(sides)}")
        print(sides[sys.argv[1]]())
        return
    figures = {}
    for name, boot in (("bare", bare), ("guest", guest)):
        figures[name] = min(boot() for _ in range(3))
        print(f"debian boot, {name:5}: {figures[name]:.2f} s wall, best of 3")
    print(f"guest against bare: {100 * (figures['guest'] / figures['bare'] - 1):+.1f} %")
    print(f"exits of a quiet boot to the shell: {exits()}")


if __name__ == "__main__":
    main()
