#!/usr/bin/python3
"""Measures the figures of `make bench`: each in the table is measured in one run together with the programs it is
compared to.

    bench/bench.py [--rounds N] [WORD]...     only the figures whose name contains one of the words

The sides of a figure take turns, so that other load on the machine affects all of them equally. The table shows the
median, the range in brackets, and the ratio of the first side to the best of the others. It writes results.json,
table.txt, and plot.svg if gnuplot is installed, to build/bench.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
OUT = TOP / "build/bench"
WATCH = "build/bench/stopwatch"
VMM = "kvm-vmm-x86/kvm-vmm"
BARE = "build/bench/vmm/bare"
GUEST = "kvm-vmm-x86/guest/"
EXITS = GUEST + "test/stream/exits.bin"
BOOT = "/usr/bin/python3 bench/hypervisor/boot.py"  # Debian's python: it has pexpect
RISCV_GUEST = "/usr/bin/python3 bench/hypervisor/guest.py"
OS1K = "/usr/bin/python3 bench/os1k/figure.py "
HLEOS = "/usr/bin/python3 HLeOs/HLeOs/tools/bench.py build/hleos/hleos-stripped.elf "
HLEOS_KPTI = HLEOS.replace("hleos-", "hleos-kpti-")
HLEOS_GUEST = "/usr/bin/python3 bench/hleos/figure.py "
EXITS_MADE = 50000  # hypercalls that exits.S makes
LINES, BLOCKS = 60000, 8192000  # bytes that lines.S prints one by one, and blocks.S in pieces of 4 KB
RESETS = "build/kvm-vmm-x86/lib/resets %stest/library/dirty.elf 50 2 " % GUEST
INSTRUCTIONS = "/usr/bin/python3 bench/vmm/instructions.py "


@dataclass
class Figure:
    """A quantity. Each side is a command that prints one number; `scale` turns it into the unit."""
    name: str
    unit: str
    goal: str
    sides: dict
    scale: callable = lambda number: number
    in_lab: bool = True  # where KVM is complete; False: here, for machines that are emulated anyway
    exact: bool = False  # counted and not timed: one run is enough
    rounds: int = 99  # at most; the boot of a whole system takes seconds
    of_lab: bool = False  # about the lab's machine: skipped if commands run on the host


def exits_per_second(guests):
    sides = {"kvm-vmm": " ".join([WATCH, "span", VMM, *[EXITS] * guests])}
    if guests == 1:
        sides["kvm-vmm --record"] = " ".join([WATCH, "span", VMM, "--record /dev/null", EXITS])
    return Figure("exits, %d vCPU%s" % (guests, "s"[guests == 1:]), "1,000/s", "", sides,
                  lambda us: guests * EXITS_MADE / us * 1e3)


def hleos(name, figure):
    """A figure of HLeOs: instructions that QEMU counts, and cycles on the VMM."""
    return [Figure("HLeOs: " + name, "instructions", "", {"QEMU -icount": HLEOS + figure}, in_lab=False, exact=True),
            Figure("HLeOs: " + name, "guest cycles", "", {"kvm-vmm": HLEOS_GUEST + figure})]


def linux(name, unit, goal, metric, sides, program="boot.py", **options):
    """A boot of Debian's cloud kernel in each VMM; QEMU also boots the vmlinux inside, by its PVH entry."""
    names = {"kvm-vmm": "kvm-vmm", "microvm": "QEMU microvm", "microvm-elf": "QEMU microvm, PVH", "q35": "QEMU q35"}
    return Figure("Linux: " + name, unit, goal,
                  {names[side]: "/usr/bin/python3 bench/linux/%s %s %s" % (program, metric, side) for side in sides},
                  **options)


def disk(name, goal, work):
    """A request to a guest's disk: its time, and its exits."""
    names = {"kvm-vmm": "kvm-vmm", "kvm-vmm-pci": "kvm-vmm, PCI", "microvm": "QEMU microvm", "q35": "QEMU q35"}

    def sides(metric):
        return {names[side]: "/usr/bin/python3 bench/linux/disk.py %s %s %s" % (metric, work, side) for side in names}
    return [Figure("disk: " + name, "us", goal, sides("time"), rounds=3),
            Figure("disk: exits of " + name, "", "", sides("exits"), exact=True)]


def network(name, unit, goal, work):
    """A guest's TCP connection to a server on the host: its time, and its exits."""
    names = {"kvm-vmm": "kvm-vmm", "kvm-vmm-pci": "kvm-vmm, PCI", "microvm": "QEMU microvm", "q35": "QEMU q35"}

    def sides(metric):
        return {names[side]: "/usr/bin/python3 bench/linux/net.py %s %s %s" % (metric, work, side) for side in names}
    return [Figure("network: " + name, "us/" + unit, goal, sides("time"), rounds=3),
            Figure("network: exits, " + name, "1/" + unit, "", sides("exits"), exact=True)]


