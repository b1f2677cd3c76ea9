"""`ctl NAME fork`: copies of a machine from its memory, each a separate run, in the sandbox."""
import json
import subprocess

import pytest

from tests.support import TOP, lab_run
from tests.vmm.test_control import SLOW, START
from tests.vmm.test_snapshot import linux_with_drivers  # noqa: F401  (a fixture)

# The 1K OS: copies that get requests, end, and run longer than their origin; machines that cannot be copied.
COPIES = START + r"""
vmm = start('one', '--disk', runtime + '/disk,overlay', '--port', 'a=file:' + runtime + '/port', '--port', 'b=pty')
assert b'port b at /dev/pts/' in vmm.stderr.readline()
prompt('one')
assert ctl('one', 'snapshot', runtime + '/whole', '--diff')[0] == 0  # its memory is logged from now on
done = ctl('one', 'fork', '2', '--run', 'echo in a copy', '--json')
copies = json.loads(done[1])['copies'] if done[0] == 0 else done
assert [c['name'] for c in copies] == ['one.1', 'one.2'], done
for c in copies:
    until('it does not run', lambda: '\nin a copy\n1k> ' in ask(c['name'], 'log')['text'])
    assert os.stat(c['output']).st_mode & 0o777 == 0o600
    port, text = open(c['output']).read().split('\n', 1)
    assert 'port b at /dev/pts/' in port and text.startswith('echo in a copy\n'), 'and nothing of its origin'
assert 'in a copy' not in ask('one', 'log')['text'] and state('one') == 'running'
for name, base in (('first', False), ('second', True)):  # a copy begins a log of its own
    done = ctl('one.1', 'snapshot', runtime + '/' + name, '--diff')
    assert done[0] == 0 and ('base: ' + runtime + '/first\n' in done[1]) == base, done
assert os.path.exists(runtime + '/port.1') and os.path.exists(runtime + '/port.2')
assert ctl('one', 'fork')[0] == 2 and ctl('one', 'fork', 'x')[0] == 2 and ctl('one', 'fork', '0')[0] == 1
assert ctl('one', 'fork', '65')[0] == 1 and ctl('one', 'fork', '1', '--run', 'x' * 2000)[0] == 1
assert ctl('one.1', 'fork', '1')[0] == 0 and state('one.1.1') == 'running', 'a copy of a copy'
vmm.stdin.write(b'echo once\n')
prompt('one', 2)
assert ctl('one', 'stop')[0] == 0
out, err = vmm.communicate(timeout=LIMIT)
assert vmm.returncode == 0 and err == b'' and b'in a copy' not in out and out.count(b'echo once') == 1, (out, err)
for name in ('one.1', 'one.2', 'one.1.1'):
    assert state(name) == 'running' and ctl(name, 'stop') == (0, '', ''), name
until('they are there', lambda: ctl('list')[1] == '')
for name, options, why in (('two', ['--disk', runtime + '/disk'], 'is written directly'),
                           ('three', ['--stats'], '--stats'),
                           ('four', ['--record', runtime + '/tape'], '--record')):
    vmm = start(name, *options)
    done = ctl(name, 'fork', '1')
    assert done[0] == 1 and why in done[2] and state(name) == 'running', done
    vmm.kill()
    vmm.communicate()
"""

