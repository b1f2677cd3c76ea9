"""Snapshots: a guest is saved by the control socket, its VMM killed, and another goes on with it."""
import json
import subprocess

import pytest

from tests.support import TOP, lab_run
from tests.vmm.test_control import START

HLEOS = TOP / "build/hleos/hleos.elf"

# argv: program, image, options, what it prints when it is to be saved (after `typed`), what is typed then, what it
# prints, its status.
SAVED = START + r"""
import re
ready, typed, more, answer, status = [json.loads(word) for word in sys.argv[4:9]]
where, folder = 'unix:' + runtime + '/s', runtime + '/saved'
vmm = subprocess.Popen([program, '--control', where, *json.loads(sys.argv[3]), image], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
vmm.stdin.write(typed.encode())
until('it is not ready', lambda: ready in ask(where, 'log')['text'])
done = ctl(where, 'snapshot', folder)
assert done[0] == 0, done
assert ctl(where, 'snapshot', folder)[0] == 1 and state(where) == 'running', 'it is there already'
vmm.kill()
vmm.communicate()
assert not os.path.exists(folder + '.tmp')
done = subprocess.run([program, 'snapshot', 'verify', folder], capture_output=True, text=True, timeout=LIMIT)
assert done.returncode == 0 and 'good   ram' in done.stdout, done
again = subprocess.run([program, '--restore', folder, '--timeout', '150'], input=more.encode(), capture_output=True,
                       timeout=LIMIT)
assert again.returncode == status and answer.encode() in again.stdout, again

def refused(name, change, *words):
    path = folder + '/' + name
    kept = open(path, 'rb').read()
    open(path, 'wb').write(change(kept))
    done = subprocess.run([program, '--restore', folder, '--timeout', '20'], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT)
    open(path, 'wb').write(kept)
    assert done.returncode == 125 and done.stdout == '' and done.stderr.count('\n') == 1, (name, done)
    assert all(word in done.stderr for word in words), (name, done)

if len(sys.argv) > 9:
    refused('machine.json', lambda b: re.sub(b'"format":[0-9]+', b'"format":9', b), 'format 9', 'kvm-vmm 0.1')
    refused('machine.json', lambda b: b.replace(b'"vcpus":1', b'"vcpus":2'), 'damaged')
    refused('machine.json', lambda b: b[:-20], 'not JSON')
    refused('state', lambda b: b[:-1], 'not a file of')
    refused('state', lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:], 'damaged')
    refused('sum', lambda b: b'x' * 23, 'sum')
    os.truncate(folder + '/ram', 4096)
    refused('sum', lambda b: b, 'ram')
"""


def saved(image, *options, ready, typed="", more, answer, status=0, harm=False):
    words = [json.dumps([str(o) for o in options]), *map(json.dumps, (ready, typed, more, answer, status))]
    result = lab_run("python3", "-c", SAVED, TOP / "kvm-vmm-x86/kvm-vmm", image, *words, *(["harm"] if harm else []))
    assert result.status == 0, result


def test_1k_os_and_damaged_folders(vmm):
    saved(TOP / "kvm-vmm-x86/os-1k/kernel.bin", "-p", ready="1k>", more="help\nexit\n", answer="Commands", harm=True)


def test_real_mode(vmm):
    saved(vmm.guest("echo"), ready="one", typed="one\n", more="two\n", answer="two")


def test_hleos(vmm):
    subprocess.run(["make", "-s", "-C", TOP / "HLeOs/HLeOs"], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    saved(HLEOS, ready=">", more="run c\nhalt\n", answer="C job: 2262 primes below 20000", status=33)


def test_linux_with_two_vcpus(vmm, scratch):
    """One of its two vCPUs is in a loop when it is saved; it has a device by PCI."""
    done = subprocess.run([TOP / "tools/kernels", "cloud"], check=False, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    subprocess.run(["make", "-s", "-C", TOP / "initramfs"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    modules = scratch / "modules.cpio"
    subprocess.run([TOP / "tools/kernels", "--modules", modules, "cloud", "virtio_pci", "virtio_rng"], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    saved(done.stdout.strip(), "-c", 2, "-m", "128M", "--rng", "--virtio", "pci", "--initrd",
          TOP / "build/initramfs/amd64/initramfs.cpio", "--initrd", modules, "--append", "quiet", ready="re4dy",
          typed='(while :; do :; done) & echo re$((2 + 2))dy\n',
          more='taskset 1 true; taskset 2 true; usleep 300000; '
               'echo go$((1 + 1))n$(dmesg | grep -c stall)r$(head -c 8 /dev/hwrng | wc -c); poweroff -f\n',
          answer="go2n0r8")
