#!/usr/bin/python3
"""Measures a figure of the 1K OS on the VMM: bench/os1k/figure.py NAME

call, switch and spawn are guest cycles, counted by the guest's own program `speed`. With -exits after the name, the
figure is the exits that 16,000 calls, 32,000 switches or 320 spawned programs add to a run with a command that does
nothing. boot-exits are the exits of a run that boots, prompts, and ends.
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


def cycles(service):
    return int(re.search(r": (\d+) cycles", run("speed %s\nexit\n" % service)[0]).group(1))


def exits(service):
    """Both lines have the same length and print one line, so the difference is the cost of the service."""
    return run("speed %s\nexit\n" % service)[1] - run("echo  %s\nexit\n" % service)[1]


FIGURES = {
    "call": lambda: cycles("call"),
    "switch": lambda: cycles("switch"),
    "spawn": lambda: cycles("spawn"),
    "call-exits": lambda: exits("call"),
    "switch-exits": lambda: exits("switch"),
    "spawn-exits": lambda: exits("spawn"),
    "boot-exits": lambda: run("0\n")[1],
}

if len(sys.argv) != 2 or sys.argv[1] not in FIGURES:
    sys.exit("usage: figure.py " + " | ".join(FIGURES))
print(FIGURES[sys.argv[1]]())
