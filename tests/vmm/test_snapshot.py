"""Snapshots: a guest is saved by the control socket, its VMM killed, and another VMM continues it."""
import json
import os
import re
import subprocess
import warnings
import zlib

import pytest

from tests.support import TOP, lab_run
from tests.vmm.test_control import START

NAMES = TOP / "build/os-1k/flat.elf"  # of the 1K OS
LIMIT = 400
HLEOS = TOP / "build/hleos/hleos.elf"

# argv: program, image, options, the output (after `typed`) at which it is saved, the input then, its output, its
# status.
SAVED = START + r"""
import re, shutil
LIMIT = 700  # of a wait: a Linux boots in it, or is restored
ready, typed, more, answer, status = [json.loads(word) for word in sys.argv[4:9]]
disk = runtime + '/disk'
if len(sys.argv) > 10:
    shutil.copyfile(sys.argv[10], disk)
with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    port = str(s.getsockname()[1])
def may_mount():  # some hosts forbid their users namespaces
    tried = subprocess.run(['unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', runtime], capture_output=True, text=True)
    if tried.returncode:
        print('left out, a full disk:', tried.stderr)
    return tried.returncode == 0
options = [o.replace('@disk', disk).replace('@port', port) for o in json.loads(sys.argv[3])]
where, folder = 'unix:' + runtime + '/s', (sys.argv[9] or runtime) + '/saved'
vmm = subprocess.Popen([program, '--control', where, *options, *([image] if image else [])],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
begin = time.monotonic()
vmm.stdin.write(typed.replace('@port', port).encode())
until('it is not ready', lambda: ready in ask(where, 'log')['text'])
SMALL = ('24k', '--guest=0'), ('24k', '--zstd'), ('16k', '--diff')
chain = bool(sys.argv[9]) or '-c' in options  # restored is what was written since: of the 1K OS and of Linux
done = ctl(where, 'snapshot', folder, *['--diff'] * chain)
assert done[0] == 0 and 'base' not in done[1], done
said = ask(where, 'log')['text']
assert ctl(where, 'snapshot', folder)[0] == 1 and state(where) == 'running', 'it is there already'
if sys.argv[9]:  # another, of what it is a little later
    vmm.stdin.write(b'help\n')
    until('no help', lambda: 'Commands' in ask(where, 'log')['text'])
restored = folder
if chain:  # the same moment as a whole and as what was written since; what a full disk did not take is in the next
    assert ctl(where, 'snapshot', folder + '2', '--diff')[0] == 0
    for size, word in SMALL if sys.argv[9] and may_mount() else ():
        small = runtime + '/small' + word
        os.mkdir(small)
        done = subprocess.run(['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=' + size + ' none "$0" && "$@"; '
                               'echo status $?; ls -A "$0"', small, program, 'ctl', where, 'snapshot', small + '/one',
                               *word.split('=')], capture_output=True, text=True, timeout=LIMIT)
        assert done.stdout == 'status 1\n' and 'No space left' in done.stderr, done
    assert state(where) == 'running' and ctl(where, 'pause')[0] == 0
    restored = folder + '3'
    done = ctl(where, 'snapshot', restored, '--diff', '--zstd')
    assert done[0] == 0 and 'base: ' + folder + '2' in done[1], done
    assert ctl(where, 'snapshot', folder + '4', '--zstd')[0] == 0
if sys.argv[9]:
    assert 'pages: 0' in ctl(where, 'snapshot', folder + '5', '--diff')[1]
    os.rename(folder + '5', folder + '6')
    done = ctl(where, 'snapshot', folder + '7', '--diff', '--json')
    assert done[:2] == (1, '') and '/saved5, which this --diff builds on, cannot be used' in done[2], done
    assert not os.path.exists(folder + '7') and not os.path.exists(folder + '7.tmp')
if chain:
    assert ctl(where, 'resume')[0] == 0
vmm.kill()
vmm.communicate()
stopped = time.monotonic()
assert not os.path.exists(folder + '.tmp')
if chain:
    done = subprocess.run([program, 'snapshot', 'diff', restored, folder + '4'], capture_output=True, text=True,
                          timeout=LIMIT)
    assert done.returncode == 0 and done.stdout.startswith('memory 0 of '), done
done = subprocess.run([program, 'snapshot', 'verify', restored], capture_output=True, text=True, timeout=LIMIT)
assert done.returncode == 0 and 'good   ram' in done.stdout, done
if re.search("^up [0-9]", said, re.M):  # saved for longer than it ran: a clock that counts that is seen below
    time.sleep(min(2 * (stopped - begin), 60))
begin += time.monotonic() - stopped
shared = []
if '--share' in options:  # a folder that is in another place by now
    place = options[options.index('--share') + 1]
    os.rename(place, place + '.moved')
    done = subprocess.run([program, '--restore', restored, '--share', place + '.moved,tag=other'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 125 and 'no --share with the tag other' in done.stderr, done
    shared = ['--share', place + '.moved']
again = subprocess.run([program, '--restore', restored, '--timeout', '600', *shared], input=more.encode(),
                       capture_output=True, timeout=LIMIT)
passed = time.monotonic() - begin
assert again.returncode == status and answer.encode() in again.stdout, (again.returncode, again.stdout[-250:])
print(again.stdout.decode('utf-8', 'replace') + again.stderr.decode())
uptimes = [float(t) for t in re.findall('^up ([0-9.]+) ', said + again.stdout.decode('utf-8', 'replace'), re.M)]
if uptimes:  # the guest says twice how long it is up: no more than it ran, so not what it was saved for
    first, second = uptimes
    assert 0 < second - first < 1.1 * passed, (uptimes, passed)

def refused(name, change, *words, of=None):  # of another folder that `restored` stands on
    path = (of or folder) + '/' + name
    kept = open(path, 'rb').read()
    open(path, 'wb').write(change(kept))
    done = subprocess.run([program, '--restore', restored if of else folder, '--timeout', '300'],
                          stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT)
    open(path, 'wb').write(kept)
    assert done.returncode == 125 and done.stdout == '' and done.stderr.count('\n') == 1, (name, done)
    assert all(word in done.stderr for word in words), (name, done)

if sys.argv[9]:
    refused('machine.json', lambda b: re.sub(b'"format":[0-9]+', b'"format":9', b), 'format 9', 'kvm-vmm 0.1')
    os.rename(folder + '/ram', folder + '/kept')
    open(folder + '/ram', 'wb').write(bytes(4096))
    refused('sum', lambda b: b, 'ram')
    os.rename(folder + '/kept', folder + '/ram')
if chain:
    refused('sum', lambda b: b'0' * 8 + b[8:], 'saved3 keeps only what differs from ', 'saved2', 'another snapshot',
            of=folder + '2')
if len(sys.argv) > 10:  # another disk of the same size and time
    times = os.stat(disk)
    with open(disk, 'r+b') as file:
        file.write(b'other')
    os.utime(disk, ns=(times.st_atime_ns, times.st_mtime_ns))
    refused('sum', lambda b: b, 'disk 0', 'other contents')
"""


