"""Runs in the guest of test_vsock.py: an echo server, servers that send without end, one that resets the device, and a
client of the host."""
import hashlib
import socket
import sys
import threading
from pathlib import Path

HOST = 2
BIG = bytes(range(256)) * 12000


def serve(port, handle):
    server = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    server.bind((socket.VMADDR_CID_ANY, port))
    server.listen(256)

    def loop():
        while True:
            threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def echo(client):
    while data := client.recv(65536):
        client.sendall(data)
    client.close()


def flood(client):
    try:
        while True:
            client.sendall(BIG)
    except OSError:
        print("flood ended after %d bytes" % len(client.recv(20000, socket.MSG_WAITALL)), flush=True)


def flood_until_reset(client):
    try:
        while True:
            client.sendall(BIG)
    except OSError:
        pass


def reset_driver(client):
    driver = Path("/sys/bus/virtio/drivers/vmw_vsock_virtio_transport")
    device = next(driver.glob("virtio*")).name
    for _ in range(3):
        (driver / "unbind").write_text(device)
        (driver / "bind").write_text(device)
    ask_host()
    print("reset", flush=True)


def ask_host():
    """Sends data, which arrive complete and with their end, and reads the answer."""
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as s:
        s.connect((HOST, 1234))
        s.sendall(BIG)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100, socket.MSG_WAITALL).decode() == hashlib.sha256(BIG).hexdigest()
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as s:
        assert s.connect_ex((HOST, 4321)) != 0


finished = threading.Event()
serve(52, echo)
serve(53, flood)
serve(54, lambda client: finished.set())
serve(55, reset_driver)
serve(56, flood_until_reset)
ask_host()
print("ready", flush=True)
finished.wait()
sys.exit(5)
