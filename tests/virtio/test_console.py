"""virtio-console under Debian's kernel: bytes and ends of named ports in both directions, hvc0 at a terminal that
changes its size, a driver that is removed and loaded again."""
import hashlib
import re
import time

import pytest

from tests.support import LIMIT, finish, lab_run
from tests.virtio.conftest import KERNELS

# Runs in the lab: the VMM, and the clients of two ports' sockets. One client sends the numbers, and reads to the end.
# On the other port three clients follow each other, each after the guest has printed how much the last one sent.
CLIENTS = """
import hashlib, os, socket, subprocess, sys, threading, time
talk, ends, count, command = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
def connect(path):
    while not os.path.exists(path) and vmm.poll() is None:
        time.sleep(0.05)
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client
def until(word):
    for line in vmm.stdout:
        os.write(1, line)
        if line.strip() == word:
            return
client = connect(talk)
def send():
    client.sendall(b"".join(b"%d\\n" % i for i in range(count)))
threading.Thread(target=send, daemon=True).start()
total, size = hashlib.sha256(), 0
while data := client.recv(65536):
    total.update(data)
    size += len(data)
client.close()
print("client:", size, total.hexdigest(), flush=True)
for n in (5, 100000, 70):
    with connect(ends) as client:
        client.sendall(b'x' * n)
    until(str(n).encode())
until(b"")
sys.exit(vmm.wait())
"""
COUNT = 30000


@pytest.fixture(scope="session")
def console_drivers(modules):
    return modules("virtio_mmio", "virtio_console")


@pytest.mark.parametrize("name", KERNELS)
def test_ports(linux, modules, scratch, name):
    """A file gets all that the guest writes, to the last byte before it powers off. A socket's client sends and reads;
    it reads an end when the guest closes the port. With several clients, the guest reads the end of each after its
    bytes. The driver is removed and loaded again in between."""
    script = ("set -e; port() { grep -lx $1 /sys/class/virtio-ports/*/name | sed 's:.*/\\(.*\\)/name:/dev/\\1:'; }; "
              "await() { until [ -c /$(port $1) ]; do usleep 100000; done; }; "
              "await out; await talk; await ends; cat /sys/class/virtio-ports/*/name; "
              "exec 3<>$(port talk); head -n %d <&3 | sha256sum; seq 1 %d >&3; exec 3>&-; "
              "for i in 1 2; do cat $(port ends) | wc -c; done; cd /sys/bus/virtio/drivers/virtio_console; "
              "echo virtio0 > unbind; echo virtio0 > bind; await ends; await out; "
              "cat $(port ends) | wc -c; seq 1 %d > $(port out)" % (COUNT, COUNT, COUNT))
    talk, ends = "/run/mini-kvm-port", "/run/mini-kvm-ends"
    command = linux.command(name, *modules("virtio_mmio", "virtio_console", name=name), "--port",
                            "out=file:%s" % (scratch / "out"), "--port", "talk=unix:" + talk, "--port",
                            "ends=unix:" + ends, run=script)
    result = lab_run("/usr/bin/python3", "-c", CLIENTS, talk, ends, COUNT, *command)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and "out\ntalk\nends\n" in text, result
    sent = b"".join(b"%d\n" % i for i in range(COUNT))
    written = b"".join(b"%d\n" % i for i in range(1, COUNT + 1))
    assert hashlib.sha256(sent).hexdigest() in text, result
    assert "client: %d %s" % (len(written), hashlib.sha256(written).hexdigest()) in text, result
    assert re.findall(r"^(\d+)$", text, re.M) == ["5", "100000", "70"], result
    assert (scratch / "out").read_bytes() == written


def test_terminal(linux, console_drivers):
    """A shell on hvc0: typed input arrives, and the size is the terminal's, also after a change."""
    session = linux.terminal("cloud", *console_drivers, "--console", "stdio", append="quiet console=hvc0")
    session.expect_exact("guest# ")
    session.send("stty size; echo $((6*7)) $(tty)\r")
    session.expect(r"24 80\r+\n42 /dev/hvc0")
    session.expect_exact("guest# ")
    session.setwinsize(31, 99)
    end = time.monotonic() + LIMIT
    session.send("stty size\r")
    while session.expect([r"31 99\r", r"24 80\r"]) == 1:
        assert time.monotonic() < end, "no new size"
        session.send("stty size\r")
    session.send("exit\r")
    assert finish(session) == 0


def test_refused(vmm):
    for options, why in ((("--port", "x=file:/nowhere/x"), "No such file"), (("--port", "x"), "NAME=pty")):
        result = lab_run(vmm.program, "-l", *options, vmm.guest("hello"))
        assert result.status in (2, 125) and why in result.err, result


def test_a_signal_is_the_main_threads(vmm, scratch):
    """The threads of devices start before the main thread sets up its signals, and must get none of them."""
    (scratch / "loop").write_bytes(b"\xeb\xfe")
    script = ("import os, signal, subprocess, sys, time\n"
              "vmm = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)\n"
              "tasks = '/proc/%d/task/' % vmm.pid\n"
              "def read(task, what):\n"
              "    try:\n"
              "        return open(tasks + task + '/' + what).read()\n"
              "    except OSError:\n"
              "        return ''  # it has ended\n"
              "def blocks(task):\n"
              "    status = read(task, 'status')\n"
              "    return status and bool(int(status.split('SigBlk:')[1].split()[0], 16) >> (signal.SIGTERM - 1) & 1)\n"
              "while not any('console' in read(task, 'comm') for task in os.listdir(tasks)):\n"
              "    time.sleep(0.05)\n"
              "for task in os.listdir(tasks):\n"
              "    if task != str(vmm.pid):\n"
              "        print(read(task, 'comm').strip(), blocks(task), flush=True)\n"
              "while not blocks(str(vmm.pid)):\n"
              "    time.sleep(0.05)\n"
              "vmm.terminate()\n"
              "sys.exit(vmm.wait())\n")
    result = lab_run("/usr/bin/python3", "-c", script, vmm.program, "-l", "--timeout=200", "--port", "x=pty",
                     scratch / "loop")
    assert result.status == 128 + 15 and "ended by SIGTERM" in result.err, result
    assert b"False" not in result.out and b"console0 True" in result.out, result
