"""kvm-vmm fuzz: it finds the bug that was planted in guest/test/fuzz/parser.S; and AFL++ can drive it."""
import re
import shutil
import subprocess

import pytest

from tests.linux.conftest import kernel  # noqa: F401  (a fixture)
from tests.support import TOP, lab_run

VMM = TOP / "kvm-vmm-x86/kvm-vmm"
PARSER = TOP / "kvm-vmm-x86/guest/test/fuzz/parser.elf"


def fuzz(*args, **options):
    return lab_run(VMM, "fuzz", "-l", *args, PARSER, **options)


def test_finds_what_was_planted(scratch):
    crashes, found = scratch / "crashes", []
    for name in "one", "other":  # a seed and a corpus determine the run
        corpus = scratch / name
        corpus.mkdir()
        (corpus / "given").write_bytes(b"KVM1A\x01W\x01")
        found.append(fuzz("--seed=1", "--runs=300", "--timeout=60s", "--corpus", corpus, "--crashes", crashes))
        assert found[-1].status == 126, found[-1]
    said = [result.out.rsplit(b",", 1)[0] for result in found]
    assert said[0] == said[1].replace(b"/crash-2", b"/crash-1")  # the second run keeps the files of the first
    assert re.search(rb"crash: write at 0x[0-9a-f]+, outside its memory", found[0].out), found[0]
    data, text = (crashes / "crash-1").read_bytes(), (crashes / "crash-1.txt").read_text()
    assert data == (crashes / "crash-2").read_bytes() and (crashes / "crash-2.txt").exists()
    assert data[:4] == b"KVM1" and b"W" in data
    assert "outside its memory" in text and "movb $0x01, (%rcx)" in text and "rcx" in text, text
    assert len(list(corpus.iterdir())) >= 2
    again = fuzz("--timeout=60s", "--run", crashes / "crash-1")
    assert again.status == 126 and again.out.startswith(b"crash: write at 0x"), again


def test_one_input(scratch):
    """An input that succeeds, one that never ends, and a triple fault with its explanation."""
    for name, data, status, what in (("done", b"KVM1A\x05J\x02xxA\x01", 0, b"done"),
                                     ("short", b"K", 0, b"done"),
                                     ("hang", b"KVM1A\xf0S\x00", 0, b"no answer"),
                                     ("triple", b"KVM1A\xf0T\x00", 126, b"divide error")):
        (scratch / name).write_bytes(data)
        result = fuzz("--timeout=300ms" if name == "hang" else "--timeout=60s", "--run", scratch / name)
        assert result.status == status and what in result.out, result


def test_refusals(vmm):
    for args, status, what in ((["--runs=x"], 2, "--runs x"), (["--timeout=0"], 2, "--timeout 0"),
                               (["--none"], 2, "--none"), (["--run", "/no/such"], 125, "/no/such")):
        result = fuzz(*args)
        assert result.status == status and what in result.err, result
    result = lab_run(VMM, "fuzz", vmm.guest("hello"))
    assert result.status == 125 and "never asked for an input" in result.err, result


@pytest.mark.full("afl++")
@pytest.mark.skipif(shutil.which("afl-fuzz") is None, reason="afl++ is not installed")
def test_under_afl(scratch):
    seeds, out = scratch / "seeds", scratch / "out"
    seeds.mkdir()
    (seeds / "one").write_bytes(b"KVM1A\x01W\x01")
    environment = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
                   "AFL_NO_AFFINITY": "1", "AFL_BENCH_UNTIL_CRASH": "1"}
    result = lab_run("afl-fuzz", "-s", "1", "-i", seeds, "-o", out, "-E", "200000", "-t", "60000", "--", VMM,
                     "fuzz", "-l", "--timeout=50s", PARSER, env=environment, limit=3600)
    found = list((out / "default/crashes").glob("id*"))
    assert found, result
    result = fuzz("--timeout=60s", "--run", found[0])
    assert result.status == 126, result


def test_a_linux_program(kernel, scratch):  # noqa: F811
    """It crashes by a signal, which its harness reports; and its blocks are counted."""
    subprocess.run(["make", "-s", "-C", TOP / "kvm-vmm-x86", "lib"], check=True, stdin=subprocess.DEVNULL)
    corpus = scratch / "corpus"
    corpus.mkdir()
    (corpus / "given").write_bytes(b"LIST\x03abc")
    (corpus / "long").write_bytes(b"LIST\xf8x" + bytes(range(247)))
    words = ("fuzz", "-m", "160M", "--append", "quiet", "--timeout=60s", "--initrd",
             TOP / "build/kvm-vmm-x86/lib/fuzzed.cpio", "--corpus", corpus, "--crashes", scratch / "crashes")
    result = lab_run(VMM, *words, "--runs=20", kernel("cloud"))
    found = re.search(rb"run \d+: (\d+) of (\d+) blocks, 2 inputs\nrun \d+: crash: SIG(SEGV|ABRT) at 0x", result.out)
    assert result.status == 126 and found and int(found.group(1)) > 5, result
    assert (scratch / "crashes/crash-1").read_bytes()[:5] == b"LIST\xf8", result
    assert re.match(r"SIG(SEGV|ABRT) at 0x", (scratch / "crashes/crash-1.txt").read_text())


AFL_SIDE = """
import ctypes, os, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
SIZE = 4096  # less than AFL++ makes it unless it is told
shm = libc.shmget(0, SIZE, 0o1600)
at = libc.shmat(shm, None, 0)
control, status = os.pipe(), os.pipe()
os.dup2(control[0], 198)
os.dup2(status[1], 199)
os.set_inheritable(198, True)
os.set_inheritable(199, True)
data = open(sys.argv[1], "w+b")
child = subprocess.Popen(sys.argv[2:], stdin=data, close_fds=False, env={**os.environ, "__AFL_SHM_ID": str(shm)})
os.close(199)
hello = os.read(status[0], 4)
for text in (b"K", b"KVM1A\\x01", b"K", b"KVM1W\\x09", b"KVM1A\\x01"):
    data.seek(0); data.truncate(); data.write(text); data.flush()
    ctypes.memset(at, 0, SIZE)
    os.write(control[1], bytes(4))
    os.read(status[0], 4)
    result = struct.unpack("I", os.read(status[0], 4))[0]
    print(result, sum(ctypes.string_at(at, SIZE)), flush=True)
os.close(control[1])
os.close(control[0])
os.close(198)
print(child.wait())
libc.shmctl(shm, 0, None)
"""


def test_fork_server(scratch):
    """AFL++'s side of the protocol in a few lines: each input gives a status and a bitmap, equal ones for equal
    inputs."""
    result = lab_run("python3", "-c", AFL_SIDE, scratch / "input", VMM, "fuzz", "--timeout=60s", "-l", PARSER)
    rows = [line.split() for line in result.out.decode().splitlines()]
    assert result.status == 0 and len(rows) == 6 and rows[5] == ["0"], result
    assert [row[0] for row in rows[:5]] == ["0", "0", "0", "11", "0"], result
    blocks = [int(row[1]) for row in rows[:5]]
    assert blocks[0] == blocks[2] < blocks[1] == blocks[4], result