def saved(image, *options, ready, typed="", more, answer, status=0, look="", disk=None):
    words = [json.dumps([str(o) for o in options]), *map(json.dumps, (ready, typed, more, answer, status))]
    result = lab_run("python3", "-c", SAVED, TOP / "kvm-vmm-x86/kvm-vmm", image, *words, look,
                       *([disk] if disk else []), limit=1800)
    assert result.status == 0, result
    out = result.out.decode("utf-8", "replace")
    if "left out, " in out:
        warnings.warn(re.search("left out, .*", out)[0])
    return out


def look(vmm, *words, status=0, stdin=subprocess.DEVNULL):
    """`kvm-vmm snapshot`, which needs no KVM."""
    done = subprocess.run([vmm.program, "snapshot", *words], stdin=stdin, capture_output=True, check=False,
                          text=True, timeout=LIMIT)
    assert done.returncode == status == done.stderr.count("\n") and (status == 0 or done.stdout == ""), done
    return done.stdout + done.stderr


def debug(*words):
    done = subprocess.run(["gdb", "-nx", "-batch", "-l", str(LIMIT), NAMES, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, text=True, timeout=LIMIT)
    return done.stdout + done.stderr


def sum_of(text):
    """The checksum of src/host/files/folder.h."""
    total = 0
    for at in range(0, len(text), 4096):
        total = zlib.crc32(text[at:at + 4096], zlib.crc32((at // 4096).to_bytes(8, "little"), total))
    return zlib.crc32(len(text).to_bytes(8, "little"), total)


def pipes(vmm, folder):
    """A folder of another user, with named pipes that have a writer and never end: none is read."""
    machine = (folder / "machine.json").read_bytes()
    for name, word in (("sum", "not a plain file"), ("machine.json", "not a plain file"), ("ram", "not a file that")):
        (folder / name).rename(folder / "kept")
        os.mkfifo(folder / name)
        writer = os.open(folder / name, os.O_RDWR)
        assert word in look(vmm, "explain", folder, status=1), name
        os.close(writer)
        (folder / "kept").replace(folder / name)
    os.mkfifo(folder / "pipe")
    writer = os.open(folder / "pipe", os.O_RDWR)
    for image in (folder / "pipe", "/dev/stdin"):
        other = re.sub(rb'"image":"[^"]*"', b'"image":"%s"' % os.fsencode(image), machine)
        assert other != machine
        (folder / "machine.json").write_bytes(other)
        (folder / "sum").write_text("%08x  machine.json\n" % sum_of(other))
        assert "vCPU 0" in look(vmm, "explain", folder, stdin=writer), image
    os.close(writer)


# A guest is notified that its host has stopped it, so that it does not report a lock-up: after a pause, after a save,
# and after a restore.
TOLD = START + r"""
where = 'unix:' + runtime + '/s'
vmm = subprocess.Popen([program, '--control', where, '-l', image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
until('no socket', lambda: os.path.exists(path_of(where)))
def said(text):
    until('not told', lambda: ask(where, 'log')['text'] == text)
said('r\n')
assert ctl(where, 'pause')[0] == 0 and ctl(where, 'resume')[0] == 0
said('r\ns\n')
assert ctl(where, 'snapshot', runtime + '/saved')[0] == 0
said('r\ns\ns\n')
for verb in ('pause', 'resume'):
    assert ctl(where, verb)[0] == 0
assert vmm.communicate(timeout=LIMIT)[0] == b'r\ns\ns\ns\n' and vmm.returncode == 0
again = subprocess.Popen([program, '--restore', runtime + '/saved', '--control', where], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)
until('no socket', lambda: os.path.exists(path_of(where)))
said('s\n')
for verb in ('pause', 'resume'):
    assert ctl(where, verb)[0] == 0
assert again.communicate(timeout=LIMIT)[0] == b's\ns\n' and again.returncode == 0
"""


def test_a_guest_is_told_of_each_pause(vmm):
    result = lab_run("python3", "-c", TOLD, vmm.program, vmm.guest("paused"))
    assert result.status == 0, result


def test_1k_os_and_what_is_seen_in_it(vmm, scratch):
    """The restored guest has a file in its memory, so it was not just started again. It is saved twice; then the saved
    guest is examined without running: by the explainer, by gdb, as a core file."""
    nonce = "nonce %s" % os.urandom(8).hex()
    saved(TOP / "kvm-vmm-x86/os-1k/kernel.bin", "-p", typed="write n %s\ncat n\n" % nonce, ready="\n%s\n" % nonce,
          more="cat n\nexit\n", answer="\n%s\n" % nonce, look=scratch)
    one, two, core = scratch / "saved", scratch / "saved3", scratch / "core"
    page = look(vmm, "explain", "--symbols", NAMES, one)
    assert all(word in page for word in ("vCPU 0", "PAE paging", "page walks", "master PIC")), page
    assert look(vmm, "diff", one, one) == "memory 0 of 16384 pages differ\n"
    changes = look(vmm, "diff", "--symbols", NAMES, one, two)
    assert "counts (" in changes and "vcpu 0 tsc" in changes and "memory 0 of" not in changes, changes
    assert look(vmm, "vmcore", one, core) == ""
    assert "File exists" in look(vmm, "vmcore", one, core, status=1)
    seen = [word for command in ("echo HERE\\n", "p/x $eip", "x/4i $pc", "p *(int *)&counts", "p $eflags",
                                 "info symbol counts", "x/8xw $sp") for word in ("-ex", command)]
    cold = debug("-c", core, *seen).split("HERE")[1]
    still = debug("-ex", "target remote | %s snapshot gdb %s" % (vmm.program, one), *seen, "-ex", "echo HERE\\n",
                  "-ex", "stepi", "-ex", "p $eax = 1").split("HERE")
    assert cold.count("0x") > 12 and cold == still[1], (cold, still)
    assert "does not run" in still[2] and "$" not in still[2].split("does not run")[1], still
    for name, change, word in (("machine.json", lambda b: b.replace(b'"vcpus":1', b'"vcpus":2'), "damaged"),
                               ("machine.json", lambda b: b[:-20], "invalid JSON"),
                               ("state", lambda b: b[:-1], "not a file of"),
                               ("state", lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:], "damaged"),
                               ("sum", lambda b: b"x" * 23, "sum")):
        kept = (one / name).read_bytes()
        (one / name).write_bytes(change(kept))
        assert word in look(vmm, "info", one, status=1), name
        (one / name).write_bytes(kept)
    master, terminal = os.openpty()
    assert "target remote |" in look(vmm, "gdb", one, status=1, stdin=terminal)
    os.close(master)
    os.close(terminal)
    pipes(vmm, one)
    (one / "ram").write_bytes(b"")
    assert "not a file that holds" in look(vmm, "explain", one, status=1)


def test_real_mode(vmm):
    saved(vmm.guest("echo"), ready="one", typed="one\n", more="two\n", answer="two")


def test_hleos(vmm):
    subprocess.run(["make", "-s", "-C", TOP / "HLeOs/HLeOs"], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    saved(HLEOS, ready=">", more="run c\nhalt\n", answer="C job: 2262 primes below 20000", status=33)


# Prints "r", waits for a key, prints it, and ends by the debug exit with 33.
BOOT_SECTOR = bytes.fromhex("b8720ecd10 31c0cd16 b40ecd10 b010e6f4 f4ebfd".replace(" ", ""))


def test_firmware_and_a_disk(vmm, scratch):
    """The firmware is SeaBIOS: its ROM, the contents of fw_cfg, and a disk, which must not be replaced by another."""
    disk = scratch / "disk.img"
    disk.write_bytes(BOOT_SECTOR.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    saved("", "--bios", "/usr/share/seabios/bios-256k.bin", "-m", "16M", "--disk", "@disk,overlay",
          ready="Hard Disk...\r\nr", more="k", answer="", status=33, disk=disk)


@pytest.fixture
def linux_with_drivers(scratch):
    """A kernel that supports VMGenID, and the options that add its drivers."""
    done = subprocess.run([TOP / "tools/kernels", "debian13"], check=False, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    layer = scratch / "modules.cpio"
    subprocess.run([TOP / "tools/kernels", "--modules", layer, "debian13", "virtio_mmio", "virtio_pci", "virtio_net",
                    "virtio_console", "virtio_blk", "virtiofs"], check=True, capture_output=True)
    subprocess.run(["make", "-s", "-C", TOP / "initramfs"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout.strip(), "--initrd", TOP / "build/initramfs/amd64/initramfs.cpio", "--initrd", layer


def test_linux_with_two_vcpus(vmm, linux_with_drivers, scratch):
    """One of its two vCPUs runs in a loop during the save, its devices are on PCI; a connection to itself through the
    host is open, and is reset. The restored guest gets the notification of its new generation. Its network, port and
    open files in a shared folder work as before, except a file without a name."""
    (scratch / "shared").mkdir()
    image, *options = linux_with_drivers
    nonce = os.urandom(8).hex()
    out = saved(image, "-c", 2, "-m", "160M", "--rng", "--virtio", "pci", *options, "--append", "quiet", "--net",
                "user,forward=tcp:@port:85", "--share", scratch / "shared", "--port", "log=file:%s" % (scratch / "log"),
                ready="re4dy",
                typed='nonce=%s; ' % nonce + 'mkdir /s; mount -t virtiofs share0 /s; cd /s; mkdir sub; '
                      'exec 5>> sub/open; echo one >&5; '
                      'echo gone > gone; exec 6< gone; rm gone; '
                      'ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; mkfifo /f; '
                      'tcp() { until grep -q ":0055 [0-9A-F:]* $1 " /proc/net/tcp*; do usleep 100000; done; }; '
                      'nc -l -p 85 > /dev/null & tcp 0A; (nc 10.0.2.2 @port < /f; echo nc) & exec 4> /f; tcp 01; '
                      '(while :; do :; done) & echo one > /dev/vport1p0; '
                      'sed "s/^/up /" /proc/uptime; echo re$((2 + 2))dy\n',
                more='taskset 1 true; taskset 2 true; usleep 300000; ping -c 1 -W 300 10.0.2.2 | grep 1.packets.r; '
                     'echo two > /dev/vport1p0; (echo x >&4); echo it has $nonce; echo two >&5; '
                     'cat <&6 || echo lo$((1))st; '
                     'sed "s/^/up /" /proc/uptime; '
                     'dmesg | grep -o "reseeded due to.*"; echo go$((1 + 1))n; poweroff -f\n',
                answer="go2n")
    assert re.search(r"^up \d", out, re.M) and "it has " + nonce in out, out
    assert "reseeded due to virtual machine fork" in out and "1 packets received" in out, out
    assert "TCP connections of its network are reset" in out, out
    assert "the guest shares %s.moved, to read and write (tag share0)\n" % (scratch / "shared") in out, out
    assert "1 of the files that the guest had open in %s.moved no longer exist" % (scratch / "shared") in out, out
    assert (scratch / "shared.moved/sub/open").read_text() == "one\ntwo\n" and "lo1st" in out, out
    assert (scratch / "log").read_text() == "one\ntwo\n", "the file is continued"
