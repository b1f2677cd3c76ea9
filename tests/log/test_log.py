"""The exit log: a file in a valid format, with the counts of --stats, whatever the guest did."""
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.log import trace_format
from tests.support import LIMIT, PATIENT, TOP, finish, lab_run

ELVES = TOP / "build/kvm-vmm-x86/guest"


class Log:
    """A trace: its events by kind, and its metadata."""

    def __init__(self, path):
        trace = json.loads(path.read_text(encoding="utf-8"))
        trace_format.check(trace)
        self.events, self.about = trace["traceEvents"], trace["otherData"]

    def exits(self, guest=0):
        return [e for e in self.events if e["ph"] == "X" and e["pid"] == guest + 1]

    def printed(self, guest=0):
        return "".join(e["name"] for e in self.events if e.get("cat") == "output" and e["pid"] == guest + 1)

    def end(self, guest=0):
        return [e["name"] for e in self.events if e.get("cat") == "end" and e["pid"] == guest + 1]


@pytest.fixture
def logged(vmm, scratch):
    """logged(arguments...): a run with --log and --stats, and its log."""
    def run(*args, **options):
        result = vmm.run("--stats", "--log", scratch / "log.json", *args, **options)
        return result, Log(scratch / "log.json")
    return run


def test_every_exit_in_order(logged):
    """hello makes a call for each byte and one to end. The log's counts are those of --stats."""
    result, log = logged("@hello")
    exits = log.exits()
    assert result.status == 0 and result.out == b"Hello, KVM!\n", result
    assert [e["args"]["exit"] for e in exits] == list(range(1, len(result.out) + 2))
    assert [e["name"] for e in exits] == ["hypercall.PUTCHAR"] * len(result.out) + ["hypercall.EXIT"]
    assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-6 for a, b in zip(exits, exits[1:])), "one ends before the next"
    assert "vCPU 0: %d exits" % len(exits) in result.err and log.about["guest 0 vCPU 0 exits"] == len(exits)
    assert log.printed() == "Hello, KVM!\n" and log.end() == ["ended by itself"]


def test_counts_by_register_agree_with_stats(logged):
    result, log = logged("@uart_until_q", stdin=b"abcq")
    rows = re.findall(r"register (uart\.\w+) +(\d+) read +(\d+) written", result.err)
    for name, reads, writes in rows:
        kept = [e["args"]["access"] for e in log.exits() if e["name"] == name]
        assert (kept.count("read"), kept.count("write")) == (int(reads), int(writes)), name
    assert {"uart.RBR", "uart.THR", "uart.LSR"} <= {row[0] for row in rows}, result


def test_values_and_addresses(logged):
    _, log = logged("@debug_exit")
    last = log.exits()[-1]
    assert last["name"] == "debug-exit.status" and last["cat"] == "io"
    assert last["args"]["port"] == "0xf4" and last["args"]["value"] == "0x15" and last["args"]["access"] == "write"
    assert log.end() == ["ended with status 43"]


def test_the_ring_says_what_it_dropped(logged):
    result, log = logged("--log-size", "100", "--max-exits", "1234", "@storm")
    exits = log.exits()
    assert result.status == 124 and log.about["guest 0 vCPU 0 exits"] == 1234, result
    assert log.about["guest 0 vCPU 0 dropped"] == 1134
    assert [e["args"]["exit"] for e in exits] == list(range(1135, 1235))
    assert {e["name"] for e in exits} == {"POST.code"}
    assert re.search(r"POST.code +0 read +1234 written", result.err), result


def test_functions_by_symbol_file(logged):
    """hctest prints with its own print_string; the names are in the ELF file from which its image was made."""
    result, log = logged("--symbols", ELVES / "hctest.elf", "@hctest", stdin=b"x")
    named = [e for e in log.exits() if e["args"].get("symbol", "").startswith("print_string+")]
    row = re.search(r"function print_string +(\d+)", result.err)
    assert named and row and int(row.group(1)) == len(named), result


def test_functions_of_an_elf_guest(logged):
    """An ELF image has its own symbols."""
    result, log = logged("@long_check")
    names = {e["args"].get("symbol", "").split("+")[0] for e in log.exits()}
    shown = re.findall(r"function (\w+) +\d+", result.err)
    assert shown and set(shown) & names == set(shown), (shown, names)


