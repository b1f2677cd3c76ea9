"""Runs where the VMM runs, for test_blk.py: it kills the VMM while its guest writes to a disk, and checks the disk.

    disk_host.py COUNT COMMAND...      @DISK@ stands for the disk

The guest boots once: it is saved before it mounts the disk, and each time restored from there, with the disk of that
time. It prints "ready", waits for a line, and prints "synced N SHA256" for each file f$((N % 20)) that it has synced.
"""
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 500
KEPT = 18  # the files of so many last rounds; older ones may be overwritten
count, command = int(sys.argv[1]), sys.argv[2:]
folder = tempfile.TemporaryDirectory(dir="/var/tmp")  # the lab's shared folders have no sockets
base, disk, where, saved = (folder.name + "/" + name for name in ("base", "disk", "unix", "saved"))


def run(*words, statuses=(0,), text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode in statuses, done
    return done.stdout


def start(*words):
    return subprocess.Popen([command[0], *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def until(vmm, word):
    """The output until the word; incomplete lines are dropped."""
    said = b""
    for line in vmm.stdout:
        said += line
        if line.startswith(word):
            return said
    sys.exit("it ends with status %s: %s" % (vmm.wait(), said[-1000:]))


def kill(vmm):
    """Kills the VMM. Returns the output that until() has not returned: communicate() would drop the buffered part."""
    vmm.kill()
    vmm.stdin.close()
    rest = vmm.stdout.read()
    assert vmm.wait() == -9, vmm.returncode
    return rest


def check(said):
    """Checks the files whose sync has returned. Returns their number."""
    run("/sbin/e2fsck", "-fp", disk, statuses=(0, 1))
    run("/sbin/e2fsck", "-fn", disk)
    sums = {int(n): sha for n, sha in re.findall(r"synced (\d+) ([0-9a-f]{64})\s", said.decode())}
    rounds = range(max(1, max(sums) - KEPT), max(sums) + 1)
    run("/sbin/debugfs", "-f", "-", disk, text="".join("dump /f%d %s/%d\n" % (n % 20, folder.name, n) for n in rounds))
    for n in rounds:
        with open("%s/%d" % (folder.name, n), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == sums[n], (n, max(sums))
        os.remove(file.name)
    return len(rounds)


with open(base, "wb") as file:
    file.truncate(48 << 20)
run("/sbin/mkfs.ext4", "-q", base)
shutil.copy2(base, disk)  # with its times: a snapshot needs an unchanged disk
first = start("--control", "unix:" + where, "--eof", "none", *(word.replace("@DISK@", disk) for word in command[1:]))
until(first, b"ready")
run(command[0], "ctl", "unix:" + where, "snapshot", saved)
kill(first)
chance, files, begun = random.Random(14), 0, time.monotonic()
for number in range(count):
    shutil.copy2(base, disk)
    vmm = start("--restore", saved, "--eof", "none", "--timeout", str(LIMIT))
    vmm.stdin.write(b"go\n")
    vmm.stdin.flush()
    last = chance.randrange(3, 40)
    text = until(vmm, b"synced %d " % last)
    time.sleep(chance.uniform(0, 0.1))  # at any point of its next operations
    files += check(text + kill(vmm))
    print("killed %d after round %d: %d files, %.1f s a kill" % (
        number + 1, last, files, (time.monotonic() - begun) / (number + 1)), flush=True)
