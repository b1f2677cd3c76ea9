#!/usr/bin/python3
"""HLeOs's own figures, in instructions: QEMU's -icount makes the TSC count them, the same on every machine.

    tools/bench.py FOLDER        FOLDER holds mkimage, boot.bin, stage2.bin and hleos-stripped.elf (make all)
"""
import os
import subprocess
import sys


def main():
    folder = sys.argv[1]
    image, serial = os.path.join(folder, "bench.img"), os.path.join(folder, "bench.txt")
    part = lambda name: os.path.join(folder, name)
    subprocess.run([part("mkimage"), "--boot", part("boot.bin"), "--stage2", part("stage2.bin"), "--kernel",
                    part("hleos-stripped.elf"), "--cmdline", "bench=all", "--out", image], check=True,
                   stdout=subprocess.DEVNULL)
    status = subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-icount", "shift=0,sleep=off", "-m", "128M",
         "-drive", "file=%s,format=raw,if=ide" % image, "-display", "none", "-serial", "file:" + serial,
         "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], timeout=120, stdin=subprocess.DEVNULL).returncode
    if status != 33:
        sys.exit("bench: the machine ended with status %d; see %s" % (status, serial))
    with open(serial, errors="replace") as lines:
        for words in (line.split() for line in lines if line.startswith("bench ")):
            print("%-32s %10s instructions" % (words[1], words[2]))
    print("%-32s %10d bytes" % ("kernel file", os.path.getsize(part("hleos-stripped.elf"))))
    print("%-32s %10d bytes" % ("loader", 512 + os.path.getsize(part("stage2.bin"))))


if __name__ == "__main__":
    main()
