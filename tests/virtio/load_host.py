"""A random load (load.c) on a folder that a VMM shares with its guest; guest and host take turns. Started where KVM is
complete, by test_fs.py.

    load_host.py LOAD SEED TURNS COUNT COMMAND...

In COMMAND, FOLDER and ORDERS stand for the paths of the folder and of one for orders. There are three kinds of turns:
the guest works alone, two processes of the guest work at the same time, each below its own folder, and the host works.
The host then does the same in a plain folder. The results of the operations and the tree afterwards must be equal, seen
from the guest and from the host. The guest prints its results; the host writes the next orders into a file.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KINDS = ("guest", "both", "host")


class Failed(Exception):
    """Guest and host differ."""


def load(program, *words):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed("load %s: status %d %s" % (words, done.returncode, done.stderr))
    return done.stdout.split()[1]


class Turns:
    """`shared` and `plain` both contain the folders 0 and 1, for the two processes."""

    def __init__(self, program, seed, count, base):
        self.program, self.seed, self.count = program, seed, count
        self.shared, self.plain, self.orders = base / "shared", base / "plain", base / "orders"
        for folder in (self.shared / "0", self.shared / "1", self.plain / "0", self.plain / "1", self.orders):
            folder.mkdir(parents=True, mode=0o755)

    def order(self, turn, text):
        """Writes the file atomically, and never changes it: the guest waits for a new name."""
        (self.orders / "new").write_text(text + "\n")
        (self.orders / "new").rename(self.orders / str(turn))

    def begin(self, turn):
        kind = KINDS[turn % 3]
        if kind == "host":
            self.said = [load(self.program, "run", self.shared / "0", self.seed + 2 * turn, self.count)]
            self.order(turn, "look")
        else:
            processes = 2 if kind == "both" else 1
            self.order(turn, "run %d %d %d" % (processes, self.seed + 2 * turn, self.count))
            self.said = []

    def end(self, turn, answers, tree):
        """`answers`: results of the guest's processes; `tree`: the tree that the guest sees."""
        said = self.said + answers
        wanted = [load(self.program, "run", self.plain / str(i), self.seed + 2 * turn + i, self.count)
                  for i in range(len(said))]
        trees = [load(self.program, "look", folder) for folder in (self.plain, self.shared)]
        if said != wanted or {tree, *trees} != {tree}:
            raise Failed("seed %d, turn %d (%s): answers %s, not %s; plain, shared, guest's: %s" % (
                self.seed, turn, KINDS[turn % 3], said, wanted, [*trees, tree]))


def play(turns, number, vmm):
    turn, answers = 0, []
    turns.begin(0)
    for line in vmm.stdout:
        text = line.decode("utf-8", "replace")
        sys.stdout.write(text)
        if found := re.match(r"answers (\w+)", text):
            answers.append(found[1])
        if found := re.match(r"tree (\w+)", text):
            turns.end(turn, answers, found[1])
            turn, answers = turn + 1, []
            if turn < number:
                turns.begin(turn)
            else:
                turns.order(turn, "end")
    return turn


def main():
    program, seed, number, count, command = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5:]
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    os.umask(0)
    try:
        turns = Turns(program, seed, count, base)
        line = [word.replace("FOLDER", str(turns.shared)).replace("ORDERS", str(turns.orders)) for word in command]
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as vmm:
            try:
                turn = play(turns, number, vmm)
            except Failed as why:
                print("differs: %s" % why)
                sys.exit(1)
            finally:
                vmm.kill()
        sys.exit(0 if turn == number else "the guest ended after %d turns" % turn)
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
