#!/usr/bin/python3
"""Milliseconds from the start of a program to its end; it boots a kernel, which runs `true`.

    bench/linux/run.py SIDE                   in the lab (lab/lab run), where KVM is complete
    SIDE    run: kvm-vmm run -- true, whose root is the host's
            boot: the same kernel in kvm-vmm with a ramdisk, to init's first line
            microvm, q35: QEMU with that ramdisk, to power-off
            vng: Debian 13's virtme-ng with q35 (VNG names the folder it was unpacked into; see `make virtme`)

All have one vCPU and 512 MB. virtme-ng gets the generic kernel: its root is on 9p, which the cloud kernel does not
have.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from boot import APPEND, INITRD, LIMIT, MEMORY, QEMU, TOP, keep_kernel, until_mark

VMM = TOP / "kvm-vmm-x86/kvm-vmm"
VNG = Path(os.environ.get("VNG", TOP / "build/bench/virtme"))
KEPT = Path(tempfile.gettempdir()) / "mini-kvm-bench-run"  # unpacked kernels, as in a user's cache


def tree(name):
    done = subprocess.run([TOP / "tools/kernels", "--tree", name], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def virtme():
    """virtme-ng's command, with this machine's QEMU instead of Debian 13's."""
    environment = {**os.environ, "PYTHONPATH": str(VNG / "usr/lib/python3/dist-packages"),
                   "PATH": "%s:%s" % (VNG / "usr/bin", os.environ["PATH"])}
    line = [sys.executable, VNG / "usr/bin/vng", "--run", tree("generic"), "--disable-microvm", "--cpus", "1",
            "--memory", MEMORY, "--", "true"]
    return line, environment


def measure(side):
    environment = {**os.environ, "XDG_CACHE_HOME": str(KEPT)}
    KEPT.mkdir(exist_ok=True)
    if side == "boot":
        line = [VMM, "-m", MEMORY, "--append", APPEND, "--initrd", INITRD, tree("cloud")]
        if not list(KEPT.glob("mini-kvm/kernel-*")):
            keep_kernel(line, KEPT)
        return until_mark(line, KEPT)[0]
    if side == "run":
        line = [VMM, "run", "-m", MEMORY, "--kernel", tree("cloud"), "--", "true"]
    elif side == "vng":
        line, environment = virtme()
    else:
        line = [*QEMU, "-M", side, "-kernel", tree("cloud"), "-initrd", INITRD]
        line[line.index("-append") + 1] = APPEND + " run=true"
    begun = time.monotonic()
    done = subprocess.run(line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=LIMIT)
    took = 1e3 * (time.monotonic() - begun)
    if done.returncode or side in ("microvm", "q35") and b"status 0" not in done.stdout:
        sys.exit("run.py: %s: status %d: %r %r" % (side, done.returncode, done.stdout[-500:], done.stderr[-500:]))
    return took


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("run", "boot", "microvm", "q35", "vng"):
        sys.exit(__doc__)
    print("%.1f" % measure(sys.argv[1]))


if __name__ == "__main__":
    main()
