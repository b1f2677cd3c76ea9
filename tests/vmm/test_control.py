"""--control: requests to a running machine by its socket. VMM and clients run in the same place, which has the
paths."""
import subprocess

import pytest

from tests.support import TOP, lab_run

# The beginning of the scripts below: VMMs in their own runtime folder, and two ways to send requests.
START = r"""
import json, os, pathlib, signal, socket, struct, subprocess, sys, tempfile, time
program, image = sys.argv[1:3]
runtime = tempfile.mkdtemp(prefix='control-', dir='/var/tmp')
os.environ['XDG_RUNTIME_DIR'] = runtime
LIMIT = 400  # of one wait: a machine under load takes minutes

def until(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)

def start(name, *options):
    vmm = subprocess.Popen([program, '--control', name, '-p', image, *options], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    until('no socket', lambda: os.path.exists(path_of(name)) or vmm.poll() is not None)
    return vmm

def path_of(name):
    return name[5:] if name.startswith('unix:') else runtime + '/mini-kvm/' + name

def ctl(*words):
    done = subprocess.run([program, 'ctl', *words], capture_output=True, text=True, timeout=LIMIT)
    return done.returncode, done.stdout, done.stderr

def connect(name):
    s = socket.socket(socket.AF_UNIX)  # settimeout() before connect() would fail at a full queue, and not wait
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', LIMIT, 0))
    for left in range(1000, -1, -1):
        try:
            s.connect(path_of(name))
            s.settimeout(LIMIT)
            return s
        except ConnectionRefusedError:  # its name is there before it listens
            if left == 0:
                raise
        time.sleep(0.05)

def lines(s, count):
    got = b''
    while got.count(b'\n') < count:
        try:
            part = s.recv(65536)
        except ConnectionResetError:  # it hung up with a part of our request unread
            break
        if not part:
            break
        got += part
    return [json.loads(line) for line in got.splitlines()]

def ask(name, verb):
    s = connect(name)
    s.sendall(b'{"version":1,"verb":"%s"}\n' % verb.encode())
    return lines(s, 1)[0]

def state(name, guest=0):
    return ask(name, 'status')['guests'][guest]['state']

def prompt(name, count=1):
    until('no prompt', lambda: ask(name, 'log')['text'].count('1k>') >= count)
"""

# All verbs, by the client. A killed machine leaves its socket, which the next list removes.
VERBS = START + r"""
import fcntl, termios
vmm = start('one')
assert os.stat(path_of('one')).st_mode & 0o777 == 0o600
prompt('one')
until('it is not listed', lambda: ctl('list')[1].split() == ['one', '0', 'running', image])
verbs = 'list status pause resume power stop reset snapshot fork balloon stats screen log'
assert ctl('one', 'list') == (0, 'verbs: ' + verbs + '\n', '')
assert state('one') == 'running'
assert ctl('one', 'pause') == (0, '', '') and state('one') == 'paused'
assert ctl('one', 'pause') == (0, '', ''), 'twice is once'
exits = json.loads(ctl('one', 'status', '--json')[1])['guests'][0]['exits']
vmm.stdin.write(b'help\n')
until('it does not read', lambda: fcntl.ioctl(vmm.stdin, termios.FIONREAD, bytes(4)) == bytes(4))
assert ask('one', 'status')['guests'][0]['exits'] == exits, 'it is paused and ran'
assert ctl('one', 'resume') == (0, '', '') and state('one') == 'running'
prompt('one', 2)
assert json.loads(ctl('one', 'stats', '--json')[1])['guests'][0]['exits'][0] > exits
assert ctl('one', 'screen')[0] == 0 and ctl('one', 'power') == (0, '', '')
assert 'unknown verb "stauts" (did you mean "status"?); "list" names all\n' in ctl('one', 'stauts')[2]
assert ctl('one', 'fly') == (1, '', 'kvm-vmm ctl: unknown verb "fly"; "list" names all\n')
assert ctl('one', 'status', '--guest', '1')[0] == 1 and ctl('one', 'pause', 'x')[0] == 2 and ctl('one')[0] == 2
assert ctl('one', 'pause')[0] == 0 and ctl('one', 'reset') == (0, '', '')
until('it did not start again', lambda: state('one') == 'running')
prompt('one', 3)
assert ctl('one', 'stop') == (0, '', '')
out, err = vmm.communicate(timeout=LIMIT)
assert (vmm.returncode, err) == (0, b'') and out.count(b'1K OS:') == 2, (vmm.returncode, err)
assert not os.path.exists(path_of('one')) and ctl('one', 'status')[0] == 125
vmm = start('two')
vmm.kill()
vmm.wait()
assert os.path.exists(path_of('two'))
assert ctl('list') == (0, '', '') and not os.path.exists(path_of('two'))
for seconds in (2, 20, 200):  # a busy machine needs the longer ones to ask in time
    again = start('two', '--timeout', str(seconds))
    paused = ctl('two', 'pause')[0] == 0
    if paused:
        break
    again.wait(timeout=LIMIT)
assert paused
assert again.wait(timeout=LIMIT) == 124, 'a paused guest is stopped by --timeout'
"""

