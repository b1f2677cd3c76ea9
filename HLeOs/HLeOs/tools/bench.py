#!/usr/bin/python3
"""HLeOs's own figures, in instructions: QEMU's -icount makes the TSC count them, the same on every machine.

    tools/bench.py FOLDER [NAME]   FOLDER holds mkimage, boot.bin, stage2.bin and hleos-stripped.elf (make all);
                                   with NAME, that figure's number alone
"""
import subprocess
import sys
import tempfile
from pathlib import Path

QEMU = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-icount", "shift=0,sleep=off", "-m", "128M",
        "-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
GOOD = 33  # the status of a machine that ended well


def run(folder, name):
    """Boots an image whose command line asks for the figure; a dictionary of what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        image, serial = Path(scratch, "bench.img"), Path(scratch, "serial.txt")
        subprocess.run([folder / "mkimage", "--boot", folder / "boot.bin", "--stage2", folder / "stage2.bin",
                        "--kernel", folder / "hleos-stripped.elf", "--cmdline", "bench=" + name, "--fs", "16777216",
                        "--out", image],
                       check=True, stdout=subprocess.DEVNULL)
        status = subprocess.run([*QEMU, "-drive", "file=%s,format=raw,if=ide" % image, "-serial", "file:%s" % serial],
                                timeout=120, stdin=subprocess.DEVNULL, check=False).returncode
        text = serial.read_text(errors="replace")
    if status != GOOD:
        sys.exit("bench: the machine ended with status %d after this:\n%s" % (status, text))
    lines = (line.split() for line in text.splitlines() if line.startswith("bench "))
    return {words[1]: int(words[2]) for words in lines}


def main():
    folder = Path(sys.argv[1])
    sizes = {"kernel_file": (folder / "hleos-stripped.elf").stat().st_size,
             "loader": 512 + (folder / "stage2.bin").stat().st_size}
    if len(sys.argv) > 2:
        name = sys.argv[2]
        print(sizes[name] if name in sizes else run(folder, name)[name])
        return
    for name, value in run(folder, "all").items():
        print("%-24s %10d instructions" % (name, value))
    for name, value in sizes.items():
        print("%-24s %10d bytes" % (name, value))


if __name__ == "__main__":
    main()
