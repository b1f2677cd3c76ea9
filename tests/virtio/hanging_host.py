"""Runs where the VMM runs, for test_hanging_host.py: a folder and a disk of the host do not answer, and a client of its
control socket does not read. `hanging_host.py HOW COMMAND...`: HOW ends the VMM, a signal's name or --timeout."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = 400
how, command = sys.argv[1], sys.argv[2:]
folder = tempfile.TemporaryDirectory(dir="/var/tmp")  # the lab's shared folders have no sockets
os.environ["XDG_RUNTIME_DIR"] = folder.name
output = tempfile.TemporaryFile()
vmm = subprocess.Popen([command[0], "--control", "one", *command[1:]], stdin=subprocess.DEVNULL,
                       stdout=output, stderr=subprocess.PIPE,
                       env={**os.environ, "LD_PRELOAD": os.environ["HANG"]})
said = b""
while said.count(b"hangs\n") < 2:
    piece = os.read(vmm.stderr.fileno(), 4096)
    if not piece:
        output.seek(0)
        sys.exit("%s\n%s" % (said, output.read()))
    said += piece
deaf = socket.socket(socket.AF_UNIX)
deaf.connect(folder.name + "/mini-kvm/one")
deaf.setblocking(False)
try:
    while True:
        deaf.send(b'{"version":1,"verb":"status"}\n')
except BlockingIOError:
    pass
begin, expected = time.monotonic(), 124
if how != "timeout":
    expected = 128 + getattr(signal, how)
    vmm.send_signal(getattr(signal, how))
assert vmm.wait(LIMIT) == expected, (vmm.returncode, vmm.stderr.read())
print("%s: %.2f s" % (how, time.monotonic() - begin))
