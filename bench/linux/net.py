#!/usr/bin/python3
"""One figure of a network of Debian's cloud kernel: microseconds for a megabyte or a round trip, or KVM's exits.

    bench/linux/net.py METRIC WORK SIDE       in the lab (lab/lab run), as root
    METRIC  time, exits (of every kind, also those that KVM handles by itself, and those of timers)
    WORK    user-send, user-receive, user-trip: libslirp; tap-send, tap-receive, tap-trip: an interface of the kernel
    SIDE    kvm-vmm, kvm-vmm-pci, microvm, q35: QEMU with a virtio network; tap with vhost if there is /dev/vhost-net

One TCP connection to a server on the host (net.c), in a separate network namespace: no packet leaves the machine.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from between import between, machine
from boot import INITRD, TOP, kernel_of

sys.path.insert(0, str(TOP / "tests/virtio"))
from net_host import interface, isolate, make_tap  # noqa: E402  (needs the path above)

NET = TOP / "build/bench/linux/net"
RAMDISKS = (INITRD, TOP / "build/bench/linux/modules.cpio", TOP / "build/bench/linux/tools.cpio")  # `make ramdisks`
COUNT = {"send": 32, "receive": 32, "trip": 1000}
PORT = 8100
GUEST, SERVER = {"user": "10.0.2.15", "tap": "10.9.0.2"}, {"user": "10.0.2.2", "tap": "10.9.0.1"}


def measure(metric, work, side):
    kind, what = work.split("-")
    isolate()
    interface("lo")
    if kind == "tap":
        make_tap("vmm0")
    vhost = ",vhost=on" if Path("/dev/vhost-net").exists() else ""
    netdev = "user,id=n" if kind == "user" else "tap,id=n,ifname=vmm0,script=no,downscript=no" + vhost
    run = "ip link set eth0 up; ip addr add %s/24 dev eth0; net %s %d %s %d" % (
        GUEST[kind], SERVER[kind], PORT, what, COUNT[what])
    with tempfile.TemporaryDirectory() as memory:
        line = machine(side, Path(memory), kernel_of(side), RAMDISKS, 'run="%s"' % run,
                       ["--net", "user" if kind == "user" else "tap=vmm0"],
                       ["-netdev", netdev, "-device",
                        "virtio-net-%s,netdev=n" % ("pci,romfile=" if side == "q35" else "device")])
        with subprocess.Popen([NET, "serve", "127.0.0.1" if kind == "user" else SERVER[kind], str(PORT)],
                              stdout=subprocess.PIPE) as server:
            try:
                if server.stdout.readline() != b"serving\n":
                    sys.exit("net.py: no server")
                return between(line, metric) / COUNT[what]
            finally:
                server.kill()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("time", "exits") or \
            sys.argv[2] not in ["%s-%s" % (kind, what) for kind in GUEST for what in COUNT] or \
            sys.argv[3] not in ("kvm-vmm", "kvm-vmm-pci", "microvm", "q35"):
        sys.exit(__doc__)
    print("%.3f" % measure(*sys.argv[1:]))


if __name__ == "__main__":
    main()
