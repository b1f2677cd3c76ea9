#!/usr/bin/python3
"""Starts the VMM, waits for the shell's prompt, and prints its CPU time and exits while idle: idle.py SECONDS
COMMAND...

The command has --stats. Runs where the VMM runs, as only there its CPU time can be read.
"""
import os
import re
import subprocess
import sys
import time

PROMPT = b"1k> "


def processor_time(pid):
    """The CPU seconds of all threads of a process, including guest time."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    process = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    while not seen.endswith(PROMPT):
        some = os.read(process.stdout.fileno(), 4096)
        if not some:
            sys.exit("no prompt:\n%s" % seen.decode("utf-8", "replace"))
        seen += some
    begin = processor_time(process.pid)
    time.sleep(float(sys.argv[1]))
    spent = processor_time(process.pid) - begin
    _, err = process.communicate(b"exit\n", timeout=600)
    print("spent %.2f s, %s exits, status %d" % (
        spent, re.search(rb"(\d+) exits", err).group(1).decode(), process.returncode))


if __name__ == "__main__":
    main()
