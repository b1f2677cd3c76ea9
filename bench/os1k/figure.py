#!/usr/bin/python3
"""One number about the 1K OS on the VMM: bench/os1k/figure.py call|switch|spawn|boot-exits|spawn-exits

call, switch and spawn are guest cycles, as the guest's own program `speed` counts them; boot-exits are the exits of
a run that boots, prompts, and leaves; spawn-exits those that a thousand spawned programs add.
"""
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "kvm-vmm-x86"


def run(text):
    """Output and number of exits of a run with that input."""
    done = subprocess.run([FOLDER / "kvm-vmm", "--stats", "-p", FOLDER / "os-1k/kernel.bin"], input=text, check=True,
                          capture_output=True, text=True, timeout=120)
    return done.stdout, int(re.search(r"(\d+) exits", done.stderr).group(1))


def cycles(line):
    return int(re.search(line + r": (\d+) cycles", run("speed\nexit\n")[0]).group(1))


FIGURES = {
    "call": lambda: cycles("system call round trip"),
    "switch": lambda: cycles("context switch"),
    "spawn": lambda: cycles("spawn, run, exit, wait"),
    "boot-exits": lambda: run("0\n")[1],
    "spawn-exits": lambda: run("cycles 1001\nexit\n")[1] - run("cycles 0001\nexit\n")[1],
}

if len(sys.argv) != 2 or sys.argv[1] not in FIGURES:
    sys.exit("usage: figure.py " + "|".join(FIGURES))
print(FIGURES[sys.argv[1]]())
