#!/usr/bin/python3
"""Counts the instructions of the VMM itself for an exit, by callgrind with a recorded kvm_run (replay.c).

    bench/vmm/instructions.py putchar|uart|port|mmio [OPTION OF KVM-VMM]...

The program is the one that users run. It counts the vCPU's thread, from KVM_RUN's return to the next KVM_RUN: the
difference between a run of many exits and a run of few, without the instructions of the replay itself. It needs
valgrind and no KVM. The result is the same on every machine with the same compiler and libc.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VMM = TOP / "kvm-vmm-x86/kvm-vmm"
REPLAY = TOP / "build/bench/vmm/replay.so"
GUEST = TOP / "kvm-vmm-x86/guest/minimal.bin"
FEW, MANY = 2000, 22000


def count(exit_name, exits, options, folder):
    """The instructions of one run, for each thread. Counting stops at the entry of ioctl and starts again at its
    return. (--toggle-collect starts with counting off, unless a later option says otherwise.)"""
    command = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=%s/%d" % (folder, exits),
               "--separate-threads=yes", "--toggle-collect=ioctl", "--collect-atstart=yes",
               VMM, "--no-sandbox", "--kvm", "/dev/null", "--mmio=ignore", *options, GUEST]
    environment = {**os.environ, "LD_PRELOAD": str(REPLAY), "REPLAY": exit_name, "EXITS": str(exits)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=300)
    if done.returncode:
        sys.exit("%s: status %d\n%s" % (" ".join(map(str, command)), done.returncode, done.stderr))
    texts = {path.name.split("-")[1]: path.read_text(encoding="utf-8", errors="replace")
             for path in Path(folder).glob("%d-*" % exits)}
    return {thread: int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1]) for thread, text in texts.items()}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        few, many = (count(sys.argv[1], exits, sys.argv[2:], folder) for exits in (FEW, MANY))
    print("%.1f" % (max(many[thread] - few[thread] for thread in few) / (MANY - FEW)))  # the vCPU's thread: the most


if __name__ == "__main__":
    main()