def test_symbols_of_a_window(logged):
    """A real-mode guest's addresses are offsets in its window: the second guest gets the same names."""
    _, log = logged("--symbols", ELVES / "counter.elf", "@counter", "@counter")
    first, second = ([e["args"]["symbol"] for e in log.exits(g)] for g in (0, 1))
    assert first == second and first


def test_four_guests_at_once(logged):
    result, log = logged("@hello", "@counter", "@multiplication", "@fibonacci")
    assert result.status == 0, result
    processes = {e["pid"]: e["args"]["name"] for e in log.events if e["name"] == "process_name"}
    assert [processes[pid].split("/")[-1] for pid in (1, 2, 3, 4)] == [
        "hello.bin", "counter.bin", "multiplication.bin", "fibonacci.bin"]
    threads = [e["tid"] for e in log.events if e["name"] == "thread_name"]
    assert len(threads) == len(set(threads)) == 8  # a vCPU and the output of each
    for guest, name in enumerate(["hello", "counter", "multiplication", "fibonacci"]):
        expected = (TOP / ("kvm-vmm-x86/guest/%s.expected" % name)).read_text(encoding="ascii")
        assert log.printed(guest) == expected and len(log.exits(guest)) == len(expected) + 1


def test_several_vcpus_are_threads(logged):
    _, log = logged("-c", "3", "@hello_64")
    names = [e["args"]["name"] for e in log.events if e["name"] == "thread_name"]
    assert names == ["vCPU 0", "vCPU 1", "vCPU 2", "output"]
    assert log.about["guest 0 vCPU 2 exits"] == 0 and log.exits()


@pytest.mark.parametrize("args, status, end", [
    (["@triple"], 126, "triple fault: breakpoint (int3)"),
    (["@unknown_call"], 126, "unknown hypercall 0x77"),
    (["--timeout", "3", "@spin"], 124, "--timeout"),
    (["@hlt_sti"], 0, "halted for ever"),
])
def test_whatever_ends_it_the_log_is_written(logged, args, status, end):
    result, log = logged(*args)
    assert result.status == status, result
    assert len(log.end()) == 1 and end in log.end()[0]


def test_ctrl_c(vmm, scratch):
    """At a terminal, a guest has printed a prompt and does not read: the terminal handles the keys."""
    session = vmm.terminal("--log", scratch / "log.json", "@spin", env=PATIENT)
    session.expect(r"\.\r?\n")
    session.sendintr()
    assert finish(session) == 128 + signal.SIGINT
    log = Log(scratch / "log.json")
    assert log.end() == ["ended by signal 2"] and log.printed() == ".\n" and len(log.exits()) == 2


@pytest.mark.parametrize("option", ["--log"])
class TestFilesThatCannotBe:
    """One line of error and a status; before the guest starts, if possible."""

    def test_no_such_folder(self, vmm, scratch, option):
        result = vmm.run(option, scratch / "none" / "file", "@hello")
        assert (result.status, result.out) == (125, b""), result
        assert re.fullmatch(r"kvm-vmm: cannot write \S+/none/file: No such file or directory\n", result.err)

    def test_full_disk(self, vmm, option):
        result = vmm.run(option, "/dev/full", "@hello")
        assert (result.status, result.out) == (125, b"Hello, KVM!\n"), result
        assert result.err == "kvm-vmm: cannot write /dev/full: No space left on device\n"

    def test_a_crash_is_worse_than_a_full_disk(self, vmm, option):
        assert vmm.run(option, "/dev/full", "@triple").status == 126

    def test_a_guest_that_never_starts_leaves_no_file(self, vmm, scratch, option):
        result = vmm.run(option, scratch / "file", scratch / "no-image")
        assert result.status == 125 and not (scratch / "file").exists(), result

    def test_nor_takes_what_was_there(self, vmm, scratch, option):
        (scratch / "file").write_text("precious")
        assert vmm.run(option, scratch / "file", scratch / "no-image").status == 125
        assert (scratch / "file").read_text() == "precious"
        assert vmm.run(option, scratch / "file", "@hello").status == 0
        assert "precious" not in (scratch / "file").read_text()

    def test_symbols_that_do_not_fit(self, vmm, scratch, option):
        (scratch / "text").write_text("not ELF")
        result = vmm.run("--symbols", scratch / "text", option, scratch / "file", "@hello")
        assert (result.status, result.out) == (125, b""), result
        assert len(result.err.splitlines()) == 1 and "text" in result.err


