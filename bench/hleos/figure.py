#!/usr/bin/python3
"""One figure of HLeOs on the VMM, in cycles of the guest's TSC: bench/hleos/figure.py NAME

The names are those of HLeOs/HLeOs/src/selftest/bench.c.
"""
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
GOOD = 33  # the status of a guest that succeeded

if len(sys.argv) != 2:
    sys.exit("usage: figure.py NAME")
command = [TOP / "kvm-vmm-x86/kvm-vmm", "--append", "bench=" + sys.argv[1], TOP / "build/hleos/hleos.elf"]
done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=120,
                      check=False)
value = re.search(r"^bench %s (\d+)" % re.escape(sys.argv[1]), done.stdout, re.M)
if done.returncode != GOOD or not value:
    sys.exit("figure.py: status %d\n%s%s" % (done.returncode, done.stdout, done.stderr))
print(value.group(1))
