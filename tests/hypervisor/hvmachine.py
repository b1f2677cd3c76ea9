"""Shared by the hypervisor's system tests: builds images and runs machines.

Outcomes are read from what guests print about themselves. Every machine has a time limit.
"""
import functools
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pexpect

import stuck

TOP = Path(__file__).resolve().parents[2]
HV = TOP / "hypervisor"
OUT = TOP / "build" / "hypervisor"
QEMU12 = ["qemu-system-riscv64"]  # this machine's QEMU, of any version; in Debian 12 it is 7.2
VM = "vm {name} cpus={cpus} mem={mem} kernel={name}.elf base=0x80000000 {more}\n"
MODERN = ["-global", "virtio-mmio.force-legacy=false"]
spawned = []  # the machines from spawn()
sockets = tempfile.TemporaryDirectory()  # for the machines' monitors: their paths must be short
numbers = itertools.count()
COUNTED = ["-icount", "shift=1,sleep=off"]  # 500 million instructions per guest second, at any host load; one hart


def make(*targets):
    """Runs make in hypervisor/; a failure shows its output."""
    done = subprocess.run(["make", "-s", "-C", str(HV), *targets], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def qemu13():
    """The command of Debian 13's QEMU with its own libraries, or None. With FULL=1 it is fetched first."""
    if os.environ.get("FULL"):
        subprocess.run([TOP / "tools/fetch-qemu"], check=False, stdin=subprocess.DEVNULL)
    root = TOP / "build" / "qemu-trixie"
    binary = root / "usr/bin/qemu-system-riscv64"
    if not binary.exists():
        return None
    lib = root / "usr/lib/x86_64-linux-gnu"
    return [str(lib / "ld-linux-x86-64.so.2"), "--library-path", f"{lib}:{lib}/pulseaudio", str(binary),
            "-L", str(root / "usr/share/qemu"), "-bios",
            str(root / "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin")]


@functools.cache
def major(binary):
    """The major version of a QEMU in PATH."""
    done = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True)
    return int(done.stdout.split("version ")[1].split(".")[0])


def is_old(qemu):
    """Whether it is QEMU 7.2 or older, which Debian 12 has."""
    return qemu is QEMU12 and major(qemu[0]) < 8


def cpio(path, files):
    """Writes a newc archive of {name: bytes or Path} to `path`."""
    folder = Path(str(path) + ".d")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        if isinstance(content, (str, bytes)):
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            os.link(content, folder / name)
    with open(path, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=out,
                       input=("\n".join(files) + "\n").encode())
    return path


def assemble(name, folder, output=None, **defines):
    """Builds guests/NAME.S, which begins at NAME_boot; returns the ELF file."""
    elf = folder / (output or f"{name}.elf")
    source = TOP / "tests/hypervisor/guests" / f"{name}.S"
    subprocess.run(["clang", "--target=riscv64-unknown-elf", "-march=rv64gcv", "-mno-relax", "-nostdlib",
                    "-fuse-ld=lld", f"-Wl,-e{name}_boot", "-Wl,-Ttext=0x80200000", "-Wl,-N", f"-I{source.parent}",
                    *(f"-D{key}={value}" for key, value in defines.items()), str(source), "-o", str(elf)], check=True)
    return elf


def compiled(name, folder, output=None, base=0x80200000, **defines):
    """Builds guests/NAME.c with guests/lib, to run at `base`; returns the ELF file."""
    elf = folder / (output or f"{name}.elf")
    guests = TOP / "tests/hypervisor/guests"
    # boot.S comes first: bare machines start at the first byte, not at the ELF file's entry.
    sources = [guests / "lib/boot.S", guests / "lib/guest.c", guests / f"{name}.c", TOP / "common/fmt.c",
               TOP / "common/string.c"]
    defines = {"NAME": f'"{name}"', **defines}
    subprocess.run(["clang", "--target=riscv64-unknown-elf", "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany",
                    "-mno-relax", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-builtin",
                    "-nostdlib", "-fuse-ld=lld", "-Wl,-eguest_boot", f"-Wl,-Ttext={base:#x}", "-Wl,-N", f"-I{TOP}",
                    *(f"-D{key}={value}" for key, value in defines.items()), *map(str, sources),
                    "-o", str(elf)], check=True)
    return elf


def archive_of(folder, guests, **files):
    """An archive of guests: name -> (source, defines, keys of its line in the manifest)."""
    manifest, elves = "", {}
    for name, (source, defines, keys) in guests.items():
        elves[f"{name}.elf"] = compiled(source, folder, f"{name}.elf", **defines)
        line = {"cpus": 1, "mem": "32M", "more": "", **keys}
        manifest += VM.format(name=name, **line)
    return cpio(folder / "i", {"manifest": manifest, **elves, **files})


def command(qemu, kernel, initrd=None, args="", harts=1, memory="512M", cpu="rv64", more=()):
    line = [*qemu, "-M", "virt", "-cpu", cpu, "-smp", str(harts), "-m", memory, "-no-reboot",
            "-display", "none", "-monitor", "none", "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
            "-kernel", str(kernel), "-append", args, *more]
    return line + (["-initrd", str(initrd)] if initrd else [])


def with_aia(line, files):
    """The same machine with an APLIC, IMSICs, and that many guest interrupt files for each hart. QEMU before 8.1
    changes an IMSIC from two host threads without a lock and loses MSIs, so it gets one thread."""
    thread = ["-accel", "tcg,thread=single"] if line[:1] == QEMU12 and is_old(QEMU12) else []
    return [f"virt,aia=aplic-imsic,aia-guests={files}" if word == "virt" else word for word in line] + thread


def run(line, timeout=900):
    """Runs a machine to its end; returns its status and its output. The limit is for a machine that hangs, on a busy
    host: the test fails with the end of the output and the state of the harts."""
    path = Path(sockets.name) / f"{next(numbers)}"
    with subprocess.Popen(stuck.with_monitor(line, path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as machine:
        try:
            output, told = machine.communicate(timeout=timeout)[0], None
        except subprocess.TimeoutExpired:
            told = stuck.report(path, line[line.index("-kernel") + 1])
            machine.kill()
            output = machine.communicate()[0]
        finally:
            machine.kill()
    text = output.decode(errors="replace").replace("\r", "")
    if told is not None:
        last = "\n".join(text.split("\n")[-40:])
        raise AssertionError(f"no end after {timeout} s: {' '.join(line)}\n{last}\n--- the harts\n{told}")
    return machine.returncode, text


def spawn(line):
    """An interactive machine. If a test times out, conftest.py reports the machine's state through its monitor."""
    path = Path(sockets.name) / f"{next(numbers)}"
    line = stuck.with_monitor(line, path)
    spawned.append(pexpect.spawn(line[0], line[1:], timeout=600, encoding="utf-8", codec_errors="replace"))
    spawned[-1].monitor, spawned[-1].kernel = path, line[line.index("-kernel") + 1] if "-kernel" in line else None
    spawned[-1].str_last_chars = 3000
    return spawned[-1]


def to_monitor(child):
    child.send("\x01m")
    child.expect("hv> ")


def monitor(child, text):
    """Sends a command to the monitor. Returns the answer, up to the next prompt."""
    child.send(text + "\r")
    child.expect("hv> ")
    return child.before.replace("\r", "")


def ends_well(child):
    """Checks that the machine powers off, with status 0."""
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def quit_machine(child):
    to_monitor(child)
    child.send("quit\r")
    ends_well(child)
