"""Runs where the VMM runs, for test_nbd.py: a server of a qcow2 image, which is killed while the guest runs, and one
that stops answering. The guest's output is on standard output."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 400
MB = 1 << 20


def serve(image, name, *options):
    path = os.path.join(os.path.dirname(image), name)
    server = subprocess.Popen(["qemu-nbd", "-k", path, "-f", "qcow2", *options, image])
    deadline = time.monotonic() + LIMIT
    while not os.path.exists(path):
        assert server.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return server, path


command = json.loads(sys.argv[1])
with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
    raw, image, back = (os.path.join(folder, name) for name in ("raw", "image", "back"))
    data = b"".join(hashlib.sha512(b"nbd %d" % i).digest() for i in range(4 * MB // 64))
    with open(raw, "wb") as file:
        file.write(data)
    subprocess.run(["qemu-img", "convert", "-q", "-O", "qcow2", raw, image], check=True)
    first, one = serve(image, "one", "-x", "vol", "--discard=unmap")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image + "2", "16M"], check=True)
    second, two = serve(image + "2", "two")
    words = [word.replace("@ONE@", "nbd:unix:%s:exportname=vol" % one).replace("@TWO@", "nbd:unix:" + two)
             for word in command]
    vmm = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    seen = b""
    for line in vmm.stdout:
        seen += line
        if line.startswith(b"written"):
            first.kill()
            first.wait()
            second.send_signal(signal.SIGSTOP)
    second.kill()
    second.wait()
    assert vmm.wait() == 0, seen
    subprocess.run(["qemu-img", "convert", "-q", "-O", "raw", image, back], check=True)
    with open(back, "rb") as file:
        after = file.read()
expected = bytearray(data)
expected[MB:2 * MB] = data[:MB]
expected[3 * MB:3 * MB + 65536] = bytes(65536)
assert hashlib.sha256(data).hexdigest().encode() in seen, seen
assert after == expected and b"failed 1 1\r\n" in seen.replace(b"\r\r", b"\r"), seen
print("all well")