# Forbidden requests of clients: each gets an answer or is disconnected, without effect on the guest and other clients.
HOSTILE = START + r"""
vmm = start('unix:' + runtime + '/socket')
where = 'unix:' + runtime + '/socket'
good = b'{"version":1,"verb":"status"}\n'
half = connect(where)
half.sendall(good[:10])
idle = connect(where)
s = connect(where)
s.sendall(b'not json\n' + b'{"verb":"status"}\n' + b'{"version":2,"verb":"status"}\n' + b'{"version":1}\n' + b'\n' +
          b'{"version":1,"verb":"pause","guest":-1}\n' + b'{"version":1,"verb":"pause","guest":7}\n' + good)
answers = lines(s, 8)
assert [a['ok'] for a in answers] == [False] * 7 + [True], answers
assert all(a['version'] == 1 for a in answers)
s.sendall(b'x' * 5000)
assert lines(s, 2)[0]['error'] == 'the request is too long', 'and then it hangs up'
deaf = connect(where)
deaf.settimeout(1)
sent = 0
try:
    while sent < 1 << 24:
        sent += deaf.send(b'{"version":1,"verb":"log"}\n')
except socket.timeout:
    pass
assert 0 < sent < 1 << 24, 'what it asks waits in its socket'
full = connect(where)
full.sendall(good * 100)
full.shutdown(socket.SHUT_WR)
assert len(lines(full, 100)) == 100
half.sendall(good[10:])
assert lines(half, 1)[0]['ok']
more = [connect(where) for _ in range(12)]
turned = 0
for m in more:
    try:
        m.sendall(good)
    except BrokenPipeError:
        pass
    turned += lines(m, 1)[0].get('error') == 'the machine has 8 clients already'
assert 5 <= turned <= 7, turned
for m in more:
    m.close()
until('clients that left are still counted', lambda: ctl(where, 'status')[0] == 0)
# A descriptor whose last close waits for a peer that takes nothing: the VMM has the last copy, and does not wait.
listener = socket.create_server(('127.0.0.1', 0))
slow = socket.create_connection(listener.getsockname())
peer = listener.accept()[0]
slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 10 * LIMIT))
slow.setblocking(False)
try:
    while True:
        slow.send(bytes(1 << 16))
except BlockingIOError:
    pass
vmm.send_signal(signal.SIGSTOP)
s = connect(where)
socket.send_fds(s, [good], [slow.fileno()])
slow.close()
vmm.send_signal(signal.SIGCONT)
assert lines(s, 1)[0]['ok'] and state(where) == 'running'
assert ctl(where, 'stop')[0] == 0
assert vmm.wait(timeout=LIMIT) == 0
"""

# A stopped machine, with as many waiting clients as its queue holds: they get answers when it continues, and other
# machines can be listed meanwhile.
QUEUE = START + r"""
one, two = start('one'), start('two')
prompt('one')
prompt('two')
one.send_signal(signal.SIGSTOP)
queue = []
try:
    while True:
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        s.connect(path_of('one'))
        queue.append(s)
except BlockingIOError:
    pass
assert len(queue) > 100, len(queue)
listed = ['one - silent', 'two 0 running ' + image]
until('no list', lambda: sorted(' '.join(line.split()) for line in ctl('list')[1].splitlines()) == listed)
waiting = [subprocess.Popen([program, 'ctl', 'one', 'status'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
           for _ in range(2)]
for w in waiting:
    assert w.stderr.readline() == b'kvm-vmm ctl: one does not answer yet\n'
one.send_signal(signal.SIGCONT)
for w in waiting:
    refused = b'kvm-vmm ctl: the machine has 8 clients already\n'
    assert (w.communicate(timeout=LIMIT), w.returncode) == ((b'', refused), 1)
answers = []
for s in queue:
    s.settimeout(LIMIT)
    try:
        s.sendall(b'{"version":1,"verb":"status"}\n')
    except BrokenPipeError:  # refused, and closed
        pass
    answers.append(lines(s, 1)[0])
served = [a for a in answers if a['ok']]
assert len(served) in (7, 8), len(served)  # the prompt's last client may have had a place yet
assert all(a in served or a['error'] == 'the machine has 8 clients already' for a in answers)
for s in queue:
    s.close()
until('clients that left are still counted', lambda: ctl('one', 'status')[0] == 0)
for vmm, name in ((one, 'one'), (two, 'two')):
    assert ctl(name, 'stop')[0] == 0
    assert vmm.wait(timeout=LIMIT) == 0
"""

