#!/usr/bin/python3
"""Measures the milliseconds of CPU time that the lab's machine needs for one boot to init's first line.

    bench/linux/effort.py METRIC SIDE     METRIC warm or cold; both as in boot.py

The speed of an emulated machine depends on its host: on a busy one the same boot takes 3 s or 10 s. The CPU time of the
emulator for the boot varies far less. That of the same command without the boot is subtracted.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LAB = TOP / "lab/lab"
BOOT = TOP / "bench/linux/boot.py"


def machine():
    """The process of the lab's machine."""
    said = subprocess.run([LAB, "status"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"process (\d+)", said)
    if not found:
        sys.exit("effort.py: the lab has no machine of its own here: %s" % said.strip())
    return int(found.group(1))


def spent(pid):
    """The process's CPU time in milliseconds: proc(5), /proc/pid/stat, utime and stime."""
    fields = Path("/proc/%d/stat" % pid).read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def effort(metric, side):
    pid = machine()
    before = spent(pid)
    subprocess.run([LAB, "run", BOOT, metric, side], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return spent(pid) - before


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    metric, side = sys.argv[1:]
    subprocess.run([LAB, "run", "true"], check=True, stdin=subprocess.DEVNULL)  # starts the machine if need be
    print("%.0f" % (effort(metric, side) - effort(metric, "none")))


if __name__ == "__main__":
    main()
