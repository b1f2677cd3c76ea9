"""Runs where the VMM runs, for test_vsock.py: the host's ends of the guest's sockets, at @SOCKET@ of the command."""
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading

LIMIT = 400
folder = tempfile.TemporaryDirectory(dir="/var/tmp")  # the lab's shared folders have no sockets
path = folder.name + "/v"
command = [word.replace("@SOCKET@", path) for word in sys.argv[2:]]


def server():
    """Reads all that the guest sends and answers with its checksum."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + "_1234")
    listener.listen(1)
    while True:
        client = listener.accept()[0]
        sha = hashlib.sha256()
        while data := client.recv(1 << 16):
            sha.update(data)
        client.sendall(sha.hexdigest().encode())
        client.close()


def connect(port):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)  # with a time limit it would fail on a full queue instead of waiting
    client.settimeout(LIMIT)
    client.sendall(b"CONNECT %d\n" % port)
    return client


def line_of(client):
    line = b""
    while not line.endswith(b"\n"):
        byte = client.recv(1)
        if not byte:
            return line
        line += byte
    return line


def talk(number, failures):
    """Sends and reads at the same time, so that neither side waits for the other."""
    data = hashlib.sha512(b"%d" % number).digest() * 700
    client, got = connect(52), b""
    if not line_of(client).startswith(b"OK "):
        failures.append((number, "no OK"))
        return

    def write():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    writer = threading.Thread(target=write)
    writer.start()
    while piece := client.recv(1 << 16):
        got += piece
    writer.join()
    if got != data:
        failures.append((number, len(got)))


threading.Thread(target=server, daemon=True).start()
vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
assert vmm.stdout.readline() == b"ready\n", vmm.wait()
refused, deaf, silent = connect(99), connect(53), socket.socket(socket.AF_UNIX)
silent.connect(path)  # it never sends the port
assert line_of(refused) == b""
assert line_of(deaf).startswith(b"OK ")
deaf.sendall(b"last words" * 1000)
assert os.stat(path).st_mode & 0o777 == 0o600
problems = []
talkers = [threading.Thread(target=talk, args=(n, problems)) for n in range(int(sys.argv[1]))]
for talker in talkers:
    talker.start()
for talker in talkers:
    talker.join()
assert problems == [], problems
deaf.close()  # the guest's writer, which waits for it, gets an error
assert vmm.stdout.readline() == b"flood ended after 10000 bytes\n"
cut = [connect(56) for _ in range(3)]  # the device is reset while the guest sends to them
for client in cut:
    assert line_of(client).startswith(b"OK ")
connect(55)
assert vmm.stdout.readline() == b"reset\n"
for client in cut:
    while client.recv(1 << 16):
        pass
talk(1000, problems)
assert problems == [], problems
connect(54)
assert vmm.wait() == 5 and not os.path.exists(path)
print("all well")
