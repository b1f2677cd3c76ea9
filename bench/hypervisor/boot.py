#!/usr/bin/env python3
"""Debian's boot to a busybox init: bare and as a guest, in one run on one emulator.

    bench/hypervisor/boot.py                            all boots, the best of three, and exits
    bench/hypervisor/boot.py wall|cpu SIDE [ARG]...     milliseconds of a boot to power-off: real time, CPU time
    bench/hypervisor/boot.py instructions SIDE [ARG]... millions of instructions until the first program has
                                                        slept for 3 s of the machine's own time (-icount)
    bench/hypervisor/boot.py exits [files]              exits of a boot to the shell, with a PLIC and a serial console,
                                                        or with an interrupt file and a virtio console
    bench/hypervisor/boot.py reads plic|files           exits of a read of 4 KB from its disk

SIDE is `bare` or `guest`; ARGs go to the kernel, such as no4lvl for three levels of paging. The figures
are of an emulated machine (QEMU's TCG) and can be compared only with each other.
"""
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
SLEEP = "run=sleep${IFS}3;echo${IFS}slept;sleep${IFS}9999"  # words of command lines and manifests have no spaces
SLEPT = b"\nslept"
FILES = "harts=0 interrupts=imsic"
READS = 2000
QEMU = ["qemu-system-riscv64", "-M", "virt", "-smp", "1", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-no-reboot"]


def archive(name, args, keys=""):
    """The hypervisor's initrd with one Linux guest and, for some figures, its disk."""
    folder = OUT / "linux"
    (folder / "manifest").write_text(f'vm linux mem=256M kernel=Image initrd=initrd args="{args}" {keys}\n')
    (folder / "disk").write_bytes(bytes(READS * 4096))
    path = OUT / name
    with open(path, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=out,
                       input=b"manifest\nImage\ninitrd\n" + (b"disk\n" if "disk" in keys else b""))
    return path


def machine(side, args, keys=""):
    """The command line of a machine that boots, prints its harts, and powers off."""
    if side == "guest":
        initrd = archive("bench.cpio", args, keys)
        return [*QEMU, "-m", "512M", "-kernel", str(OUT / "hypervisor.elf"), "-initrd", str(initrd)]
    folder = OUT / "linux"
    return [*QEMU, "-m", "256M", "-kernel", str(folder / "Image"), "-initrd", str(folder / "initrd"), "-append", args]


def timed(side, args):
    """One boot: seconds of real time, and of CPU time."""
    line = machine(side, f"{args} test=cpus")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or READY not in done.stdout:
        sys.exit("boot failed:\n" + done.stdout.decode(errors="replace")[-1000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(side, args):
    """When its first program prints, a machine still has 250 million instructions to run. Its own clock says when these
    are over: its progress in the host's time depends on the host's load."""
    return count.instructions(machine(side, f"{args} {SLEEP}"), SLEPT)


def at_prompt(keys, console):
    """Boots a guest to its shell's prompt, on a machine whose hart has a guest interrupt file."""
    line = machine("guest", QUIET.replace("ttyS0", console), keys)
    line[line.index("stdio")] = "chardev:tty"  # here Ctrl-a is for the hypervisor, not QEMU
    line[line.index("virt")] = "virt,aia=aplic-imsic,aia-guests=1" if "imsic" in keys else "virt"
    child = pexpect.spawn(line[0], [*line[1:], "-chardev", "stdio,id=tty,signal=off"], timeout=600, encoding="utf-8",
                          codec_errors="replace")
    child.expect("guest# ")
    return child


def exits_so_far(child):
    """The count that the monitor prints."""
    child.send("\x01m")
    child.expect("hv> ")
    child.send("exits\r")
    child.expect(r"(\d+) in all.*hv> ")
    count = int(child.match.group(1))
    child.send("\r")
    return count


def exits(files):
    """The exits of a boot to the shell's prompt."""
    child = at_prompt(FILES + " console=virtio", "hvc0") if files else at_prompt("", "ttyS0")
    count = exits_so_far(child)
    child.close(force=True)
    return count


def reads(way):
    """The exits of a read, from two numbers of reads in a row; the exits for the typed line are in both counts."""
    child = at_prompt("console=virtio disk=disk " + (FILES if way == "files" else ""), "hvc0")
    counts = [exits_so_far(child)]
    for n in (READS // 2, READS):
        child.send(f"dd if=/dev/vda of=/dev/null bs=4096 count={n} iflag=direct\r")
        child.expect(rf"\b{n}\+0 records out.*guest# ")
        counts.append(exits_so_far(child))
    child.close(force=True)
    return (counts[2] - 2 * counts[1] + counts[0]) / (READS // 2)


def one(figure, side, args):
    if figure == "instructions":
        return instructions(side, args) / 1e6
    wall, cpu = timed(side, args)
    return 1e3 * (wall if figure == "wall" else cpu)


def report():
    """For the terminal: the best of three, and the difference between the two sides."""
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
    print(f"exits of a quiet boot to the shell: {exits(False)}")
    print(f"exits of that by an interrupt file, with a virtio console: {exits(True)}")


def main():
    subprocess.run(["make", "-s", "-C", str(TOP / "hypervisor"), "all", str(OUT / "linux-1.cpio"), "CPUS=1"],
                   check=True, stdout=sys.stderr)
    words = sys.argv[1:]
    if not words:
        report()
    elif words in (["exits"], ["exits", "files"]):
        print(exits("files" in words))
    elif words in (["reads", "plic"], ["reads", "files"]):
        print(f"{reads(words[1]):.2f}")
    elif len(words) > 1 and words[0] in ("wall", "cpu", "instructions") and words[1] in ("bare", "guest"):
        print(f"{one(words[0], words[1], ' '.join([QUIET, *words[2:]])):.1f}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
