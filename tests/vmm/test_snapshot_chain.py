"""Several snapshots of one machine: at the same time, after an interrupted one, of guests that were restored or copied.
Pages missing in an interrupted one are in the next: each is compared with a complete snapshot of the same moment."""
import subprocess

from tests.support import lab_run
from tests.vmm.test_control import SLOW, START

# A guest that stores a key in its memory. The writer waits in fdatasync until a byte comes (SLOW).
SEVERAL = START + r"""
gate, opener = os.pipe()
open_gate = dict(env={**os.environ, 'LD_PRELOAD': sys.argv[3], 'GATE': str(gate)}, pass_fds=[gate])
os.set_blocking(opener, False)

def run(name, *words, gated=False):
    vmm = subprocess.Popen([program, '--control', name, '--eof', 'none', *words], stdin=subprocess.PIPE, bufsize=0,
                           stdout=subprocess.DEVNULL, **(open_gate if gated else {}))
    until('no socket', lambda: os.path.exists(path_of(name)) or vmm.poll() is not None)
    return vmm

def end(vmm, name):
    vmm.kill()
    vmm.wait()
    os.unlink(path_of(name))

def keep(vmm, name, key):
    before = len(ask(name, 'log')['text'])
    vmm.stdin.write(key.encode())
    until('no ' + key, lambda: ask(name, 'log')['text'][before:] == key + '\n')

def place(number):
    return runtime + '/' + str(number)

def save(name, number, *options):
    done = ctl(name, 'snapshot', place(number), *options, '--json')
    assert done[0] == 0, (number, done)
    answer = json.loads(done[1])
    return os.path.basename(answer.get('base', '-')), answer.get('pages')

def is_whole(name, number):  # what it has is what a whole one of the same moment has, and all is as its sum says
    assert state(name) == 'paused'
    assert save(name, str(number) + 'whole') == ('-', None)
    for words in (('diff', place(number), place(str(number) + 'whole')), ('verify', place(number))):
        done = subprocess.run([program, 'snapshot', *words], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0 and (words[0] != 'diff' or done.stdout.startswith('memory 0 of ')), done

def goes_on(number, name, key):  # restored, it has that key
    vmm = run(name, '--restore', place(number))
    vmm.stdin.write(b'?')
    until('it does not run', lambda: ask(name, 'log')['text'] == key + '\n')
    return vmm

os.write(opener, b'x' * 200)  # the gate is open
vmm = run('one', '-m', '256K', image, gated=True)
keep(vmm, 'one', 'a')
assert save('one', 1, '--diff') == ('-', None) and save('one', 2, '--diff')[0] == '1'

# Its client ends when the VMM has written all: the folder is nowhere, and the next one has its pages.
keep(vmm, 'one', 'b')
names = ['state', 'firmware', 'ram', 'ram.map', 'machine.json', 'sum']
os.mkdir(place('lost'))
def lost():
    files = [os.open(place('lost/' + name), os.O_RDWR | os.O_CREAT) for name in names]
    s = connect('one')
    socket.send_fds(s, [json.dumps({'version': 1, 'verb': 'snapshot', 'folder': place('lost'), 'files': names,
                                    'diff': True}).encode() + b'\n'], files)
    for file in files:
        os.close(file)
    return lines(s, 1)[0]
answer = lost()
assert answer['ok'] and answer['base'] == place(2) and answer['pages'] > 0, answer
assert ctl('one', 'pause')[0] == 0
base, pages = save('one', 3, '--diff')
assert base == '2' and pages >= answer['pages'], (base, pages, answer)
is_whole('one', 3)
first = lost()
assert first['ok'] and first['base'] == place('3whole') and first['pages'] == 0, first
second = lost()
assert second['base'] == place('3whole') and second['ok'], 'a whole one that is lost is no base either'
def placed(sum):
    s = connect('one')
    s.sendall(b'{"version":1,"verb":"snapshot","placed":%d}\n' % sum)
    return lines(s, 1)[0]
assert not placed(second['sum'] ^ 1)['counts'] and placed(second['sum'])['counts']
assert not placed(second['sum'])['counts'], 'it was heard of'
assert lost()['base'] == place('lost')
assert save('one', 4)[0] == '-' and ctl('one', 'resume')[0] == 0

# Two at once: the second is refused and leaves nothing; then one of a client that is killed while the VMM writes.
def close_gate():
    os.set_blocking(gate, False)
    try:
        while os.read(gate, 1000):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(gate, True)
def begin(number, *options):
    client = subprocess.Popen([program, 'ctl', 'one', 'snapshot', place(number), *options], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    until('nothing is saved', lambda: os.path.exists(place(number) + '.tmp/state')
          and os.path.getsize(place(number) + '.tmp/state') > 0)
    return client
keep(vmm, 'one', 'c')
close_gate()
client = begin(5, '--diff')
done = ctl('one', 'snapshot', place(6))
assert done[0] == 1 and 'a snapshot is being taken already' in done[2], done
assert not os.path.exists(place(6)) and not os.path.exists(place(6) + '.tmp') and state('one') == 'paused'
os.write(opener, b'x' * 6)
assert client.communicate(timeout=LIMIT)[0].startswith('folder: ' + place(5)) and client.returncode == 0
assert state('one') == 'running'
keep(vmm, 'one', 'd')
for number, how in ((7, signal.SIGKILL), (8, signal.SIGTERM)):
    client = begin(number, '--diff')
    client.send_signal(how)
    client.communicate(timeout=LIMIT)
    assert client.returncode != 0 and not os.path.exists(place(number))
    assert os.path.exists(place(number) + '.tmp') == (how == signal.SIGKILL)
    os.write(opener, b'x' * 6)
    until('it does not go on', lambda: state('one') == 'running')
os.write(opener, b'x' * 200)
done = ctl('one', 'snapshot', place(7))
assert done[0] == 1 and 'File exists' in done[2], 'what a killed one left is not written to'
assert ctl('one', 'pause')[0] == 0
base, pages = save('one', 9, '--diff', '--zstd')
assert base == '5' and pages > 0, (base, pages)
is_whole('one', 9)
assert os.path.getsize(place(9) + '/ram.zst') < 100000
end(vmm, 'one')

# A restored guest is saved, as a whole and as what it wrote since, and restored again; so is a copy of it.
vmm = goes_on(9, 'two', 'd')
keep(vmm, 'two', 'e')
assert save('two', 10, '--diff')[0] == '-', 'a log of its own'
keep(vmm, 'two', 'f')
assert ctl('two', 'pause')[0] == 0
assert save('two', 11, '--diff')[0] == '10'
is_whole('two', 11)
assert ctl('two', 'resume')[0] == 0
done = ctl('two', 'fork', '1', '--run', 'g', '--json')
copy = json.loads(done[1])['copies'][0]['name'] if done[0] == 0 else done
until('the copy does nothing', lambda: 'g\n' in ask(copy, 'log')['text'])
assert save(copy, 12, '--diff', '--zstd')[0] == '-'
assert ctl(copy, 'pause')[0] == 0
assert save(copy, 13, '--diff', '--zstd')[0] == '12'
is_whole(copy, 13)
assert ctl(copy, 'stop')[0] == 0
assert save('two', 14, '--diff')[0] == '11whole', 'its copy is nothing to it'
end(vmm, 'two')
for number, key in ((11, 'f'), (13, 'g'), (14, 'f'), (2, 'a')):
    end(goes_on(number, 'again', key), 'again')
"""


def test_several(vmm, scratch):
    library = scratch / "slow.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], check=True, text=True, input=SLOW)
    result = lab_run("python3", "-c", SEVERAL, vmm.program, vmm.guest("notes"), library, limit=1800)
    assert result.status == 0, result
