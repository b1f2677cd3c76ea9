"""virtio-console under Debian's kernel: bytes of named ports both ways with their ends, hvc0 at a terminal that changes
its size, a driver that goes and comes again."""
import hashlib
import re

import pexpect
import pytest

from tests.support import finish, lab_run

# In the lab: the VMM, and beside it a client of a port's socket, which sends the numbers, and reads to the end.
CLIENT = """
import hashlib, os, socket, subprocess, sys, threading, time
path, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL)
while not os.path.exists(path) and vmm.poll() is None:
    time.sleep(0.05)
client = socket.socket(socket.AF_UNIX)
client.connect(path)
def send():
    client.sendall(b"".join(b"%d\\n" % i for i in range(count)))
threading.Thread(target=send, daemon=True).start()
total, size = hashlib.sha256(), 0
while data := client.recv(65536):
    total.update(data)
    size += len(data)
client.close()
status = vmm.wait()
print("client:", size, total.hexdigest())
sys.exit(status)
"""
COUNT = 30000


@pytest.fixture(scope="session")
def console_drivers(modules):
    return modules("virtio_mmio", "virtio_console")


def test_ports(linux, console_drivers, scratch):
    """A file takes what the guest writes, to the last byte before it powers off. A socket's client sends and reads; it
    reads an end when the guest closes the port, and the guest reads one when the client has gone."""
    script = ("set -e; cd /sys/class/virtio-ports; echo $(cat vport0p0/name) $(cat vport0p1/name); "
              "exec 3<>/dev/vport0p1; head -n %d <&3 | sha256sum; seq 1 %d >&3; exec 3>&-; "
              "seq 1 %d > /dev/vport0p0" % (COUNT, COUNT, COUNT))
    path = "/run/mini-kvm-port"
    command = linux.command("cloud", *console_drivers, "--port", "out=file:%s" % (scratch / "out"), "--port",
                            "talk=unix:" + path, run=script)
    result = lab_run("/usr/bin/python3", "-c", CLIENT, path, COUNT, *command)
    text = result.out.decode("utf-8", "replace")
    assert result.status == 0 and "out talk" in text, result
    sent = b"".join(b"%d\n" % i for i in range(COUNT))
    written = b"".join(b"%d\n" % i for i in range(1, COUNT + 1))
    assert hashlib.sha256(sent).hexdigest() in text, result
    assert "client: %d %s" % (len(written), hashlib.sha256(written).hexdigest()) in text, result
    assert (scratch / "out").read_bytes() == written


def test_an_end_for_the_guest(linux, console_drivers):
    """Clients that come and go, one behind the other: the guest reads the end of each after its bytes. The driver goes
    and comes again in between."""
    script = ("for i in 1 2; do cat /dev/vport0p0 | wc -c; done; cd /sys/bus/virtio/drivers/virtio_console; "
              "echo virtio0 > unbind; echo virtio0 > bind; sleep 1; cat /dev/vport0p* | wc -c")
    clients = ("import os, socket, subprocess, sys, time\n"
               "vmm = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
               "for n in (5, 100000, 70):\n"
               "    while not os.path.exists(sys.argv[1]):\n"
               "        time.sleep(0.05)\n"
               "    with socket.socket(socket.AF_UNIX) as client:\n"
               "        client.connect(sys.argv[1])\n"
               "        client.sendall(b'x' * n)\n"
               "    for line in vmm.stdout:\n"
               "        os.write(1, line)\n"
               "        if line.strip() == str(n).encode():\n"
               "            break\n"
               "sys.exit(vmm.wait())\n")
    path = "/run/mini-kvm-ends"
    command = linux.command("cloud", *console_drivers, "--port", "talk=unix:" + path, run=script)
    result = lab_run("/usr/bin/python3", "-c", clients, path, *command)
    assert result.status == 0, result
    assert re.findall(r"^(\d+)\r?$", result.out.decode("utf-8", "replace"), re.M) == ["5", "100000", "70"], result


def test_terminal(linux, console_drivers):
    """A shell on hvc0: what is typed arrives, and the size is the terminal's, also a new one."""
    session = linux.terminal("cloud", *console_drivers, "--console", "stdio", append="quiet console=hvc0")
    session.expect_exact("guest# ")
    session.send("stty size; echo $((6*7)) $(tty)\r")
    session.expect(r"24 80\r+\n42 /dev/hvc0")
    session.expect_exact("guest# ")
    session.setwinsize(31, 99)
    for _ in range(100):
        session.send("stty size\r")
        if session.expect([r"31 99", r"24 80", pexpect.TIMEOUT]) == 0:
            break
    else:
        raise AssertionError("no new size")
    session.send("exit\r")
    assert finish(session) == 0


def test_refused(vmm):
    for options, why in ((("--port", "x=file:/nowhere/x"), "No such file"), (("--port", "x"), "NAME=pty")):
        result = lab_run(vmm.program, "-l", *options, vmm.guest("hello"))
        assert result.status in (2, 125) and why in result.err, result


def test_a_signal_is_the_main_threads(vmm, scratch):
    """The threads of devices are older than the main thread's signals, and take none of them."""
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
