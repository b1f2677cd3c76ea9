"""Runs a VMM with servers in a separate network namespace, and is the client of a forwarded port. Started where KVM is
complete, by test_net.py.

    net_host.py SIZE TAP FORWARD COMMAND...

A web server on port 8099 has SIZE bytes, a name server listens on port 53, and port 8100 receives SIZE bytes and
computes their checksum. TAP: "" for servers on loopback, or the name of an interface to make, with the address
10.9.0.1. FORWARD: 0, or a port from which to fetch once the guest prints "ready"; a connection to the next port reports
the end.
"""
import ctypes
import fcntl
import hashlib
import http.server
import os
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
import urllib.request

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, TUNSETIFF, TUNSETPERSIST = 0x8914, 0x8916, 0x891c, 0x400454ca, 0x400454cb
IFF_UP, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 1, 2, 0x1000, 0x4000


def isolate():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        sys.exit("no network namespace: " + os.strerror(ctypes.get_errno()))


def interface(name, address=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        if address:
            for request, text in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.0")):
                packed = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(text))
                fcntl.ioctl(s, request, packed)
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), IFF_UP))


def make_tap(name):
    with open("/dev/net/tun", "r+b", buffering=0) as tun:
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        fcntl.ioctl(tun, TUNSETPERSIST, 1)
    interface(name, "10.9.0.1")


def serve_files(data, address, halfway=None):
    """/halves sends its second half after halfway() has returned."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            half = len(data) // 2 if self.path == "/halves" else 0
            self.wfile.write(data[:half])
            if half:
                halfway()
            self.wfile.write(data[half:])

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer((address, 8099), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_names():
    """Each name has the address 192.0.2.7."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))

    def loop():
        while True:
            asked, client = s.recvfrom(2000)
            end = asked.index(0, 12) + 5
            is_address = asked[end - 4:end - 2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("192.0.2.7") if is_address else b""
            s.sendto(asked[:2] + b"\x81\x80\0\1\0" + bytes([is_address]) + b"\0\0\0\0" + asked[12:end] + answer, client)
    threading.Thread(target=loop, daemon=True).start()


def sum_up(size, address, early=lambda: None):
    """Receives SIZE bytes on port 8100, prints their checksum, and answers the sender. Calls early() after a few
    bytes."""
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            first = self.rfile.read(size // 8)
            early()
            print("sent", hashlib.sha256(first + self.rfile.read(size - len(first))).hexdigest(), flush=True)
            self.request.sendall(b"thanks\n")

    server = socketserver.ThreadingTCPServer((address, 8100), Handler)
    server.daemon_threads = True  # if the guest ends early, a thread still reads
    threading.Thread(target=server.serve_forever, daemon=True).start()


def fetch(vmm, port):
    """Retries until the port listens."""
    page = None
    while vmm.poll() is None:
        try:
            if page is None:
                with urllib.request.urlopen("http://127.0.0.1:%d/page" % port) as answer:
                    page = answer.read()
                print("fetched", hashlib.sha256(page).hexdigest(), flush=True)
            with socket.create_connection(("127.0.0.1", port + 1)) as s:
                s.shutdown(socket.SHUT_WR)
                s.recv(1)
        except OSError:
            time.sleep(0.2)


def main():
    size, tap, forward, command = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    isolate()
    interface("lo")
    if tap:
        make_tap(tap)
    address = "10.9.0.1" if tap else "127.0.0.1"
    data = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(size // 64))
    print("data", hashlib.sha256(data).hexdigest(), flush=True)
    serve_files(data, address)
    serve_names()
    sum_up(len(data), address)
    vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    for line in vmm.stdout:
        os.write(1, line)
        if line.strip() == b"ready" and forward:
            threading.Thread(target=fetch, args=(vmm, forward), daemon=True).start()
    sys.exit(vmm.wait())


if __name__ == "__main__":
    main()
