#!/usr/bin/env python3
"""Measures a machine in QEMU's TCG with a small program (tests/hypervisor/guests/figure.c), as a guest and bare.

    guest.py call guest|bare                nanoseconds of a call to SBI and back, by the program's own clock
    guest.py ipi|device guest|bare          nanoseconds from an event to its handler
    guest.py timer|sbi-timer guest|bare     the same for a timer, with Sstc or without; an instruction takes 1 ns
                                            (-icount): else the emulator's timers wait for a host thread
    guest.py work one|two                   milliseconds of the same work on one hart, as one guest or two
    guest.py work-instructions one|two      millions of instructions of the same work
    guest.py late N                         the largest delay of 100 timers in microseconds, on a hart with N guests
                                            that only compute (an instruction takes 2 ns)
    guest.py share reboot|flood             per cent of a hart that a guest gets while its neighbour reboots all the
                                            time, with 40 MiB to load, or keeps its disk busy
    guest.py clone                          microseconds (an instruction takes 2 ns) for which a guest that uses 18 MiB
                                            is paused for a clone, the third of three
    guest.py exits                          exits of an interrupt to another vCPU and one back, on one hart; the mean
                                            for vCPUs that wait by wfi and by a suspend call
    guest.py exits sbi|files                exits of such a round for two vCPUs on their own harts, which wait by wfi
                                            and send by SBI calls, or by MSIs to their interrupt files
    guest.py switch                         nanoseconds (an instruction takes 2) from one vCPU to another on one hart
    guest.py crowd 1|2                      nanoseconds of a message of 100 bytes, with four pairs of vCPUs on 1 or 2
                                            harts; on one hart an instruction takes 2 ns
    guest.py memory                         KB of the hypervisor with one guest, without the guest's RAM
"""
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/hypervisor"))

import count  # noqa: E402
from hvmachine import (OUT, QEMU12, archive_of, command, compiled, cpio, make, monitor, run, spawn,  # noqa: E402
                       to_monitor, with_aia)

WORK = 200  # millions of steps
TIMERS = {"timer": "rv64", "sbi-timer": "rv64,sstc=off"}  # and the harts for them


def machine(folder, guests, work):
    """The command line of a machine with that many guests, which work, or measure if `work` is 0."""
    elf = compiled("figure", folder, WORK=work)
    manifest = "".join(f"vm figure{i} mem=8M kernel=figure.elf base=0x80000000\n" for i in range(guests))
    initrd = cpio(folder / "i", {"manifest": manifest, "figure.elf": elf})
    return command(QEMU12, OUT / "hypervisor.elf", initrd, "mux=lines", memory="256M")


def measured(folder, name, side):
    line = machine(folder, 1, 0)
    if side == "bare":
        line = command(QEMU12, folder / "figure.elf", memory="256M")
    if name in TIMERS:
        line[line.index("rv64")] = TIMERS[name]
        line += ["-icount", "shift=0"]
        name = "timer"
    status, output = run(line)
    found = re.search(rf"figure: {name} (\d+) ns", output)
    if status != 0 or not found:
        sys.exit("guest.py: it did not measure:\n" + output[-1000:])
    return int(found.group(1))