def folder(name, work):
    """A task in a shared folder of the host: its time, and its exits."""
    names = {"kvm-vmm": "kvm-vmm", "kvm-vmm-pci": "kvm-vmm, PCI", "microvm": "QEMU microvm, 9p", "q35": "QEMU q35, 9p",
             "virtiofsd": "QEMU q35, virtiofsd"}

    def sides(metric):
        return {names[side]: "/usr/bin/python3 bench/linux/folder.py %s %s %s" % (metric, work, side) for side in names}
    return [Figure("shared folder: " + name, "ms", "1.0 of the best other", sides("time"), rounds=3),
            Figure("shared folder: exits of " + name, "", "", sides("exits"), exact=True)]


def runs():
    """`kvm-vmm run -- true` from its start to its end, and other programs that boot the kernel."""
    names = {"run": "kvm-vmm run", "boot": "kvm-vmm, to init", "microvm": "QEMU microvm, a ramdisk",
             "q35": "QEMU q35, a ramdisk"}
    if (OUT / "virtme").exists():  # `make -C bench virtme`
        names["vng"] = "virtme-ng"
    return Figure("run -- true", "ms", "1.15 of kvm-vmm to init",
                  {names[side]: "/usr/bin/python3 bench/linux/run.py " + side for side in names}, rounds=5)


def copies(name, unit, goal, figure, *peers):
    """A Linux with two vCPUs that is saved, restored or copied (bench/linux/copies.py)."""
    names = {"kvm-vmm": "kvm-vmm", "migrate": "QEMU, migrate to a file", "savevm": "QEMU, savevm and loadvm"}
    sides = {names[side]: "/usr/bin/python3 bench/linux/copies.py %s %s" % (figure, side)
             for side in ("kvm-vmm", *peers)}
    return Figure("copies: " + name, unit, goal, sides, exact=True)


