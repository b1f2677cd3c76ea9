"""Runs a VMM and passt(1) in a separate network namespace; stops, resumes and ends passt. Started where KVM is
complete, by test_net.py.

    passt_host.py PASST SOCKET SIZE COMMAND...

A web server on port 8099 has SIZE bytes; port 8100 takes eight times as many. Once an eighth has arrived passt is
stopped; then the second half of /halves is sent. Two lines of the guest's output are orders: "resume", and "leave"
(kill passt). At the end it prints how many bytes passt received for port 8100, from its capture, and whether all were
correct.
"""
import hashlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from net_host import interface, isolate, make_tap, serve_files, sum_up


def received(capture, wanted):
    """The number of bytes in the segments to port 8100 in a pcap file, and whether they equal `wanted`."""
    at, first, size, good = 24, None, 0, True
    while at + 16 <= len(capture):
        length = struct.unpack_from("<I", capture, at + 8)[0]
        frame, at = capture[at + 16:at + 16 + length], at + 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:  # IPv4, TCP
            continue
        packet = frame[14:14 + struct.unpack_from(">H", frame, 16)[0]]
        segment = packet[4 * (packet[0] & 15):]
        port, sequence = struct.unpack_from(">HI", segment, 2)
        if port == 8100 and segment[13] & 2:  # SYN
            first = sequence + 1
        elif port == 8100:
            data, offset = segment[4 * (segment[12] >> 4):], (sequence - first) % (1 << 32)
            good &= not data or wanted[offset:offset + len(data)] == data
            size = max(size, offset + len(data) if data else 0)
    return size, good


def main():
    passt, path, size, command = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    stopped = threading.Event()
    isolate()
    interface("lo")
    make_tap("host0")  # passt needs an interface whose settings it copies
    data = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(size // 64))
    print("data", hashlib.sha256(data).hexdigest(), flush=True)
    server = subprocess.Popen([passt, "--foreground", "--stderr", "--quiet", "--ipv4-only", "--socket", path, "--runas",
                               str(os.getuid()), "--interface", "host0", "--address", "10.9.0.5", "--netmask", "24",
                               "--gateway", "10.9.0.254", "--pcap", path + ".pcap"],
                              stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def stop():
        server.send_signal(signal.SIGSTOP)
        print("stopped", flush=True)
        stopped.set()

    serve_files(data, "127.0.0.1", stopped.wait)
    sum_up(8 * size, "127.0.0.1", stop)
    try:
        while not os.path.exists(path):
            if server.poll() is not None:
                sys.exit("passt ended with status %d" % server.returncode)
            time.sleep(0.02)
        vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for line in vmm.stdout:
            os.write(1, line)
            if line.strip() == b"resume":
                stopped.wait()
                server.send_signal(signal.SIGCONT)
            elif line.strip() == b"leave":
                server.kill()
        print("received %d, good: %s" % received(Path(path + ".pcap").read_bytes(), 8 * data))
        sys.exit(vmm.wait())
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