# Linux with two vCPUs: argv: the kernel's options, a folder to share.
LINUX = START + r"""
import re
options, share = json.loads(sys.argv[3]), sys.argv[4]
where = 'unix:' + runtime + '/s'
with open(runtime + '/disk', 'wb') as disk:
    disk.truncate(1 << 20)
vmm = subprocess.Popen([program, '--control', where, *options, '--disk', runtime + '/disk,overlay', '--share', share,
                        '--vsock', '3,unix:' + runtime + '/vsock', image],
                       bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
begin = time.monotonic()
vmm.stdin.write(b'ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; mkdir /s; mount -t virtiofs share0 /s; '
                b'exec 5< /s/file; read x <&5; echo $x; echo first > /dev/vda; sync; '
                b'sed "s/^/up /" /proc/uptime; echo re$((2 + 2))dy\n')
until('it is not ready', lambda: 're4dy' in ask(where, 'log')['text'])
DRAW = 'head -c 16 /dev/urandom | od -An -tx1 | sed "s/^/draws /"; sed "s/^/up /" /proc/uptime; '
RUN = (DRAW + 'head -c 5 /dev/vda; echo; read y <&5; echo $y; echo other > /dev/vda; taskset 2 true; '
       'ping -c 1 -W 300 10.0.2.2 | grep 1.packets.r; dmesg | grep reseeded; echo d$((1))ne')
done = ctl(where, 'fork', '1', '--run', RUN, '--json')
assert done[0] == 0, done
copy = json.loads(done[1])['copies'][0]
until('it does not run', lambda: 'd1ne' in ask(copy['name'], 'log')['text'])
text = open(copy['output']).read().replace('\r', '')
for word in ('\nfirst\n', '\nsecond line\n', '1 packets received', 'reseeded due to virtual machine fork'):
    assert word in text, (word, text)
assert os.path.exists(runtime + '/vsock') and os.path.exists(runtime + '/vsock.1'), 'each listens'
assert ctl(copy['name'], 'stop')[0] == 0
vmm.stdin.write((DRAW + 'head -c 5 /dev/vda; read y <&5; echo $y; echo af$((2))er\n').encode())
until('the origin does not go on', lambda: 'af2er' in ask(where, 'log')['text'])
before, went = ask(where, 'log')['text'].replace('\r', '').split('re4dy')
assert 'first' in went and 'second line' in went, went
drawn = [line for line in (text + went).split('\n') if line.startswith('draws ')]
assert len(drawn) == 2 and drawn[0] != drawn[1], drawn
passed = time.monotonic() - begin  # for each of both no more than here
first, *later = [float(t) for t in re.findall('^up ([0-9.]+) ', before + text + went, re.M)]
assert len(later) == 2 and all(0 < t - first < 1.1 * passed for t in later), (first, later, passed)
vmm.kill()
"""


# The maximum of copies, at the same time. argv: the memory in KB that a copy may use before it writes.
CROWD = START + r"""
where = 'unix:' + runtime + '/one'
vmm = subprocess.Popen([program, '--control', where, '-m', '256K', image], stdin=subprocess.PIPE,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
done = ctl(where, 'fork', '64', '--json')
assert done[0] == 0, done
copies = json.loads(done[1])['copies']
assert len({c['pid'] for c in copies}) == 64
assert [state(c['name']) for c in copies] == ['running'] * 64
def own(pid):
    rows = [line.split() for line in open('/proc/%d/smaps_rollup' % pid)]
    return sum(int(row[1]) for row in rows if row[0] in ('Private_Clean:', 'Private_Dirty:'))
costs = sorted(own(c['pid']) for c in copies)
print('of its own, KB:', costs[0], costs[32], costs[63])
assert costs[63] < int(sys.argv[3]), costs
for c in copies:
    ask(c['name'], 'stop')
until('they are there', lambda: ctl('list')[1].count('one.') == 0)
assert state(where) == 'running'
vmm.kill()
"""


def test_sixty_four_at_once(vmm):
    result = lab_run("python3", "-c", CROWD, vmm.program, vmm.guest("echo"), 4096, limit=900)
    assert result.status == 0, result


@pytest.mark.parametrize("at_once", [1, 3])
def test_by_hypercall(vmm, at_once):
    """The call returns 0 in a copy and the copy's number in its origin; while the maximum of copies runs, the origin
    waits."""
    result = vmm.run("--forks", at_once, "--timeout", 200, "@family")
    printed = [line for line in result.out.decode().splitlines() if line != "origin"]
    assert result.status in (3, 126) and result.out.count(b"origin\n") == 1, result
    assert (printed if at_once == 1 else sorted(printed)) == ["copy %d" % n for n in range(1, 6)], result
    for line in ("copy 3 ended with status 3", "copy 4 ended with status 126", "unknown hypercall 0x77"):
        assert line in result.err, result
    assert at_once > 1 or result.status == 3, "the first that did not end well"