LINUX_SIDES = ("kvm-vmm", "microvm", "microvm-elf", "q35")
FIGURES = [
    Figure("hypercall exit and return", "us", "within 5 % of bare KVM_RUN", {
        "kvm-vmm": "%s span %s %s" % (WATCH, VMM, EXITS),
        "bare KVM_RUN": "%s span %s %s" % (WATCH, BARE, EXITS),
    }, lambda us: us / EXITS_MADE),
    Figure("hypercall exit, processor time", "us", "with a log within 10 % of without", {
        "kvm-vmm --log": "%s cpu %s --log /dev/null --log-size 1000 %s" % (WATCH, VMM, EXITS),
        "kvm-vmm --stats": "%s cpu %s --stats %s" % (WATCH, VMM, EXITS),
        "kvm-vmm": "%s cpu %s %s" % (WATCH, VMM, EXITS),
        "bare KVM_RUN": "%s cpu %s %s" % (WATCH, BARE, EXITS),
    }, lambda us: us / EXITS_MADE),
    *[Figure("the VMM's own work for an exit, " + name, "instructions", "250", {
        "kvm-vmm": INSTRUCTIONS + word,
        "kvm-vmm --stats": INSTRUCTIONS + word + " --stats",
        "kvm-vmm --log": INSTRUCTIONS + word + " --log /dev/null --log-size 1000",
        "kvm-vmm --record": INSTRUCTIONS + word + " --record /dev/null",
    }, in_lab=False, exact=True) for word, name in (
        ("putchar", "hypercall PUTCHAR"), ("uart", "UART write"), ("port", "unclaimed port"), ("mmio", "MMIO"))],
    Figure("output through a pipe, byte by byte", "MB/s", "", {
        "PUTCHAR": "%s span %s %stest/stream/lines.bin" % (WATCH, VMM, GUEST),
    }, lambda us: LINES / us),
    Figure("output through a pipe, 4 KB by 4 KB", "MB/s", "", {
        "WRITE": "%s span %s %stest/stream/blocks.bin" % (WATCH, VMM, GUEST),
    }, lambda us: BLOCKS / us),
    Figure("start to first output", "ms", "2 ms more than bare ioctls at most", {
        "kvm-vmm": "%s first %s %sminimal.bin" % (WATCH, VMM, GUEST),
        "bare ioctls": "%s first %s %sminimal.bin" % (WATCH, BARE, GUEST),
    }, lambda us: us / 1e3),
    Figure("resident memory beyond guest RAM", "KB", "below 2,048", {
        "kvm-vmm": "%s resident %s %stest/stream/name.bin" % (WATCH, VMM, GUEST),
        "bare ioctls": "%s resident %s %stest/stream/name.bin" % (WATCH, BARE, GUEST),
    }),
    *[Figure("reset by dirty pages, 50 of them: " + name, unit, "tens of microseconds a reset", {
        "libkvmvmm, this host's KVM" if here else "libkvmvmm": RESETS + word}, in_lab=not here)
      for here in (False, True) for name, word, unit in (
          ("resets", "second", "1/s"), ("a reset", "reset", "us"), ("a page", "page", "us"),
          ("run between", "run", "us"))],
    linux("start to init's first line", "ms", "0.6 of the best other", "warm", LINUX_SIDES, rounds=3),
    linux("the same from a cold cache", "ms", "0.6 of the best other", "cold", LINUX_SIDES, rounds=3),
    *[linux("what the lab computes for it, " + cache, "ms", "0.6 of the best other", cache, LINUX_SIDES,
            program="effort.py", rounds=5, in_lab=False, of_lab=True) for cache in ("warm", "cold")],
    linux("exits to userspace until then", "", "below 1,000", "exits", LINUX_SIDES, exact=True),
    linux("resident beside guest RAM", "KB", "below 5,120", "resident", ("kvm-vmm", "microvm", "q35"), exact=True),
    *disk("a random read of 4 KB", "1.0 of the best other", "random-1"),
    *disk("a random read of 4 KB, 32 at a time", "0.77 of the best other", "random-32"),
    *disk("a read of 128 KB, 4 at a time", "1.0 of the best other", "read"),
    *disk("a write of 128 KB, 4 at a time", "1.0 of the best other", "write"),
    *[row for kind, peer in (("user", "slirp"), ("tap", "tap")) for row in (
        *network("sent by " + peer, "MB", "1.0 of the best other", kind + "-send"),
        *network("received by " + peer, "MB", "1.0 of the best other", kind + "-receive"),
        *network("there and back by " + peer, "trip", "1.0 of the best other", kind + "-trip"))],
    *folder("find over a source tree", "find"),
    *folder("tar of a source tree", "tar"),
    *folder("a read of 64 MB", "read"),
    *folder("ten files compiled", "compile"),
    runs(),
    copies("pause", "ms", "", "pause", "migrate"),
    copies("registers and devices saved", "ms", "", "state"),
    copies("a snapshot to a tmpfs", "ms", "", "save", "migrate", "savevm"),
    copies("start of a restore to the guest's output", "ms", "twice an empty VM", "restore", "migrate", "savevm"),
    copies("one until it runs", "ms", "three times an empty VM", "fork"),
    copies("64 until they run", "ms", "", "fork-64"),
    copies("memory of one at its beginning", "KB", "", "memory"),
    copies("memory of one of 64", "KB", "", "memory-64"),
    Figure("copies: 200 commands", "s", "", {
        "run --each": "/usr/bin/python3 bench/linux/copies.py each kvm-vmm",
        "200 boots": "/usr/bin/python3 bench/linux/copies.py boots kvm-vmm"}, exact=True),
    exits_per_second(1),
    exits_per_second(2),
    exits_per_second(4),
    Figure("1K OS: system call round trip", "guest cycles", "", {"kvm-vmm": OS1K + "call"}),
    Figure("1K OS: context switch", "guest cycles", "", {"kvm-vmm": OS1K + "switch"}),
    Figure("1K OS: spawn, run, exit, wait", "guest cycles", "", {"kvm-vmm": OS1K + "spawn"}),
    Figure("1K OS: exits of boot, then exit", "", "below 150", {"kvm-vmm": OS1K + "boot-exits"}),
    Figure("1K OS: exits of 16,000 system calls", "", "", {"kvm-vmm": OS1K + "call-exits"}),
    Figure("1K OS: exits of 32,000 context switches", "", "", {"kvm-vmm": OS1K + "switch-exits"}),
    Figure("1K OS: exits of 320 spawns", "", "", {"kvm-vmm": OS1K + "spawn-exits"}),
    *[Figure("hypervisor: Debian's boot, " + name, unit, goal, {
        "guest": "%s %s guest" % (BOOT, word),
        "bare": "%s %s bare" % (BOOT, word),
        "guest, Sv39": "%s %s guest no4lvl" % (BOOT, word),
        "bare, Sv39": "%s %s bare no4lvl" % (BOOT, word),
    }, in_lab=False, exact=word == "instructions") for name, word, unit, goal in (
        ("wall time", "wall", "ms", "within 5 % of bare"),
        ("processor time", "cpu", "ms", ""),
        ("instructions", "instructions", "million", "within 1 % of bare"))],
    Figure("hypervisor: exits of a quiet Debian boot", "", "below 1,500", {"guest": BOOT + " exits"}, in_lab=False),
    Figure("hypervisor: the same by interrupt files, with a virtio console", "", "below 300", {
        "guest": BOOT + " exits files"}, in_lab=False),
    Figure("hypervisor: exits of a read of 4 KB by Debian", "", "", {
        "by files of the harts' IMSICs": BOOT + " reads files", "by a PLIC": BOOT + " reads plic"}, in_lab=False),
    *[Figure("hypervisor: " + name, "ns", "", {
        "guest": "%s %s guest" % (RISCV_GUEST, word),
        "bare, on OpenSBI": "%s %s bare" % (RISCV_GUEST, word),
    }, in_lab=False) for name, word in (
        ("ecall round trip", "call"), ("software interrupt latency", "ipi"), ("device interrupt latency", "device"),
        ("timer latency at 1 instruction a ns", "timer"), ("the same without Sstc", "sbi-timer"))],
    Figure("hypervisor: the same work on one hart", "ms", "", {
        "two guests": RISCV_GUEST + " work two",
        "one guest": RISCV_GUEST + " work one",
    }, in_lab=False),
    Figure("hypervisor: instructions of that", "million", "", {
        "two guests": RISCV_GUEST + " work-instructions two",
        "one guest": RISCV_GUEST + " work-instructions one",
    }, in_lab=False, exact=True),
    Figure("hypervisor: a timer's lateness at worst, beside spinners", "us", "below 500", {
        "%d spinners" % n: RISCV_GUEST + " late %d" % n for n in (8, 4, 1, 0)}, in_lab=False, exact=True),
    Figure("hypervisor: a guest's share of a hart", "%", "above 45", {
        "its neighbour reboots": RISCV_GUEST + " share reboot",
        "its neighbour's disk is busy": RISCV_GUEST + " share flood"}, in_lab=False, exact=True),
    Figure("hypervisor: a clone of a guest with 18 MiB in use", "us", "below 10,000", {
        "hypervisor": RISCV_GUEST + " clone"}, in_lab=False, exact=True),
    Figure("hypervisor: exits of an interrupt to another vCPU and back", "", "", {
        "one hart, no AIA": RISCV_GUEST + " exits"}, in_lab=False, exact=True),
    Figure("hypervisor: the same on two harts", "", "", {
        "by files of the harts' IMSICs": RISCV_GUEST + " exits files",
        "by calls": RISCV_GUEST + " exits sbi"}, in_lab=False),
    Figure("hypervisor: a switch between vCPUs at 2 ns an instruction", "ns", "", {
        "one hart": RISCV_GUEST + " switch"}, in_lab=False, exact=True),
    Figure("hypervisor: a message of 100 bytes, among 8 vCPUs", "ns", "", {
        "two harts": RISCV_GUEST + " crowd 2",
        "one hart, at 2 ns an instruction": RISCV_GUEST + " crowd 1"}, in_lab=False),
    Figure("hypervisor: memory besides the guest's", "KB", "", {"hypervisor": RISCV_GUEST + " memory"}, in_lab=False),
    *hleos("kernel entry to the disks", "entry_to_disks"),
    *hleos("kernel entry to prompt, about", "entry_to_prompt"),
    *hleos("of that, measuring the clock", "calibration"),
    *hleos("context switch", "context_switch"),
    *hleos("interrupt", "interrupt"),
    *hleos("system call by SYSCALL", "system_call"),
    *hleos("system call by int 80h", "system_call_by_interrupt"),
    *hleos("fork, exit and wait", "fork_exit_wait"),
    *hleos("fork, exec, exit and wait", "fork_exec_wait"),
    *hleos("pipe, there and back", "pipe_round_trip"),
    *hleos("page copied when written to", "page_fault"),
    *hleos("open, read and close a small file", "open_read_close"),
    *hleos("kmalloc and kfree, empty heap", "kmalloc_kfree_empty"),
    *hleos("kmalloc and kfree, full heap", "kmalloc_kfree_full"),
    *hleos("kmalloc and kfree, hole far away", "kmalloc_kfree_full_far"),
    hleos("open and write 100 bytes, cached", "file_write")[0],   # the VMM has no disk here
    hleos("open and read 100 bytes, cached", "file_read")[0],
    *(Figure("HLeOs: %s, KPTI" % name, "instructions", "", {"KPTI=1": HLEOS_KPTI + figure, "without": HLEOS + figure},
             in_lab=False, exact=True)
      for name, figure in (("system call", "system_call"), ("fork, exit and wait", "fork_exit_wait"))),
    Figure("HLeOs: four processes' load", "million cycles", "", {
        "%d CPUs" % n: HLEOS + "four_processes %d" % n for n in (4, 2, 1)}, lambda cycles: cycles / 1e6, in_lab=False),
    Figure("HLeOs: kernel file", "bytes", "", {"image": HLEOS + "kernel_file"}, in_lab=False, exact=True),
    Figure("HLeOs: boot loader", "bytes", "", {"image": HLEOS + "loader"}, in_lab=False, exact=True),
]


