"""A Linux guest with four vCPUs that works on its disk, network and memory is saved, its VMM killed, and another VMM
continues it, again and again: its checks find no error, all its tasks continue, and its kernel prints no warning."""
import json

import pytest

from tests.conftest import SOAK
from tests.support import lab_run
from tests.vmm.test_control import START
from tests.vmm.test_snapshot import linux_with_drivers  # noqa: F401  (a fixture)

# Each task in the guest counts its rounds in /n.NAME, and writes errors to /bad. A transfer whose connection a restore
# has reset is incomplete, which is not an error.
WORK = r"""
check() { [ "$1" = "$2" ] || echo "$3: $1, not $2" >> /bad; }
again() { echo $(($(cat /n.$1) + 1)) > /n.$1.new; mv /n.$1.new /n.$1; }
disk() {
    dd if=/dev/urandom of=/r bs=64k count=16 2> /dev/null; s=$(md5sum < /r)
    dd if=/r of=/dev/vda bs=64k conv=fsync 2> /dev/null; echo 3 > /proc/sys/vm/drop_caches
    check "$(dd if=/dev/vda bs=64k count=16 2> /dev/null | md5sum)" "$s" disk; again disk
}
net() {
    nc 10.0.2.2 @port < /dev/null > /t
    [ $(wc -c < /t) != 1000000 ] || { check "$(md5sum < /t)" "@sum  -" net; again net; }
}
cpu() { check "$(md5sum < /bin/busybox)" "$b" cpu; again cpu; }
b=$(md5sum < /bin/busybox); ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; touch /bad
for w in disk net cpu; do echo 0 > /n.$w; done
for w in disk net cpu cpu cpu; do while :; do $w; done & done
nonce=@nonce
complaints() { dmesg | grep -E "detected.* stall|soft lockup|skewed|unstable|BUG:|blocked for more"; }
how() {
    echo "{$nonce $(cut -d. -f1 /proc/uptime) $(cat /n.disk /n.net /n.cpu | tr '\n' ' ')}"; cat /bad; complaints
    echo "<$1>"
}
"""

LOAD = START + r"""
import hashlib, re, shutil, threading
options, work, rounds = json.loads(sys.argv[3]), sys.argv[4], int(sys.argv[5])
blob, nonce = os.urandom(1000000), os.urandom(8).hex()
server = socket.create_server(('127.0.0.1', 0))
def serve():
    while True:
        client = server.accept()[0]
        try:
            client.sendall(blob)
        except OSError:
            pass
        client.close()
threading.Thread(target=serve, daemon=True).start()
for name, value in (('port', server.getsockname()[1]), ('sum', hashlib.md5(blob).hexdigest()), ('nonce', nonce)):
    work = work.replace('@' + name, str(value))
with open(runtime + '/disk', 'wb') as disk:
    disk.truncate(1 << 20)
where = 'unix:' + runtime + '/s'

def begin(*words):
    vmm = subprocess.Popen([program, '--control', where, '--eof', 'none', *words], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL, bufsize=0)
    until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
    return vmm

asked = 0
def how(vmm):
    global asked
    asked += 1
    vmm.stdin.write(b'how %d\n' % asked)
    until('no answer', lambda: '\n<%d>' % asked in ask(where, 'log')['text'].replace('\r', ''))
    text = ask(where, 'log')['text'].replace('\r', '')
    answer = re.search(r'\{%s (\d+) (\d+) (\d+) (\d+) \}\n<%d>' % (nonce, asked), text)
    assert answer, 'wrong, a complaint, or not the same guest: ' + text[-3000:]
    return [int(number) for number in answer.groups()]

def goes_on(vmm, before):
    while True:  # all that works does so after this, too
        now = how(vmm)
        assert now[0] >= before[0], (before, now)
        if all(n > b for n, b in zip(now[1:], before[1:])):
            return now
        time.sleep(0.1)

vmm = begin(*options, '--disk', runtime + '/disk,overlay', image)
until('no shell', lambda: 'guest# ' in ask(where, 'log')['text'])
vmm.stdin.write(work.encode())
now = goes_on(vmm, [0] * 4)
for turn in range(rounds):
    folder = runtime + '/saved%d' % turn
    done = ctl(where, 'snapshot', folder)
    assert done[0] == 0, done
    vmm.kill()
    vmm.wait()
    os.unlink(path_of(where))
    shutil.rmtree(runtime + '/saved%d' % (turn - 1), ignore_errors=True)
    vmm = begin('--restore', folder)
    now = goes_on(vmm, now)
print('rounds, seconds, of disk, net, cpu:', rounds, *now)
vmm.kill()
shutil.rmtree(runtime)
"""


@pytest.mark.skipif(not SOAK, reason="a kernel on a busy host complains of its host: make soak")
def test_saved_and_killed_under_load(vmm, linux_with_drivers):  # noqa: F811
    image, *options = linux_with_drivers
    words = [*options, "-c", 4, "-m", "192M", "--append", "quiet", "--net", "user", "--rng"]
    result = lab_run("python3", "-c", LOAD, vmm.program, image, json.dumps([str(w) for w in words]), WORK,
                     100, limit=7200)
    assert result.status == 0, result
