#!/usr/bin/python3
"""The distribution kernels that the tests boot, fetched once into build/downloads/kernels.

    tests/linux/kernels.py [NAME]...      prints the path of each kernel; without names, of all

A kernel that the mirror does not give is named on standard error with the reason, and the status is 1.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build/downloads/kernels"
FETCH = 300  # seconds that a mirror may take


def release():
    """This machine's Debian; on another distribution, the one that the lab's figures were taken with."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    codename = re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)
    return codename.group(1) if codename and re.search(r"^ID=debian$", text, re.M) else "bookworm"


# name: suite, architecture, metapackage
KERNELS = {
    "cloud": (release(), "amd64", "linux-image-cloud-amd64"),
    "generic": (release(), "amd64", "linux-image-amd64"),
    "debian13": ("trixie", "amd64", "linux-image-cloud-amd64"),
    "i686": (release(), "i386", "linux-image-686"),
}


class NoKernel(Exception):
    """The mirror does not give it; the text says why."""


def last_line(text):
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


def unpack(deb, to):
    """Takes the one file /boot/vmlinuz-VERSION out of a package."""
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True)
    names = subprocess.run(["tar", "-t"], input=tar.stdout, capture_output=True, check=True)
    name = next(line for line in names.stdout.decode().splitlines() if re.match(r"\./boot/vmlinu[xz]-", line))
    kernel = subprocess.run(["tar", "-xO", name], input=tar.stdout, capture_output=True, check=True)
    part = to.with_suffix(".part")
    part.write_bytes(kernel.stdout)
    os.replace(part, to)


def fetch(name):
    """The kernel's path. Its package and version are in the file beside it, NAME.source."""
    suite, architecture, package = KERNELS[name]
    kernel = OUT / ("vmlinuz-" + name)
    if kernel.exists():
        return kernel
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([TOP / "tools/fetch-deb", "-m", suite, architecture, package], timeout=FETCH,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise NoKernel("no answer after %d s" % FETCH) from None
    if done.returncode:
        raise NoKernel(last_line(done.stderr))
    deb = Path(last_line(done.stdout))
    unpack(deb, kernel)
    (OUT / (name + ".source")).write_text(deb.name + "\n", encoding="utf-8")
    return kernel


def header(image, offset, size):
    """A number of the setup header: Linux, Documentation/arch/x86/boot.rst."""
    return int.from_bytes(image[offset:offset + size], "little")


UNPACKERS = [(b"\xfd7zXZ", ["xz", "-dc", "--single-stream"]), (b"\x28\xb5\x2f\xfd", ["zstd", "-dcq"]),
             (b"\x02\x21\x4c\x18", ["lz4", "-dcq"]), (b"\x1f\x8b", ["gzip", "-dc"])]


def vmlinux(kernel):
    """The ELF file inside a bzImage, beside it."""
    elf = kernel.with_name(kernel.name.replace("vmlinuz", "vmlinux"))
    if elf.exists():
        return elf
    image = kernel.read_bytes()
    start = (header(image, 0x1f1, 1) + 1) * 512 + header(image, 0x248, 4)
    payload = image[start:start + header(image, 0x24c, 4)]
    command = next((c for magic, c in UNPACKERS if payload.startswith(magic)), None)
    if command is None:
        raise NoKernel("%s is packed in a way that is not known here" % kernel.name)
    # It ends with its own size, of which the unpackers complain when they have done their work.
    elf_bytes = subprocess.run(command, input=payload, capture_output=True, check=False).stdout
    if not elf_bytes.startswith(b"\x7fELF"):
        raise NoKernel("%s has no ELF file inside, or %s is not installed" % (kernel.name, command[0]))
    elf.write_bytes(elf_bytes)
    return elf


def main():
    status = 0
    for name in sys.argv[1:] or KERNELS:
        try:
            print(fetch(name))
        except NoKernel as reason:
            print("kernels: no %s: %s" % (name, reason), file=sys.stderr)
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
