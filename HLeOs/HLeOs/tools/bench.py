#!/usr/bin/python3
"""HLeOs's own figures, in instructions: QEMU's -icount makes the TSC count them, the same on every machine.

    tools/bench.py KERNEL [NAME [CPUS]]   beside the kernel's file are mkimage, boot.bin and stage2.bin (make all);
                                          with NAME, that figure's number alone; with CPUS, in cycles of the TSC
                                          instead, on so many processors
"""
import subprocess
import sys
import tempfile
from pathlib import Path

QEMU = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128M", "-display", "none",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
GOOD = 33  # the status of a machine that ended well


def run(kernel, name, clock=("-icount", "shift=0,sleep=off")):
    """Boots an image whose command line asks for the figure; a dictionary of what it printed."""
    folder = kernel.parent
    with tempfile.TemporaryDirectory() as scratch:
        image, serial = Path(scratch, "bench.img"), Path(scratch, "serial.txt")
        subprocess.run([folder / "mkimage", "--boot", folder / "boot.bin", "--stage2", folder / "stage2.bin",
                        "--kernel", kernel, "--cmdline", "bench=" + name, "--fs", "16777216",
                        "--out", image],
                       check=True, stdout=subprocess.DEVNULL)
        command = [*QEMU, *clock, "-drive", "file=%s,format=raw,if=ide" % image, "-serial", "file:%s" % serial]
        status = subprocess.run(command, timeout=120, stdin=subprocess.DEVNULL, check=False).returncode
        text = serial.read_text(errors="replace")
    if status != GOOD:
        sys.exit("bench: the machine ended with status %d after this:\n%s" % (status, text))
    lines = (line.split() for line in text.splitlines() if line.startswith("bench "))
    return {words[1]: int(words[2]) for words in lines}


def main():
    kernel = Path(sys.argv[1])
    sizes = {"kernel_file": kernel.stat().st_size, "loader": 512 + kernel.with_name("stage2.bin").stat().st_size}
    if len(sys.argv) > 2:
        name = sys.argv[2]
        clock = [("-smp", sys.argv[3])] if len(sys.argv) > 3 else []
        print(sizes[name] if name in sizes else run(kernel, name, *clock)[name])
        return
    for name, value in run(kernel, "all").items():
        print("%-24s %10d instructions" % (name, value))
    for name, value in sizes.items():
        print("%-24s %10d bytes" % (name, value))


if __name__ == "__main__":
    main()
