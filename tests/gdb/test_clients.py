"""Clients other than gdb: several at the same time, and one that sends many requests and reads few answers. They run
where the VMM runs."""
import re
import subprocess

from tests.support import TOP, lab_run

# The beginning of the scripts below: a VMM whose gdb sockets are `path` and `path`.1, and packets for them.
START = """
import os, re, socket, subprocess, sys, threading, time
path = '/var/tmp/clients-%d.sock' % os.getpid()
vmm = subprocess.Popen(sys.argv[1:] + ['--gdb', 'unix:' + path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
vmm.stderr.readline()

def connect(name):
    s = socket.socket(socket.AF_UNIX)
    s.connect(name)  # with a time limit it would fail before a full queue, and not wait
    s.settimeout(200)
    return s

def packet(text):
    return ('$%s#%02x' % (text, sum(text.encode()) & 255)).encode()

def until(s, end):
    got = b''
    while not re.search(end, got):
        part = s.recv(65536)
        assert part, got
        got += part
    return got

def ask(s, text, end=rb'#[0-9a-f]{2}$'):
    s.sendall(packet(text))
    return until(s, end)
"""

TWO = START + """
vmm.stderr.readline()
failures = []

def client(name, value):
    s = connect(name)
    assert b'OK' in ask(s, 'P0=' + value)  # eax
    for _ in range(200):
        got = ask(s, 'qRcmd,' + b'regs'.hex(), rb'\\$OK#9a$')
        text = b''.join(bytes.fromhex(m.decode()) for m in re.findall(rb'\\$O([0-9a-f]+)#', got))
        if re.findall(rb'eax +([0-9a-f]+)', text) != [value.encode()] or text.count(b'efer') != 1:
            failures.append(text)
        got = ask(s, 'qXfer:features:read:target.xml:0,1000')
        if b'i8086' not in got or got.count(b'<architecture>') != 1:
            failures.append(got)
    s.close()

threads = [threading.Thread(target=client, args=a) for a in ((path, '11' * 4), (path + '.1', '22' * 4))]
[t.start() for t in threads]
[t.join() for t in threads]
vmm.kill()
print(len(failures), failures[:1])
"""

SLOW = START + """
s = connect(path)
ask(s, '?')
s.setblocking(False)
try:
    while True:
        s.send(packet('m0,2000') * 300)
except BlockingIOError:
    pass
for _ in range(40):  # little, but just enough to look alive
    try:
        s.recv(4096)
    except BlockingIOError:
        break
vmm.terminate()
print(vmm.wait(200))
"""


def test_two_guests_are_asked_at_once(vmm):
    """Each reply has the registers of the guest that was asked."""
    result = lab_run("/usr/bin/python3", "-c", TWO, *vmm.command("@spin", "@spin"))
    assert result.out == b"0 []\n", result


def test_servers_share_no_variable(vmm):
    """Each guest's server has its own state: static variables in the files of watch/gdb never change."""
    sources = [f for folder in ("kvm-vmm-x86/src/watch/gdb", "common/gdb") for f in (TOP / folder).glob("*.c")]
    objects = [(TOP / "build/kvm-vmm-x86/host" / f.relative_to(TOP)).with_suffix(".o") for f in sources]
    sections = subprocess.run(["size", "-A", *objects], capture_output=True, text=True, check=True).stdout
    sizes = re.findall(r"^\.(?:data|bss) +(\d+)", sections, re.M)
    assert len(sizes) == 2 * len(objects) > 10 and set(sizes) == {"0"}, sections


def test_a_client_that_asks_much_and_reads_little(vmm):
    """The answers wait for the client; nothing else waits for it."""
    result = lab_run("/usr/bin/python3", "-c", SLOW, *vmm.command("@spin"))
    assert result.out == b"143\n", result


# A guest without exits: going back needs single steps from the state at which the debugger connected.
GIVEN_UP = START + """
def count():
    got = ask(s, 'm%x,8' % COUNTER)
    return int.from_bytes(bytes.fromhex(re.search(rb'[$]([0-9a-f]{16})#', got)[1].decode()), 'little')

STOP = rb'[$]T02[^#]*#[0-9a-f]{2}$'
s = connect(path)
ask(s, '?')  # it ran until now
first = count()
while count() < first + 3000:
    s.sendall(packet('c'))
    time.sleep(0.01)
    s.sendall(b'\\x03')
    until(s, STOP)
before = ask(s, 'g')
s.sendall(packet('bs') + b'\\x03')
assert b'was stopped'.hex().encode() in until(s, STOP)
assert ask(s, 'g') == before
vmm.kill()
print('good')
"""


def test_a_way_back_is_given_up(vmm, symbols):
    """Ctrl-C during a reverse step: the guest is where it was before."""
    names = subprocess.run(["nm", symbols("debuggee")], capture_output=True, check=True, text=True).stdout
    script = GIVEN_UP.replace("COUNTER", "0x" + re.search(r"(\w+) \w counter$", names, re.M)[1])
    result = lab_run("/usr/bin/python3", "-c", script, *vmm.command("@debuggee"))
    assert (result.status, result.out) == (0, b"good\n"), result
