"""--serial: the UART is connected to a terminal, a file or a socket. The clients run where the VMM runs, which has its
paths."""
import pytest

from tests.support import lab_run

# The beginning of the scripts below: a VMM that `start` makes, and a client of its socket.
START = """
import array, fcntl, os, re, signal, socket, subprocess, sys, termios, time
path = '/var/tmp/serial-%d' % os.getpid()

def start(*options):
    return subprocess.Popen(sys.argv[1:] + list(options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, bufsize=0)

def connect(name=path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(name)  # with a time limit it would fail before a full queue, and not wait
    s.settimeout(900)
    return s

def read(s, count):
    got = b''
    while len(got) < count:
        part = s.recv(count - len(got))
        if not part:
            break
        got += part
    return got

def ended(vmm):
    out, err = vmm.communicate(timeout=900)
    return vmm.returncode, out, err
"""

# It echoes raw bytes, waits for a terminal that connects late, and for the next one after the first has closed.
PTY = START + r"""
vmm = start('--serial', 'pty')
name = re.search(rb'serial port at (/dev/pts/\d+)', vmm.stderr.readline()).group(1)
text = bytes(set(range(256)) - {4, ord('q')})
for _ in range(2):
    tty = os.open(name, os.O_RDWR | os.O_NOCTTY)
    os.write(tty, text)
    got = b''
    while len(got) < len(text):
        got += os.read(tty, 4096)
    assert got == text, got
    os.close(tty)
    time.sleep(0.5)
tty = os.open(name, os.O_RDWR | os.O_NOCTTY)
os.write(tty, b'q')
status, out, err = ended(vmm)
assert (status, out, err) == (0, b'', b''), (status, out, err)
"""

# Two clients, one after the other; another one at the same time is refused; one that stops sending still gets the
# answer.
SOCKET = START + r"""
vmm = start('--serial', 'unix:' + path)
assert path.encode() in vmm.stderr.readline()
first = connect()
first.sendall(b'one')
assert read(first, 3) == b'one'
other = connect()
assert other.recv(1) == b''
first.close()
second = connect()
data = (bytes(set(range(256)) - {4, ord('q')}) * 100)
second.sendall(data[:10000])
assert read(second, 10000) == data[:10000]
second.sendall(b'two')
second.shutdown(socket.SHUT_WR)
assert read(second, 3) == b'two'
second.close()
third = connect()
third.sendall(b'q')
status, out, err = ended(vmm)
assert (status, out, err) == (0, b'', b''), (status, out, err)
assert third.recv(1) == b'' and not os.path.exists(path)
"""

# A guest without a client does not wait: it ends at its limit of exits. A client that does not read delays nothing.
UNREAD = START + r"""
vmm = start('--serial', 'unix:' + path, '--max-exits', '70000')
vmm.stderr.readline()
status, out, err = ended(vmm)
assert status == 124 and b'--max-exits' in err, (status, err)
vmm = start('--serial', 'unix:' + path)
vmm.stderr.readline()
client = connect()
waiting, before = array.array('i', [0]), -1
while waiting[0] != before or before == 0:  # until its socket is full
    before = waiting[0]
    time.sleep(0.3)
    fcntl.ioctl(client, termios.FIONREAD, waiting)
vmm.send_signal(signal.SIGTERM)
status, out, err = ended(vmm)
assert status == 128 + 15 and b'serial port were not read in time' in err, (status, err)
assert client.recv(4) == b'x\nx\n'
"""

# A client may connect late, and reads the earlier output without a gap. (test/console/test_ports.c tests how much is
# kept.)
LATE = START + r"""
vmm = start('--serial', 'unix:' + path)
vmm.stderr.readline()
time.sleep(1)
client = connect()
got = read(client, 10000)
assert got.lstrip(b'\n') == (b'x\n' * 5001)[:len(got.lstrip(b'\n'))], got[:10]
vmm.kill()
os.unlink(path)
"""

# No output is lost with any kind of reader: the end of a run waits for a terminal's reader.
DRAINED = START + r"""
vmm = start('--serial', 'pty')
name = re.search(rb'serial port at (/dev/pts/\d+)', vmm.stderr.readline()).group(1)
tty = os.open(name, os.O_RDWR | os.O_NOCTTY)
text = b'0123456789' * 2000
assert os.write(tty, text + b'q') == len(text) + 1
time.sleep(1)
got = b''
try:
    while True:
        part = os.read(tty, 512)
        got += part
        time.sleep(0.001)
        if not part:
            break
except OSError:
    pass
status, out, err = ended(vmm)
assert (status, err) == (0, b''), (status, err)
assert got == text, len(got)
"""


@pytest.mark.parametrize("script, guest", [(PTY, "@uart_until_q"), (SOCKET, "@uart_until_q"), (UNREAD, "@flood"),
                                           (LATE, "@flood"), (DRAINED, "@uart_until_q")],
                         ids=["pty", "socket", "unread", "late", "drained"])
def test_clients(vmm, script, guest):
    result = lab_run("python3", "-c", script, *vmm.command(guest), limit=960)
    assert result.status == 0, result


def test_file(vmm):
    """The file is truncated first; each guest has its own. Output by hypercalls goes to standard output."""
    line = ("f=/var/tmp/serial-$$; printf 'this was there before, and is longer' > $f; %s --serial file:$f; "
            "cat $f $f.1; echo end; %s --serial=file:$f; rm -f $f $f.1" % (
                " ".join(map(str, vmm.command("@outsb", "@outsb"))), " ".join(map(str, vmm.command("@hctest")))))
    result = lab_run("bash", "-c", line)
    assert result.status == 0 and result.out.startswith(b"abcdefghijklmnopqrstuvwxyz\n" * 2 + b"end\n"), result
    assert b"end of input" in result.out, result


@pytest.mark.parametrize("place, reason", [
    ("file:/nonexistent/x", "cannot write /nonexistent/x: No such file"),
    ("unix:/nonexistent/x", "--serial: cannot listen on /nonexistent/x: No such file"),
    ("file:/dev/full", "its output cannot be written: No space left")])
def test_places_that_cannot_be(vmm, place, reason):
    result = vmm.run("--serial", place, "@outsb")
    assert result.status == 125 and reason in result.err, result
