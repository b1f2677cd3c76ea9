#!/usr/bin/python3
"""Judges an exercise of docs/hleos on the tree as it is: make grade LAB=n

    tools/grade.py                      lists the exercises
    tools/grade.py LAB [--predict TEXT] builds, runs what labs.toml says, and looks for the line that decides.
                                        With TEXT, that line must contain it: say first what will happen.

Status 0: passed; 1: failed, with the reason; 2: there is no such exercise.
"""
import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
TOP = HERE.parents[1]
BUILD = TOP / "build/hleos"
SILENCE = 400           # seconds: what says nothing for that long hangs
OUTPUT_MAX = 8 << 20    # bytes: some exercises make the machine talk without end
STANDS_STILL = r"HLeOs E\d\d [^\n]*\n"   # what the loader says last
TELLING = re.compile(r"does not hold|FAILED|PANIC|rror|fault|HLeOs E\d\d|disk: .*reset|sh: ")


def watch(command, done, typed=()):
    """Runs it until it ends, says what is waited for, or says too much; its output."""
    process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    raw, text, typed, seen = b"", "", list(typed), 0
    end = time.monotonic() + SILENCE
    try:
        while time.monotonic() < end and len(raw) < OUTPUT_MAX and not (not typed and done.search(text)):
            if not select.select([process.stdout], [], [], 1)[0]:
                continue
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                break
            raw += more
            end = time.monotonic() + SILENCE
            text = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace"))
            while typed and (found := re.compile(typed[0][0]).search(text, seen)):
                seen = found.end()
                process.stdin.write(typed.pop(0)[1].encode() + b"\r")
                process.stdin.flush()
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    return text


def run(lab, decides):
    if "unit" in lab:
        return watch(["make", "--no-print-directory", "unit@" + lab["unit"]], decides)
    with tempfile.TemporaryDirectory() as scratch:
        image, variant = Path(scratch, "lab.img"), "-kpti" if lab.get("kpti") else ""
        subprocess.run([BUILD / "mkimage", "--boot", BUILD / "boot.bin", "--stage2", BUILD / "stage2.bin",
                        "--kernel", BUILD / ("hleos%s-stripped.elf" % variant), "--cmdline", lab["boot"],
                        "--fs", "8388608", "--out", image],
                       check=True, stdout=subprocess.DEVNULL)
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128M", "-smp", str(lab.get("cpus", 1)),
                   "-display", "none", "-no-reboot", "-nodefaults", "-vga", "std", "-serial", "stdio",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", "file=%s,format=raw" % image]
        for rom in lab.get("roms", ()):
            command += ["-option-rom", BUILD / "rom" / (rom + ".bin")]
        return watch(command, decides, lab.get("type", ()))


def line_of(text, found):
    """The whole line, or lines, in which something was found."""
    begin = text.rfind("\n", 0, found.start()) + 1
    after = text.find("\n", found.end())
    return " / ".join(text[begin:after if after >= 0 else len(text)].split("\n")).replace("\r", "").strip(" /")


def judge(lab, predicted):
    """True and the line that decides, or False and why not."""
    where = "docs/%s, exercise %d" % (lab["chapter"], lab["exercise"])
    # A warning is no error here, whatever the calling make says: the change is to be seen in what the kernel does.
    more = [*(["KPTI=1"] if lab.get("kpti") else []), *(["test-roms"] if "roms" in lab else [])]
    built = subprocess.run(["make", "-s", "all", "WERROR=", *more], cwd=HERE, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, errors="replace", check=False)
    if built.returncode != 0:
        return False, "the tree does not build:\n" + "\n".join(built.stderr.splitlines()[-8:])
    expect, (before, meaning) = re.compile(lab["expect"]), lab["before"]
    text = run(lab, re.compile("(?:%s)|(?:%s)|(?:%s)" % (lab["expect"], before, STANDS_STILL)))
    found = expect.search(text)
    if found is None and re.search(before, text):
        return False, "%s. See %s" % (meaning, where)
    if found is None:
        telling = [line for line in text.splitlines() if TELLING.search(line)] or text.splitlines() or ["nothing"]
        return False, "the change of %s does something else. What came: %s" % (where, telling[-1].strip())
    line = line_of(text, found)
    if predicted and predicted.lower() not in line.lower():
        return False, "the change is made, but you predicted \"%s\". What came: %s" % (predicted, line)
    return True, line


def main():
    parser = argparse.ArgumentParser(usage="make grade LAB=n [PREDICT='words of the line that will come']")
    parser.add_argument("lab", nargs="?")
    parser.add_argument("--predict", default="")
    arguments = parser.parse_args()
    labs = tomllib.loads((HERE / "labs.toml").read_text(encoding="utf-8"))
    if not arguments.lab:
        for name, lab in labs.items():
            print("lab %-3s docs/%s, exercise %d" % (name, lab["chapter"], lab["exercise"]))
        return 0
    if arguments.lab not in labs:
        print("grade: there is no lab %s: they go from 1 to %d" % (arguments.lab, len(labs)), file=sys.stderr)
        return 2
    good, why = judge(labs[arguments.lab], arguments.predict)
    print("lab %s: %s: %s" % (arguments.lab, "passed" if good else "failed", why))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