def work(folder, guests):
    """Real time from the first guest's start to the last one's end."""
    line = machine(folder, guests, WORK // guests)
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        begun, ended = None, 0
        for text in child.stdout:
            begun = begun or (time.monotonic() if b"figure: begun" in text else None)
            ended += b"figure: worked" in text
            if ended == guests:
                end = time.monotonic()
                child.kill()
                break
    if ended != guests:
        sys.exit("guest.py: the guests did not end their work")
    return 1e3 * (end - begun)


def work_instructions(folder, guests):
    return count.instructions(machine(folder, guests, WORK // guests), b"figure: worked", guests) / 1e6


SLOW = ["-icount", "shift=1,sleep=off"]


def seen(folder, guests, pattern, harts=1, **files):
    """The first number in the output that matches `pattern`; guests: name -> (source, definitions, keys of the
    manifest)."""
    elves = {f"{name}.elf": compiled(source, folder, f"{name}.elf", **defines)
             for name, (source, defines, _) in guests.items()}
    manifest = "".join(f"vm {name} kernel={name}.elf base=0x80000000 {keys}\n"
                       for name, (_, _, keys) in guests.items())
    initrd = cpio(folder / "i", {"manifest": manifest, **elves, **files})
    line = command(QEMU12, OUT / "hypervisor.elf", initrd, "mux=lines", harts, more=SLOW if harts == 1 else ())
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        for text in child.stdout:
            found = re.search(pattern, text)
            if found:
                child.kill()
                return int(found.group(1))
    sys.exit("guest.py: the guests did not measure")


def spinner(seconds):
    return "spin", {"SECONDS": seconds, "HARTS": 1}, "mem=8M"


def late(folder, spinners):
    guests = {"late": ("late", {}, "mem=8M"), **{f"s{i}": spinner(3) for i in range(spinners)}}
    return seen(folder, guests, rb"on average, (\d+) us at worst")


def share(folder, neighbour):
    guests = {"again": ("again", {}, "mem=64M initrd=big")} if neighbour == "reboot" else \
        {"flood": ("flood", {"DISK": 1, "RAM": "0x4000000u"}, "mem=64M disk=big")}
    rounds = rb"s: spin: (\d+) rounds"
    both = seen(folder, {"s": spinner(2), **guests}, rounds, big=bytes((40 if neighbour == "reboot" else 8) << 20))
    return 100 * both / seen(folder, {"s": spinner(2)}, rounds)


def pingpong(folder, times):
    """Two vCPUs on one hart send each other interrupts and sleep in between: by wfi, then by suspend."""
    elf = compiled("pingpong", folder, TIMES=times, LOOPS=1)
    awake = compiled("tick", folder, TICKS=100000)  # an idle machine would not read typed input
    manifest = "vm p cpus=2 mem=8M kernel=p base=0x80000000\nvm tick mem=8M kernel=tick base=0x80000000\n"
    initrd = cpio(folder / "i", {"manifest": manifest, "p": elf, "tick": awake})
    return command(QEMU12, OUT / "hypervisor.elf", initrd, "mux=lines", memory="256M", more=SLOW)


def exits(folder, times):
    """All exits of this guest until it has ended."""
    child = spawn(pingpong(folder, times))
    child.expect("pingpong: done")
    to_monitor(child)
    found = re.search(r"(\d+) in all", monitor(child, "exits p"))
    child.close(force=True)
    return int(found.group(1))


def exits_of_two_harts(folder, key, times):
    """All exits of a guest whose vCPUs make that many rounds, each on its own hart, on which they also wait."""
    defines = {"TIMES": times, "FEW": 1, "FIRST": f"'{key}'"}
    guests = {"files": ("files", defines, {"cpus": 2, "more": "harts=0-1 interrupts=imsic"})}
    line = command(QEMU12, OUT / "hypervisor.elf", archive_of(folder, guests), harts=2, memory="256M")
    child = spawn(with_aia(line, files=1))
    child.expect("interrupts answered")
    to_monitor(child)
    found = re.search(r"(\d+) in all", monitor(child, "exits files"))
    child.close(force=True)
    return int(found.group(1))


def clone(folder):
    elf = compiled("own", folder, END="0x81000000")
    initrd = cpio(folder / "i", {"manifest": "vm own mem=20M kernel=own base=0x80000000\n", "own": elf})
    child = spawn(command(QEMU12, OUT / "hypervisor.elf", initrd, "mux=lines", memory="256M", more=SLOW))
    child.expect("round 2")
    to_monitor(child)
    child.send("clone own 3\r")
    for _ in range(3):
        child.expect(r"cloned as \S+, guest \d+, in (\d+) us")
    child.close(force=True)
    return int(child.match.group(1))


def switch(folder):
    return seen(folder, {"c": ("crowd", {"HARTS": 2, "MESSAGES": 0}, "mem=8M cpus=2")}, rb"(\d+) ns a switch")


def crowd(folder, harts):
    guests = {"c": ("crowd", {"HARTS": 8, "MESSAGES": 10000}, "mem=8M cpus=8")}
    return seen(folder, guests, rb"(\d+) ns a message", harts)


def memory(folder):
    line = machine(folder, 1, WORK)
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for text in child.stdout:
            if b"figure: begun" in text:
                child.stdin.write(b"\x01mmemory\r")
                child.stdin.flush()
            found = re.search(rb"hv: (\d+) KiB in all", text)
            if found:
                child.kill()
                return int(found.group(1)) * 1024 / 1000
    sys.exit("guest.py: the monitor did not answer")


def main():
    words = sys.argv[1:]
    make("all")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(words) == 2 and words[0] in ("call", "ipi", "device", *TIMERS) and words[1] in ("guest", "bare"):
            print(measured(folder, *words))
        elif words in (["work", "one"], ["work", "two"]):
            print(f"{work(folder, 1 + (words[1] == 'two')):.0f}")
        elif words in (["work-instructions", "one"], ["work-instructions", "two"]):
            print(f"{work_instructions(folder, 1 + (words[1] == 'two')):.1f}")
        elif len(words) == 2 and words[0] == "late" and words[1].isdigit():
            print(late(folder, int(words[1])))
        elif words in (["share", "reboot"], ["share", "flood"]):
            print(f"{share(folder, words[1]):.1f}")
        elif words == ["clone"]:
            print(clone(folder))
        elif words == ["exits"]:
            print(f"{(exits(folder, 419) - exits(folder, 19)) / 800:.1f}")
        elif words in (["exits", "sbi"], ["exits", "files"]):
            key = "i" if words[1] == "sbi" else "g"
            counts = [exits_of_two_harts(folder, key, times) for times in (1000, 5000)]
            print(f"{(counts[1] - counts[0]) / 4000:.3f}")
        elif words == ["switch"]:
            print(switch(folder))
        elif words in (["crowd", "1"], ["crowd", "2"]):
            print(crowd(folder, int(words[1])))
        elif words == ["memory"]:
            print(f"{memory(folder):.0f}")
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
