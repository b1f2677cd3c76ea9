#!/usr/bin/python3
"""One figure of a running Linux that is saved, restored or copied: Debian's cloud kernel, 2 vCPUs, 256 MB, whose shell
prints in a loop.

    bench/linux/copies.py FIGURE SIDE     in the lab (lab/lab run), where KVM is complete
    FIGURE  pause     milliseconds until the guest is paused
            state     of saving its registers and devices, while it is paused
            save      of a snapshot to a tmpfs, until it is complete
            restore   from the program's start to the next output of the guest
            fork      of a copy, until it runs; fork-64: of 64 copies
            memory    KB of private memory of a copy at its start; memory-64: for fork-64
            each      seconds for 200 commands in copies of one boot; boots: in 200 boots (20 times the time of 10)
    SIDE    kvm-vmm; QEMU by migration to a file: migrate; by savevm and loadvm: savevm
"""
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VMM = TOP / "kvm-vmm-x86/kvm-vmm"
INITRD = TOP / "build/initramfs/amd64/initramfs.cpio"
TIMED = TOP / "build/kvm-vmm-x86/saved"  # tests/vmm/wrapped/saved.c
APPEND = "console=ttyS0 quiet panic=-1 reboot=t"
LIMIT = 300
ROUNDS = 5


def kernel(*words):
    done = subprocess.run([TOP / "tools/kernels", *words, "cloud"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Machine:
    """A program that runs the guest. A thread reads its output, so that it never blocks."""

    def __init__(self, line):
        self.begun, self.first, self.text = time.monotonic(), None, b""
        self.process = subprocess.Popen([str(word) for word in line], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        self.errors = ""
        for read in (self.read, self.read_errors):
            threading.Thread(target=read, daemon=True).start()

    def read(self):
        while True:
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return
            self.first = self.first or time.monotonic()
            self.text = (self.text + more)[-4096:]

    def read_errors(self):
        for line in self.process.stderr:
            self.errors += line.decode("utf-8", "replace")

    def until(self, condition):
        while not condition():
            if time.monotonic() > self.begun + LIMIT or self.process.poll() is not None:
                sys.exit("copies.py: the machine stopped: %r %s" % (self.text[-500:], self.errors[-500:]))
            time.sleep(0.0005)

    def to_loop(self):
        self.until(lambda: b"guest# " in self.text)
        self.process.stdin.write(b"while :; do echo tick; done\n")
        self.until(lambda: self.text.count(b"\ntick\r") > 10)

    def first_output(self):
        self.until(lambda: self.first)
        return self.first - self.begun

    def kill(self):
        self.process.kill()
        self.process.wait()


class Ours:
    """kvm-vmm and its control socket."""

    def __init__(self, folder, program=VMM):
        self.folder, self.path, self.program = folder, folder + "/s", program
        self.line = ["--control", "unix:" + self.path]
        self.guest = ["-c", "2", "-m", "256M", "--append", APPEND, "--initrd", INITRD, kernel()]

    def start(self):
        return Machine([self.program, *self.line, *self.guest])

    def ask(self, verb, **more):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            s.sendall(json.dumps({"version": 1, "verb": verb, **more}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                answer += s.recv(65536)
        if not json.loads(answer)["ok"]:
            sys.exit("copies.py: %s: %s" % (verb, answer.decode()))
        return json.loads(answer)

    def save(self, name):
        subprocess.run([VMM, "ctl", "unix:" + self.path, "snapshot", self.folder + "/" + name], check=True,
                       stdout=subprocess.DEVNULL)

    def restore(self, name):
        return Machine([self.program, "--restore", self.folder + "/" + name])

    def pause(self):
        self.ask("pause")

    def resume(self):
        self.ask("resume")


class Qemu:
    """QEMU's q35 and its monitor. `way`: migrate or savevm."""

    def __init__(self, folder, way):
        self.folder, self.way, self.path = folder, way, folder + "/monitor"
        self.line = ["qemu-system-x86_64", "-M", "q35", "-enable-kvm", "-cpu", "host", "-smp", "2", "-m", "256M",
                     "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-append", APPEND,
                     "-kernel", kernel(), "-initrd", INITRD, "-monitor", "unix:%s,server,nowait" % self.path]
        if way == "savevm":
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", folder + "/disk", "1M"], check=True)
            self.line += ["-drive", "file=%s/disk,if=none" % folder]

    def start(self):
        return Machine(self.line)

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            text = b""
            for line in (b"", command.encode() + b"\n"):
                s.sendall(line)
                text = b""
                while not text.endswith(b"(qemu) "):
                    text += s.recv(65536)
        if b"rror" in text:
            sys.exit("copies.py: %s: %s" % (command, text.decode()))

    def save(self, name):
        if self.way == "savevm":
            self.ask("savevm " + name)
            return
        self.ask("migrate_set_parameter max-bandwidth 100G")
        self.ask('migrate "exec:cat > %s/%s"' % (self.folder, name))

    def restore(self, name):
        more = ["-loadvm", name] if self.way == "savevm" else ["-incoming", "exec:cat %s/%s" % (self.folder, name)]
        return Machine([*self.line, *more])

    def pause(self):
        self.ask("stop")

    def resume(self):
        self.ask("cont")


def timed(work):
    begun = time.monotonic()
    work()
    return 1e3 * (time.monotonic() - begun)


def pauses(side):
    times = []
    for _ in range(ROUNDS):
        times.append(timed(side.pause))
        side.resume()
        time.sleep(0.05)
    return statistics.median(times)


def saves(side):
    times = []
    for i in range(ROUNDS):
        times.append(timed(lambda name="saved%d" % i: side.save(name)))
        if isinstance(side, Qemu):
            side.resume()  # it is paused after a migration
    return statistics.median(times)


def restores(side, machine):
    side.save("saved")
    machine.kill()
    times = []
    for _ in range(ROUNDS):
        again = side.restore("saved")
        times.append(1e3 * again.first_output())
        again.kill()
    return statistics.median(times)


def own_kb(pid):
    rows = [line.split() for line in Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines()]
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Clean:", "Private_Dirty:"))


def forks(side, count, memory):
    """The time until all copies run, or the KB of private memory in each."""
    values = []
    for _ in range(1 if count > 1 else ROUNDS):
        copies = []
        took = timed(lambda: copies.extend(side.ask("fork", count=count)["copies"]))
        values.append(statistics.median(own_kb(copy["pid"]) for copy in copies) if memory else took)
        for copy in copies:
            subprocess.run([VMM, "ctl", copy["name"], "stop"], check=True)
    return statistics.median(values)


def commands(figure, folder):
    """The seconds for 200 commands. For 200 boots, 10 boots are measured and multiplied by 20."""
    lines = folder + "/lines"
    Path(lines).write_text("".join("%d\n" % i for i in range(200)))
    line = [str(VMM), "run", "--kernel", kernel("--tree")]
    if figure == "each":
        return timed(lambda: subprocess.run([*line, "--each", lines, "--", "true"], check=True,
                                            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) / 1e3
    return 20 * sum(timed(lambda: subprocess.run([*line, "--", "true"], check=True, stdin=subprocess.DEVNULL))
                    for _ in range(10)) / 1e3


def measure(figure, name, folder):
    if figure in ("each", "boots"):
        return commands(figure, folder)
    side = Ours(folder, TIMED if figure == "state" else VMM) if name == "kvm-vmm" else Qemu(folder, name)
    machine = side.start()
    try:
        machine.to_loop()
        if figure == "pause":
            return pauses(side)
        if figure == "restore":
            return restores(side, machine)
        if figure == "save":
            return saves(side)
        if figure == "state":
            saves(side)
            return statistics.median(float(us) for us in re.findall(r"^saved ([\d.]+)$", machine.errors, re.M)) / 1e3
        return forks(side, 64 if figure.endswith("-64") else 1, figure.startswith("memory"))
    finally:
        machine.kill()


FIGURES = "pause state save restore fork fork-64 memory memory-64 each boots".split()


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in FIGURES or sys.argv[2] not in ("kvm-vmm", "migrate", "savevm"):
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(dir="/dev/shm")
    try:
        print("%.3f" % measure(sys.argv[1], sys.argv[2], folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