# Invalid names, a folder that others may write to, a socket in use, two guests.
NAMES = START + r"""
def refused(*options):
    done = subprocess.run([program, *options, '-p', image], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT)
    assert done.stdout == '', done
    return done.returncode, done.stderr

for name in ('', '../x', '-x', 'x' * 49, 'a b'):
    status, err = refused('--control=' + name)
    assert status == 125 and 'is not a name for a machine' in err and err.count('\n') == 1, (name, status, err)
assert refused('--control', 'unix:')[0] == 2
vmm = start('both', image, '--eof', 'none')
status, err = refused('--control', 'both')
assert status == 125 and 'Address already in use' in err, (status, err)
assert ctl('both', 'pause', '--guest', '1')[0] == 0
assert (state('both', 0), state('both', 1)) == ('running', 'paused')
assert ctl('both', 'stop', '--guest', '1')[0] == 0
until('guest 1 did not end', lambda: state('both', 1) == 'ended')
assert ctl('both', 'pause', '--guest', '1') == (1, '', 'kvm-vmm ctl: the guest does not run now\n')
assert ctl('both', 'stop')[0] == 0
assert vmm.wait(timeout=LIMIT) == 0
os.chmod(runtime + '/mini-kvm', 0o777)
status, err = refused('--control', 'open')
assert status == 125 and 'only this user may write' in err, (status, err)
"""

# A reset while a snapshot's writer waits in fdatasync: the other guest continues, and the reset comes when the writer
# has finished. A preloaded library makes that call wait for a pipe.
SAVED = START + r"""
gate, opener = os.pipe()
vmm = subprocess.Popen([program, '--control', 'one', '--input', '1', '--eof', 'none', '-p', image, image],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pass_fds=[gate],
                       env={**os.environ, 'LD_PRELOAD': sys.argv[3], 'GATE': str(gate)})
until('no socket', lambda: os.path.exists(path_of('one')))
until('no prompt', lambda: state('one') == 'running' and '1k>' in ask('one', 'log')['text'])
def is_written(path):
    return os.path.exists(path) and os.path.getsize(path) > 0
client = subprocess.Popen([program, 'ctl', 'one', 'snapshot', runtime + '/saved', '--guest', '0'])
until('nothing is saved', lambda: is_written(runtime + '/saved.tmp/state'))
client.send_signal(signal.SIGINT)
assert client.wait(timeout=LIMIT) == 130 and not os.path.exists(runtime + '/saved.tmp'), 'its folder stays'
os.write(opener, b'x' * 5)
names = ['state', 'firmware', 'ram', 'machine.json', 'sum']
os.mkdir(runtime + '/files')
files = [os.open(runtime + '/files/' + name, os.O_RDWR | os.O_CREAT) for name in names]
def save(names, files):
    s = connect('one')
    socket.send_fds(s, [json.dumps({'version': 1, 'verb': 'snapshot', 'guest': 0, 'folder': '/x', 'files': names})
                        .encode() + b'\n'], files)
    return s
def refused(names, files):
    return lines(save(names, files), 1)[0]['error']
until('the first snapshot did not end', lambda: 'already' not in refused(['x' * 24], files[:1]))
assert 'not a file name' in refused(['x' * 24], files[:1])
for n, f in ((names, []), (names, files[1:]), (names[1:], files), ([], [])):
    assert 'must name the files' in refused(n, f), (n, f)
assert 'no file "firmware" was passed' in refused(['state', 'other'], files[:2] if os.write(opener, b'x') else [])
assert '/x.tmp/state: Invalid argument' in refused(names, [opener] * 5)
assert not is_written(runtime + '/files/ram')
os.truncate(runtime + '/files/state', 0)
s = save(names, files)
until('nothing is saved', lambda: is_written(runtime + '/files/state'))
assert ctl('one', 'reset', '--guest', '0') == (0, '', '')
vmm.stdin.write(b'echo it goes on\n')
out = b''
while out.count(b'it goes on') < 2:
    part = os.read(vmm.stdout.fileno(), 4096)
    assert part, out
    out += part
os.write(opener, b'x' * 100)
assert 'the guest ended' in lines(s, 1)[0]['error']
until('it did not start again', lambda: state('one') == 'running')
assert ctl('one', 'stop')[0] == 0
assert vmm.wait(timeout=LIMIT) == 0
"""


SLOW = """
    #include <unistd.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    int fdatasync(int fd)
    {
        char c;
        return read(atoi(getenv("GATE")), &c, 1) >= 0 ? (int)syscall(SYS_fdatasync, fd) : -1;
    }"""


@pytest.mark.parametrize("script", [VERBS, HOSTILE, QUEUE, NAMES, SAVED],
                         ids=["verbs", "hostile", "queue", "names", "saved"])
def test_control(vmm, script, scratch):
    library = scratch / "slow.so"
    if script is SAVED:
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], check=True, text=True, input=SLOW)
    result = lab_run("python3", "-c", script, vmm.program, TOP / "kvm-vmm-x86/os-1k/kernel.bin", library, limit=900)
    assert result.status == 0, result