def test_bad_options(vmm):
    for args in (["--log-size", "0", "--log", "x"], ["--log-size", "many", "--log", "x"], ["--log-size", "5"],
                 ["--log"]):
        result = vmm.run("@hello", *args)
        assert result.status == 2 and len(result.err.splitlines()) == 1, (args, result)


def test_a_pipe_that_nobody_reads(vmm):
    """The start does not wait for the pipe's reader, and the end only as long as the user likes."""
    program, guest = vmm.command("@exits")
    result = lab_run("sh", "-c", "cd /var/tmp; rm -f pipe; mkfifo pipe; %s --log pipe %s" % (program, guest))
    assert (result.status, result.out) == (125, b""), result
    assert result.err == "kvm-vmm: cannot write pipe: No such device or address\n"
    result = lab_run("sh", "-c", "cd /var/tmp; exec 3<> pipe; %s --log pipe %s > said & vmm=$!; "
                     "for try in $(seq 1800); do grep -q '>' said && break; sleep 0.1; done; "
                     "for try in $(seq 900); do kill -TERM $vmm || break; sleep 0.2; done 2> /dev/null; "
                     "cat said" % (program, guest))
    assert result.out == b"<\n>\n", result
    assert result.err == ("kvm-vmm: cannot write pipe: the run had to end before it was written\n"
                          "kvm-vmm: ended by SIGTERM\n"), result


def next_state(process):
    """Waits until the process stops or ends. Returns what waitid() says of it."""
    end = time.monotonic() + LIMIT
    while True:
        state = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if state is not None:
            return state
        assert time.monotonic() < end, "it neither stops nor ends"
        time.sleep(0.01)


def test_a_large_log_does_not_hold_the_vmm(vmm, scratch):
    """Three million exits of a replayed KVM make half a gigabyte of log: a signal ends the run without waiting for
    it. The run stops itself behind the first megabyte, so that the signal comes before the end of the log."""
    subprocess.run(["make", "-s", "-C", TOP / "bench", "all"], check=True, stdin=subprocess.DEVNULL)
    stops, log = scratch / "stops.so", scratch / "log.json"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", stops, Path(__file__).with_name("stops.c")], check=True)
    replay = {"LD_PRELOAD": "%s %s" % (TOP / "build/bench/vmm/replay.so", stops), "REPLAY": "port", "EXITS": "3000000"}
    with subprocess.Popen([vmm.program, "--kvm", "/dev/null", "--log", log, "--log-size", "4M", vmm.guest("minimal")],
                          env={**os.environ, **replay}, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        try:
            assert next_state(run).si_code == os.CLD_STOPPED
            assert 1000000 <= log.stat().st_size < 2000000
            run.terminate()
            run.send_signal(signal.SIGCONT)
            err = run.communicate(timeout=LIMIT)[1].decode()
        finally:
            run.kill()
    assert run.returncode == 128 + signal.SIGTERM, err
    assert "cannot write %s: the run had to end" % log in err


def test_to_a_pipe(vmm):
    """A log can be written to a file that cannot be truncated."""
    result = vmm.run("--log", "/dev/stderr", "@hello")
    assert result.status == 0 and len(json.loads(result.err)["traceEvents"]) > 10, result


def test_a_guest_that_starts_again_goes_on(logged):
    """Three lives of one guest are in one log: each reads a byte, prints it, and resets the machine or ends."""
    result, log = logged("--reboot", "@restart", stdin=b"abq")
    names = [e["name"].split(".")[1] for e in log.exits()]
    assert (result.status, result.out) == (0, b"abq"), result
    assert names == ["GETCHAR", "PUTCHAR", "command"] * 2 + ["GETCHAR", "PUTCHAR", "EXIT"]
    assert log.about["guest 0 vCPU 0 exits"] == 9 and log.printed() == "abq"
    assert "vCPU 0: 9 exits" in result.err and re.search(r"exits io +9\n", result.err), result
    assert re.search(r"register hypercall.GETCHAR +0 read +3 written", result.err), result
    assert re.search(r"KVM: .* reached the VMM", result.err), "KVM's counters, of all its lives"
