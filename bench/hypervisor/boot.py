#!/usr/bin/env python3
"""Debian's boot to a busybox init: bare and as a guest, in one run on one emulator.

    bench/hypervisor/boot.py                            all of it, the best of three, and exits
    bench/hypervisor/boot.py wall|cpu SIDE [ARG]...     milliseconds of a boot to power-off: by the clock, the processor
    bench/hypervisor/boot.py instructions SIDE [ARG]... millions of instructions up to the shell's prompt (-icount)
    bench/hypervisor/boot.py exits                      how often a boot to the shell left the guest

SIDE is `bare` or `guest`; ARGs go to the kernel, such as no4lvl for three levels of paging. Figures of an emulated
machine (QEMU's TCG), to be compared only with each other.
"""
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import count
import pexpect

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "hypervisor"
QUIET = "console=ttyS0 panic=-1 quiet"
READY = b"cpus: nproc 1"
QEMU = ["qemu-system-riscv64", "-M", "virt", "-smp", "1", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-no-reboot"]


def archive(name, args):
    """The hypervisor's initrd with one Linux guest."""
    folder = OUT / "linux"
    (folder / "manifest").write_text(f'vm linux mem=256M kernel=Image initrd=initrd args="{args}"\n')
    path = OUT / name
    with open(path, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=out,
                       input=b"manifest\nImage\ninitrd\n")
    return path


def machine(side, args):
    """The command line of a machine that boots, tells its harts, and powers off."""
    if side == "guest":
        initrd = archive("bench.cpio", args)
        return [*QEMU, "-m", "512M", "-kernel", str(OUT / "hypervisor.elf"), "-initrd", str(initrd)]
    folder = OUT / "linux"
    return [*QEMU, "-m", "256M", "-kernel", str(folder / "Image"), "-initrd", str(folder / "initrd"), "-append", args]


def timed(side, args):
    """One boot; seconds by the clock, and of processor time."""
    line = machine(side, f"{args} test=cpus")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or READY not in done.stdout:
        sys.exit("boot failed:\n" + done.stdout.decode(errors="replace")[-1000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(side, args):
    return count.instructions(machine(side, args), b"guest# ", settle=2)


def exits():
    """How often a boot to the shell's prompt left the guest: the monitor's count."""
    line = machine("guest", QUIET)
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


def one(figure, side, args):
    if figure == "instructions":
        return instructions(side, args) / 1e6
    wall, cpu = timed(side, args)
    return 1e3 * (wall if figure == "wall" else cpu)


def report():
    """For a person: the best of three, and what lies between the two sides."""
    for args, paging in ((QUIET, "Sv57"), (QUIET + " no4lvl", "Sv39")):
        runs = {side: [] for side in ("bare", "guest")}
        for _ in range(3):
            for side, times in runs.items():
                times.append(timed(side, args))
        for number, (name, unit) in enumerate((("wall", "s"), ("processor time", "s"), ("instructions", "million"))):
            bare, guest = ([min(t[number] for t in times) for times in runs.values()] if number < 2 else
                           [instructions(side, args) / 1e6 for side in runs])
            print(f"debian boot, guest's paging {paging}, {name}: bare {bare:.2f} {unit}, guest {guest:.2f} {unit}, "
                  f"{100 * (guest / bare - 1):+.1f} %", flush=True)
    print(f"exits of a quiet boot to the shell: {exits()}")


def main():
    subprocess.run(["make", "-s", "-C", str(TOP / "hypervisor"), "all", str(OUT / "linux-1.cpio"), "CPUS=1"],
                   check=True, stdout=sys.stderr)
    words = sys.argv[1:]
    if not words:
        report()
    elif words == ["exits"]:
        print(exits())
    elif len(words) > 1 and words[0] in ("wall", "cpu", "instructions") and words[1] in ("bare", "guest"):
        print(f"{one(words[0], words[1], ' '.join([QUIET, *words[2:]])):.1f}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