def test_hypercall_refused(vmm):
    for options, status, why in (([], 126, "give --forks N"), (["--forks", "65"], 2, "1 to 64"),
                                 (["--forks", "1", "--stats"], 2, "--stats"),
                                 (["--forks", "1", "--reboot"], 2, "--reboot")):
        result = vmm.run(*options, "@family")
        assert result.status == status and why in result.err and result.out == b"", (options, result)


# While a snapshot's writer waits in fdatasync (SLOW), the guest's next copy has to wait. A reset is refused. One
# counter numbers the guest's copies and those of the verb.
BETWEEN = START + r"""
gate, opener = os.pipe()
vmm = subprocess.Popen([program, '--control', 'one', '--forks', '1', image], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, bufsize=0, pass_fds=[gate],
                       env={**os.environ, 'LD_PRELOAD': sys.argv[3], 'GATE': str(gate)})
def copies():
    parents = {}
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(')', 1)[1].split()[1])
        except OSError:  # it has ended
            pass
    return [pid for pid, parent in parents.items() if parent == vmm.pid]
until('no socket', lambda: os.path.exists(path_of('one')))
vmm.stdin.write(b'ab')  # the second copy has to wait for the end of the first
until('no copy', lambda: ask('one', 'log')['text'] == '1\n' and os.path.exists(path_of('one.1')))
first, = copies()
done = ctl('one', 'reset')
assert done[0] == 1 and '--forks' in done[2] and state('one') == 'running', done
client = subprocess.Popen([program, 'ctl', 'one', 'snapshot', runtime + '/saved'], stdout=subprocess.DEVNULL)
until('nothing is saved', lambda: os.path.exists(runtime + '/saved.tmp/state')
      and os.path.getsize(runtime + '/saved.tmp/state') > 0)
assert ctl('one.1', 'stop')[0] == 0
until('the copy does not end', lambda: first not in copies())
assert all(state('one') == 'paused' and copies() == [] for _ in range(3)), 'a copy while it is saved'
os.write(opener, b'x' * 100)
assert client.wait(timeout=LIMIT) == 0
until('no second copy', lambda: ask('one', 'log')['text'] == '1\n2\n' and os.path.exists(path_of('one.2')))
done = ctl('one', 'fork', '1', '--json')
assert done[0] == 0 and [c['name'] for c in json.loads(done[1])['copies']] == ['one.3'], done
assert ctl('one.2', 'stop')[0] == 0
vmm.stdin.write(b'c')
until('no fourth copy', lambda: ask('one', 'log')['text'] == '1\n2\n4\n' and os.path.exists(path_of('one.4')))
assert ctl('one.3', 'stop')[0] == 0 and ctl('one.4', 'stop')[0] == 0
assert vmm.communicate(timeout=LIMIT)[0] == b'1\n2\n4\n' and vmm.returncode == 0, vmm.returncode
"""


def test_by_hypercall_between_verbs(vmm, scratch):
    library = scratch / "slow.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], check=True, text=True, input=SLOW)
    result = lab_run("python3", "-c", BETWEEN, vmm.program, vmm.guest("keys"), library, limit=600)
    assert result.status == 0, result


def test_copies(vmm):
    script = COPIES.replace("vmm = start('one'", "open(runtime + '/disk', 'wb').truncate(4096)\nvmm = start('one'", 1)
    result = lab_run("python3", "-c", script, vmm.program, TOP / "kvm-vmm-x86/os-1k/kernel.bin")
    assert result.status == 0, result


def test_linux(vmm, linux_with_drivers, scratch):  # noqa: F811
    """With two vCPUs, a disk, a network card, and a folder with an open file: each copy has the same state of all of
    them, but other random numbers, and its writes are private."""
    image, *options = linux_with_drivers
    (scratch / "shared").mkdir()
    (scratch / "shared/file").write_text("first line\nsecond line\n")
    words = [*options, "-c", 2, "-m", "160M", "--append", "quiet", "--net", "user"]
    result = lab_run("python3", "-c", LINUX, vmm.program, image, json.dumps([str(w) for w in words]),
                     scratch / "shared", limit=900)
    assert result.status == 0, result