def measure(command, in_lab):
    """Runs the command once, and returns the number that it prints."""
    where = [TOP / "lab/lab", "run"] if in_lab else []
    done = subprocess.run([*where, *command.split()], cwd=TOP, capture_output=True, text=True,
                          check=False, timeout=300, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit("bench: %s: status %d\n%s" % (command, done.returncode, done.stderr))
    return float(done.stdout)


def run(figure, rounds):
    values = {side: [] for side in figure.sides}
    if figure.exact:
        return {side: [figure.scale(measure(command, figure.in_lab))] for side, command in figure.sides.items()}
    for command in figure.sides.values():
        measure(command, figure.in_lab)  # the first run warms caches, and is not counted
    for number in range(min(rounds, figure.rounds)):
        sides = list(figure.sides.items())
        for side, command in sides if number % 2 == 0 else reversed(sides):
            values[side].append(figure.scale(measure(command, figure.in_lab)))
    return values


def kind_of_kvm():
    """Where the figures were measured, in the lab's words."""
    done = subprocess.run([TOP / "lab/lab", "doctor"], capture_output=True, text=True, check=False, timeout=300,
                          stdin=subprocess.DEVNULL)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    return lines[-1] if lines else "unknown"


def show(value):
    return "%.0f" % value if value >= 1000 else "%.3g" % value


def ratio(values, side):
    """The ratio of the first side to the best of the others; empty for the others."""
    first, *others = (statistics.median(numbers) for numbers in values.values())
    return "%.2f" % (first / min(others)) if others and min(others) and side == next(iter(values)) else ""


def table(results):
    rows = [("figure", "side", "median", "(range)", "unit", "ratio", "goal")]
    for figure, values in results:
        for side, numbers in values.items():
            span = "(%s to %s)" % (show(min(numbers)), show(max(numbers)))
            rows.append((figure.name, side, show(statistics.median(numbers)), span, figure.unit, ratio(values, side),
                         figure.goal))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def plot(results, kvm):
    """Plots each side relative to the first peer of its figure: 1 is equal, lower is less."""
    if not shutil.which("gnuplot"):
        print("no plot: gnuplot is not installed (tools/setup bench)")
        return
    rows = []
    for figure, values in results:
        medians = {side: statistics.median(numbers) for side, numbers in values.items()}
        peer = list(medians.values())[-1]
        rows += ['"%s: %s" %f' % (figure.name, side, median / peer)
                 for side, median in medians.items() if len(medians) > 1]
    if not rows:
        return
    (OUT / "plot.dat").write_text("\n".join(rows) + "\n")
    script = """
        set terminal svg size 900,%d font "sans,12"; set output "plot.svg"; set title "%s"
        set style fill solid 0.5; set yrange [%f:-0.5]; set xrange [0:*]; set grid x; unset key
        set xlabel "median, the last side of a figure being 1"
        plot "plot.dat" using ($2/2):0:($2/2):(0.35):yticlabels(1) with boxxyerrorbars
    """ % (120 + 40 * len(rows), kvm.replace('"', ""), len(rows) - 0.5)
    subprocess.run(["gnuplot"], input=script, text=True, check=True, cwd=OUT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    chosen = [f for f in FIGURES if not arguments.words or any(word in f.name for word in arguments.words)]
    kvm = kind_of_kvm()
    print("KVM: %s" % kvm, flush=True)
    chosen = [f for f in chosen if not f.of_lab or "in the lab" in kvm]
    results = [(figure, run(figure, arguments.rounds)) for figure in chosen]
    text = table(results)
    print(text)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "table.txt").write_text("KVM: %s\n%s\n" % (kvm, text))
    (OUT / "results.json").write_text(json.dumps({
        "kvm": kvm, "kernel": os.uname().release, "rounds": arguments.rounds,
        "figures": [{"name": f.name, "unit": f.unit, "goal": f.goal, "values": values} for f, values in results],
    }, indent=1) + "\n")
    plot(results, kvm)


if __name__ == "__main__":
    main()
